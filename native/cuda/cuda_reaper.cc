#include "cuda/cuda_reaper.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>

namespace millrace {

Result<std::shared_ptr<CudaReaper>> CudaReaper::of_process() {
  static std::mutex mutex;
  static auto* const shared = new std::weak_ptr<CudaReaper>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<CudaReaper> reaper = shared->lock();
  if (reaper != nullptr) return reaper;
  // Starting a thread throws by contract; here it becomes a value.
  try {
    reaper.reset(new CudaReaper);
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kStageFailed,
                 std::string("no thread could be started to watch devices: ") + error.what()};
  }
  *shared = reaper;
  return reaper;
}

CudaReaper::CudaReaper() : thread_([this] { serve(); }) {}

CudaReaper::~CudaReaper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CudaReaper::watch(const CudaEvent& event, RunListener& listener) {
  {
    const std::lock_guard lock(mutex_);
    watched_.push_back({&event, &listener});
  }
  changed_.notify_one();
}

void CudaReaper::settle() {
  const std::lock_guard lock(mutex_);
}

void CudaReaper::serve() {
  const SteadyClock clock;
  Nanos last = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    if (watched_.empty()) {
      changed_.wait(lock, [this] { return stopping_ || !watched_.empty(); });
      if (watched_.empty()) return;
      last = clock.now();
    }
    if (reap()) {
      last = clock.now();
      continue;
    }
    lock.unlock();
    if (clock.now() - last < kEagerNs) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::nanoseconds(kPauseNs));
    }
    lock.lock();
  }
}

// Whether any has ended. With the mutex.
bool CudaReaper::reap() {
  const auto ended = [](const Watched& one) {
    const Result<bool> done = one.event->is_done();
    if (done.ok() && !done.value()) return false;
    one.listener->run_ended();
    return true;
  };
  return std::erase_if(watched_, ended) > 0;
}

}  // namespace millrace
