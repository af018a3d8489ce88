// The stack of completions: order, when to wake, and that nothing is lost.
#include "queue/intrusive_stack.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "deterministic.h"

namespace millrace {
namespace {

struct Node {
  int value = 0;
  Node* next = nullptr;
};

// Links nodes first->...->last.
template <class N>
void link(std::vector<N*> nodes) {
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i]->next = nodes[i + 1];
}

std::vector<int> values(const Node* node) {
  std::vector<int> found;
  for (; node != nullptr; node = node->next) found.push_back(node->value);
  return found;
}

TEST(IntrusiveStack, YieldsNothingWhenEmpty) {
  IntrusiveStack<Node> stack;
  EXPECT_EQ(stack.take_all(), nullptr);
}

TEST(IntrusiveStack, YieldsChainsAndTheirNodesInTheOrderPushed) {
  IntrusiveStack<Node> stack;
  std::array<Node, 6> nodes;
  for (int i = 0; i < 6; ++i) nodes[i].value = i;
  link<Node>({&nodes[0], &nodes[1], &nodes[2]});
  link<Node>({&nodes[4], &nodes[5]});
  stack.push_chain(&nodes[0], &nodes[2]);
  stack.push_chain(&nodes[3], &nodes[3]);
  stack.push_chain(&nodes[4], &nodes[5]);
  EXPECT_EQ(values(stack.take_all()), (std::vector{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(stack.take_all(), nullptr);
}

TEST(IntrusiveStack, AsksForAWakeUpOnlyWhenItWasEmpty) {
  IntrusiveStack<Node> stack;
  std::array<Node, 3> nodes;
  EXPECT_TRUE(stack.push_chain(&nodes[0], &nodes[0]));
  EXPECT_FALSE(stack.push_chain(&nodes[1], &nodes[1]));
  stack.take_all();
  EXPECT_TRUE(stack.push_chain(&nodes[2], &nodes[2]));
}

TEST(IntrusiveStack, CutsWhatAChainsLastNodePointedTo) {
  IntrusiveStack<Node> stack;
  std::array<Node, 2> nodes;
  link<Node>({&nodes[0], &nodes[1]});
  stack.push_chain(&nodes[0], &nodes[0]);
  EXPECT_EQ(stack.take_all()->next, nullptr);
}

struct GuardedNode {
  det::Guarded<int> value;
  det::Guarded<GuardedNode*> next;
};

// Three producers, one consumer; value = producer * 100 + sequence.
class World {
 public:
  static constexpr int kProducers = 3;
  static constexpr int kPerProducer = 5;

  void produce(int producer, int length) {
    for (int sent = 0; sent < kPerProducer;) {
      const int n = std::min(length, kPerProducer - sent);
      GuardedNode* const first = &nodes_[producer][sent];
      for (int k = 0; k < n; ++k, ++sent) {
        nodes_[producer][sent].value = producer * 100 + sent;
        nodes_[producer][sent].next = &nodes_[producer][std::min(sent + 1, kPerProducer - 1)];
      }
      if (stack_.push_chain(first, first + n - 1)) ++wake_ups_;
    }
  }

  void consume() {
    while (taken_ < kProducers * kPerProducer) {
      GuardedNode* node = stack_.take_all();
      if (node == nullptr) {
        det::pause();
        continue;
      }
      ++batches_;
      for (; node != nullptr; node = node->next, ++taken_) {
        const int value = node->value;
        det::check(value % 100 == next_[value / 100]++, "each producer's nodes keep their order");
      }
    }
  }

  void conclude() {
    det::check(taken_ == kProducers * kPerProducer, "every node is taken once");
    det::check(wake_ups_ == batches_, "one push asks for a wake-up for each batch taken");
    det::check(stack_.take_all() == nullptr, "nothing is left");
  }

 private:
  IntrusiveStack<GuardedNode, det::DetAtomic> stack_;
  std::array<std::array<GuardedNode, kPerProducer>, kProducers> nodes_;
  std::array<int, kProducers> next_{};
  int wake_ups_ = 0;  // these by the holder of the baton
  int batches_ = 0;
  int taken_ = 0;
};

TEST(IntrusiveStackInterleavings, LoseNothingAndAskForEachWakeUpOnce) {
  const std::string failure = det::explore(4000, [](det::Trial& trial) {
    auto world = std::make_shared<World>();
    for (int i = 0; i < World::kProducers; ++i) {
      trial.thread([world, i] { world->produce(i, i + 1); });
    }
    trial.thread([world] { world->consume(); });
    trial.afterwards([world] { world->conclude(); });
  });
  EXPECT_EQ(failure, "");
}

TEST(IntrusiveStackStress, LosesNothingBetweenRealThreads) {
  constexpr int kPerProducer = 100'000 / det::kSeedDivisor;
  IntrusiveStack<Node> stack;
  std::vector<Node> nodes[2];
  std::vector<std::thread> producers;
  for (int p = 0; p < 2; ++p) {
    nodes[p].resize(kPerProducer);
    producers.emplace_back([&stack, &own = nodes[p], p] {
      for (int i = 0; i < kPerProducer; i += 2) {
        own[i].value = i * 2 + p;
        own[i + 1].value = (i + 1) * 2 + p;
        own[i].next = &own[i + 1];
        stack.push_chain(&own[i], &own[i + 1]);
      }
    });
  }
  int next[2] = {0, 0};
  while (next[0] + next[1] < 2 * kPerProducer) {
    for (Node* node = stack.take_all(); node != nullptr; node = node->next) {
      ASSERT_EQ(node->value / 2, next[node->value % 2]++);
    }
    std::this_thread::yield();
  }
  for (std::thread& producer : producers) producer.join();
}

}  // namespace
}  // namespace millrace
