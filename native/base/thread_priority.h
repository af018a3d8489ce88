// Keeps work that nobody waits for, such as warming a model up, out of the way of work that
// somebody does.
#pragma once

#include <functional>

namespace millrace {

// For good: a thread may lower its own priority, and not raise it again. Threads it starts inherit
// it. Does nothing where the system has no such thing for threads.
void lower_thread_priority();

// Runs `work` on a thread of low priority and waits for it; on this thread where no other can be
// started. `work` does not throw.
void run_at_low_priority(const std::function<void()>& work);

}  // namespace millrace
