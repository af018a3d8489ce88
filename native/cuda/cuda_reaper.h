// The one thread that learns when work on devices is done: it asks after the events it was given
// and tells whoever waits, so that no replica blocks in the driver, and none waits behind the batch
// of another.
//
// It sleeps while there is nothing to ask after. Otherwise it asks again and again: at once for
// kEagerNs after the last answer, since most batches are short, then every kPauseNs.
//
// watch() and settle(): any thread. Not promised: that endings are told in the order in which they
// happened.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "cuda/cuda_stream.h"
#include "model/model.h"

namespace millrace {

class CudaReaper {
 public:
  static constexpr Nanos kEagerNs = 50'000;
  static constexpr Nanos kPauseNs = 20'000;

  // The one of the process, made when it is first asked for; its thread ends with the last who
  // holds it. Fails where the system has no thread left.
  static Result<std::shared_ptr<CudaReaper>> of_process();

  ~CudaReaper();
  CudaReaper(const CudaReaper&) = delete;
  CudaReaper& operator=(const CudaReaper&) = delete;

  // Has the listener told, once, when all before the event has happened or the device says that it
  // never will. Event and listener stay until settle() has returned after that.
  void watch(const CudaEvent& event, RunListener& listener);

  // Returns when no listener is being told: those that were told may go.
  void settle();

 private:
  struct Watched {
    const CudaEvent* event;
    RunListener* listener;
  };

  CudaReaper();
  void serve();
  bool reap();

  std::mutex mutex_;  // held while listeners are told
  std::condition_variable changed_;
  std::vector<Watched> watched_;  // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::thread thread_;
};

}  // namespace millrace
