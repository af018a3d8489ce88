// What handing over one 16-byte payload costs: our ring, a deque under a mutex, and
// moodycamel::ConcurrentQueue.
//
// Two producers, two consumers. Each round runs every queue once in each setting, one after the
// other, and the medians of the rounds are compared, so that a disturbance of the machine hits all
// of them alike. Settings:
//
//   headline     producers one at a time, consumers up to 32: how the engine uses it
//   single       one at a time on both sides
//   bulk         producers 32 at a time, consumers up to 32
//
// Peers at their best: moodycamel with producer and consumer tokens, its bulk calls where ours
// batches, and everything allocated beforehand; the mutex held once for a batch, in two variants:
// consumers that sleep on a condition variable, notified outside of the lock, and consumers that
// poll. All are unbounded, so their producers never wait; ours is bounded, as it must be. Whoever
// finds nothing to do, save the sleepers, spins a little and then yields.
//
// Prints one line of JSON: nanoseconds per transfer, headline first, and the ratios the targets
// speak of.
//   ring_bench [TRANSFERS [ROUNDS]]
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#if defined(MILLRACE_HAVE_MOODYCAMEL)
#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#else
#include <concurrentqueue/concurrentqueue.h>
#endif
#endif

#include "base/clock.h"
#include "base/cpu.h"
#include "queue/ring.h"

namespace millrace {
namespace {

constexpr int kProducers = 2;
constexpr int kConsumers = 2;
constexpr std::size_t kMaxBatch = 32;

struct Payload {
  std::uint64_t request;
  std::uint64_t row;
};

struct Setting {
  const char* name;
  std::size_t push;  // at a time
  std::size_t take;  // at most
};
constexpr Setting kSettings[] = {{"", 1, 32}, {"_single", 1, 1}, {"_bulk", 32, 32}};

// Every waiting thread, of whichever queue, waits like this.
class Backoff {
 public:
  void wait() {
    if (++turns_ <= kSpins) {
      cpu_relax();
    } else {
      std::this_thread::yield();
    }
  }
  void reset() { turns_ = 0; }

 private:
  static constexpr int kSpins = 16;
  int turns_ = 0;
};

class RingQueue {
 public:
  explicit RingQueue(std::size_t) {}

  class Producer {
   public:
    explicit Producer(RingQueue& queue) : ring_(queue.ring_) {}
    void push(const Payload* items, std::size_t n) {
      Backoff backoff;
      std::optional<std::uint64_t> position;
      while (!(position = ring_.try_reserve(n))) backoff.wait();
      for (std::size_t i = 0; i < n; ++i)
        ring_.publish(*position + i, SlotKey{1, kNever, 1}, items[i]);
    }

   private:
    Ring<Payload>& ring_;
  };

  class Consumer {
   public:
    explicit Consumer(RingQueue& queue) : ring_(queue.ring_) {}
    std::size_t take(Payload* items, std::size_t max) {
      const auto claim = ring_.claim(max);
      for (std::size_t i = 0; i < claim.count; ++i) items[i] = ring_.at(claim.position + i);
      ring_.release(claim.position, claim.count);
      return claim.count;
    }

   private:
    Ring<Payload>& ring_;
  };

  void finish() {}

 private:
  Ring<Payload> ring_{1024};
};

// The consumers sleep on a condition variable, or poll like those of the others do.
template <bool kSleeps>
class MutexQueue {
 public:
  explicit MutexQueue(std::size_t) {}

  class Producer {
   public:
    explicit Producer(MutexQueue& queue) : queue_(queue) {}
    void push(const Payload* items, std::size_t n) {
      {
        const std::lock_guard lock(queue_.mutex_);
        queue_.items_.insert(queue_.items_.end(), items, items + n);
      }
      if constexpr (kSleeps) queue_.filled_.notify_one();
    }

   private:
    MutexQueue& queue_;
  };

  class Consumer {
   public:
    explicit Consumer(MutexQueue& queue) : queue_(queue) {}
    std::size_t take(Payload* items, std::size_t max) {
      std::unique_lock lock(queue_.mutex_);
      if constexpr (kSleeps) {
        queue_.filled_.wait(lock, [&] { return queue_.finished_ || !queue_.items_.empty(); });
      }
      const std::size_t n = std::min(max, queue_.items_.size());
      const auto end = queue_.items_.begin() + static_cast<std::ptrdiff_t>(n);
      std::copy(queue_.items_.begin(), end, items);
      queue_.items_.erase(queue_.items_.begin(), end);
      return n;
    }

   private:
    MutexQueue& queue_;
  };

  // Wakes consumers that sleep after the last item.
  void finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    filled_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Payload> items_;
  bool finished_ = false;
};

#if defined(MILLRACE_HAVE_MOODYCAMEL)
class MoodycamelQueue {
 public:
  explicit MoodycamelQueue(std::size_t transfers) : queue_(transfers, kProducers, 0) {}

  class Producer {
   public:
    explicit Producer(MoodycamelQueue& queue) : queue_(queue.queue_), token_(queue.queue_) {}
    void push(const Payload* items, std::size_t n) {
      if (n == 1) {
        queue_.enqueue(token_, *items);
      } else {
        queue_.enqueue_bulk(token_, items, n);
      }
    }

   private:
    moodycamel::ConcurrentQueue<Payload>& queue_;
    moodycamel::ProducerToken token_;
  };

  class Consumer {
   public:
    explicit Consumer(MoodycamelQueue& queue) : queue_(queue.queue_), token_(queue.queue_) {}
    std::size_t take(Payload* items, std::size_t max) {
      if (max == 1) return queue_.try_dequeue(token_, *items) ? 1 : 0;
      return queue_.try_dequeue_bulk(token_, items, max);
    }

   private:
    moodycamel::ConcurrentQueue<Payload>& queue_;
    moodycamel::ConsumerToken token_;
  };

  void finish() {}

 private:
  moodycamel::ConcurrentQueue<Payload> queue_;
};
#endif

template <class Queue>
void produce(Queue& queue, std::size_t transfers, std::size_t push) {
  typename Queue::Producer producer(queue);
  Payload items[kMaxBatch];
  for (std::size_t sent = 0; sent < transfers; sent += push) {
    for (std::size_t i = 0; i < push; ++i) items[i] = {sent, i};
    producer.push(items, push);
  }
}

template <class Queue>
void consume(Queue& queue, std::size_t transfers, std::size_t max,
             std::atomic<std::size_t>& taken) {
  typename Queue::Consumer consumer(queue);
  Payload items[kMaxBatch];
  Backoff backoff;
  while (taken.load(std::memory_order_relaxed) < transfers) {
    const std::size_t n = consumer.take(items, max);
    if (n == 0) {
      backoff.wait();
      continue;
    }
    backoff.reset();
    if (taken.fetch_add(n, std::memory_order_relaxed) + n == transfers) queue.finish();
  }
}

template <class Queue>
double ns_per_transfer(const Setting& setting, std::size_t transfers) {
  Queue queue(transfers);
  std::atomic<bool> go{false};
  std::atomic<std::size_t> taken{0};
  std::vector<std::thread> threads;
  const auto start = [&](auto work) {
    threads.emplace_back([&go, work] {
      while (!go.load(std::memory_order_acquire)) std::this_thread::yield();
      work();
    });
  };
  for (int i = 0; i < kProducers; ++i) {
    start([&] { produce(queue, transfers / kProducers, setting.push); });
  }
  for (int i = 0; i < kConsumers; ++i) {
    start([&] { consume(queue, transfers, setting.take, taken); });
  }
  const Nanos begin = SteadyClock().now();
  go.store(true, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(SteadyClock().now() - begin) / static_cast<double>(transfers);
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

struct Contender {
  const char* name;
  std::function<double(const Setting&, std::size_t)> measure;
};

int main_with(std::size_t transfers, int rounds) {
  std::vector<Contender> contenders = {{"ring", ns_per_transfer<RingQueue>},
                                       {"mutex", ns_per_transfer<MutexQueue<true>>},
                                       {"mutex_polling", ns_per_transfer<MutexQueue<false>>}};
#if defined(MILLRACE_HAVE_MOODYCAMEL)
  contenders.push_back({"moodycamel", ns_per_transfer<MoodycamelQueue>});
#endif
  constexpr std::size_t kCount = std::size(kSettings);
  std::vector<std::vector<double>> samples(contenders.size() * kCount);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t s = 0; s < kCount; ++s) {
      for (std::size_t c = 0; c < contenders.size(); ++c) {
        samples[c * kCount + s].push_back(contenders[c].measure(kSettings[s], transfers));
      }
    }
  }
  std::string json = "{";
  for (std::size_t s = 0; s < kCount; ++s) {
    double ns[4] = {0, 0, 0, 0};
    for (std::size_t c = 0; c < contenders.size(); ++c) ns[c] = median(samples[c * kCount + s]);
    const auto add = [&](const char* name, double value, const char* format) {
      char text[32] = "null";
      if (value > 0) std::snprintf(text, sizeof text, format, value);
      json += std::string("\"") + name + kSettings[s].name + "\":" + text + ",";
    };
    add("ring", ns[0], "%.1f");
    add("mutex", ns[1], "%.1f");
    add("mutexPolling", ns[2], "%.1f");
    add("moodycamel", ns[3], "%.1f");
    add("timesMutex", ns[1] / ns[0], "%.2f");
    add("timesMoodycamel", ns[3] / ns[0], "%.2f");
  }
  std::printf("%s\"unit\":\"ns\",\"transfers\":%zu,\"rounds\":%d,\"cores\":%u}\n", json.c_str(),
              transfers, rounds, std::thread::hardware_concurrency());
  return 0;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  const std::size_t transfers = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 400'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  constexpr std::size_t kGrain = millrace::kProducers * millrace::kMaxBatch;
  return millrace::main_with(std::max(transfers / kGrain, std::size_t{1}) * kGrain,
                             std::max(rounds, 1));
}
