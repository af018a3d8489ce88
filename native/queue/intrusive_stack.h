// Hands nodes from many producers to one consumer, who takes everything at once, in order. Used for
// completions: whoever finds the stack empty wakes the event loop, and one wake-up settles
// everything pushed until the loop gets to it.
//
// Promises
//   - Any thread may push; the nodes belong to the stack until take_all() returns them. No
//   allocation, no waiting.
//   - push_chain() returns true exactly when the stack was empty, that is, once for each take_all()
//   that yields nodes.
//   - What was written to a node before its push is visible to whoever takes it.
// Not promised
//   - take_all() costs time in proportion to what it takes. Only one thread at a time may call it.
//
// Layout: pushes go in front, so inside the stack everything is newest first. A chain is turned
// round by its producer and the whole by the consumer, which puts both the chains and their nodes
// back in the order they were pushed:
//
//   push a1->a2, push b1->b2:   top_ -> b2 -> b1 -> a2 -> a1 -> null      take_all():   a1 -> a2 ->
//   b1 -> b2 -> null
//
// Memory orders: the push's CAS (release) pairs with the take's exchange (acquire). Pushes in
// between are read-modify-writes and so continue the release sequences of those before: one
// exchange acquires all of them.
#pragma once

#include <atomic>
#include <utility>

namespace millrace {

template <class Node, template <class> class Atomic = std::atomic>
class IntrusiveStack {
 public:
  IntrusiveStack() = default;
  IntrusiveStack(const IntrusiveStack&) = delete;
  IntrusiveStack& operator=(const IntrusiveStack&) = delete;

  // Pushes first->...->last, linked through Node::next in the order they shall be taken. True if
  // the stack was empty: the caller must wake the consumer.
  bool push_chain(Node* first, Node* last) {
    last->next = nullptr;
    reverse(first);
    Node* top = top_.load(std::memory_order_relaxed);
    do {
      first->next = top;
    } while (!top_.compare_exchange_weak(top, last, std::memory_order_release,
                                         std::memory_order_relaxed));
    return top == nullptr;
  }

  // Everything pushed, oldest first, linked through Node::next and ended by null; null when empty.
  Node* take_all() { return reverse(top_.exchange(nullptr, std::memory_order_acquire)); }

 private:
  static Node* reverse(Node* node) {
    Node* reversed = nullptr;
    while (node != nullptr) {
      Node* const following = std::exchange(node->next, reversed);
      reversed = node;
      node = following;
    }
    return reversed;
  }

  Atomic<Node*> top_{nullptr};
};

}  // namespace millrace
