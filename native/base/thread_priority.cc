#include "base/thread_priority.h"

#include <system_error>
#include <thread>

#if defined(__linux__)
#include <sys/resource.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#endif

namespace millrace {

void lower_thread_priority() {
#if defined(__linux__)
  // Niceness is each thread's own on Linux; about a third of the share of a usual one, so that even
  // on a machine that is always busy the work gets done.
  constexpr int kNiceness = 5;
  setpriority(PRIO_PROCESS, 0, kNiceness);
#elif defined(__APPLE__)
  pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

void run_at_low_priority(const std::function<void()>& work) {
  // Starting a thread is the one thing here that throws by contract.
  try {
    std::thread([&work] {
      lower_thread_priority();
      work();
    }).join();
  } catch (const std::system_error&) {
    work();
  }
}

}  // namespace millrace
