// What one Node environment (the main thread, or a worker) has of ours: the way back into its event
// loop, the jobs that run in the background for it, and the engines that live in it.
//
// wake() may be called from any thread, until the environment's cleanup hook has run; everything
// else belongs to the environment's own thread. However often wake() is called before the event
// loop gets to it, it comes back once.
//
// Cleanup (worker.terminate(), process.exit(), an uncaught error, natural end) runs before the
// environment is gone: engines are stopped, loads cancelled and every thread joined, so that
// nothing calls into an environment that no longer exists.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "model/load_cancellation.h"

namespace millrace {

// Something that wants to be asked, on its own thread, what is new.
class WakeListener {
 public:
  virtual ~WakeListener() = default;
  virtual void on_wake(Napi::Env env) = 0;

  // The environment ends: stop every thread of your own. May be called twice; calls no JavaScript.
  virtual void on_cleanup() = 0;
};

class EnvRuntime {
 public:
  // Made with the addon's instance in this environment.
  explicit EnvRuntime(Napi::Env env);
  ~EnvRuntime();

  EnvRuntime(const EnvRuntime&) = delete;
  EnvRuntime& operator=(const EnvRuntime&) = delete;

  static EnvRuntime& of(Napi::Env env);

  // Has cleanup done when the process says 'exit' as well: process.exit() and uncaught errors run
  // no cleanup hooks, but the static destructors of ONNX Runtime, under the feet of whatever still
  // runs.
  void watch_exit(Napi::Env env);

  // Any thread.
  void wake();

  // Looks at what is new without waiting to be woken, and asks not to be woken until the last of a
  // row of polls. Every row must have a last one.
  void poll(Napi::Env env, bool last);

  void add(WakeListener* listener) { listeners_.insert(listener); }
  void remove(WakeListener* listener) { listeners_.erase(listener); }

  // Runs `work` on a thread of its own, then `done` on this one; keeps the process alive meanwhile.
  // After cleanup began `done` is never called.
  void run_job(std::function<void()> work, std::function<void(Napi::Env)> done);

  // Keeps the process alive until as many release() have followed.
  void hold();
  void release();

  // Every load of a model here goes through this, so that cleanup need not wait for it.
  const std::shared_ptr<LoadCancellation>& loads() const { return loads_; }

  // Constructors of the classes of this instance, kept from being collected.
  Napi::FunctionReference model_constructor;
  Napi::FunctionReference engine_constructor;
  Napi::FunctionReference function_constructor;
  Napi::FunctionReference port_constructor;
  Napi::FunctionReference simulator_constructor;
  Napi::FunctionReference simulation_constructor;

 private:
  struct Job {
    std::function<void(Napi::Env)> done;
    std::atomic<bool> finished{false};  // released by the thread, acquired before it is joined
    std::thread thread;
  };

  static void on_wake(napi_env env, napi_value callback, void* context, void* data);
  static void on_paused(napi_env env, napi_value callback, void* context, void* data);
  void deliver(napi_env env);
  void drain(Napi::Env env);
  void cleanup();

  napi_env env_;
  const SteadyClock clock_;
  napi_threadsafe_function wake_function_;  // in the queue of one of the two at most: signalled_
  napi_threadsafe_function pause_function_;
  Nanos stretch_began_ = 0;
  std::atomic<bool> signalled_{false};  // a wake is on its way and has not been looked at
  std::size_t holds_ = 0;
  std::list<std::unique_ptr<Job>> jobs_;
  std::set<WakeListener*> listeners_;
  std::shared_ptr<LoadCancellation> loads_;
};

}  // namespace millrace
