#include "addon/env_runtime.h"

#include <string>
#include <system_error>
#include <utility>

namespace millrace {

namespace {

// How long deliveries may follow each other before the event loop gets a turn.
constexpr Nanos kLongestStretch = 2 * kNanosPerMilli;

napi_threadsafe_function make_wake_function(Napi::Env env, EnvRuntime* runtime,
                                            napi_threadsafe_function_call_js call) {
  const Napi::String name = Napi::String::New(env, "millrace");
  napi_threadsafe_function function = nullptr;
  // No queue limit is needed: there is at most one call in it.
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, runtime,
                                      call, &function) != napi_ok) {
    throw Napi::Error::New(env, "could not attach to the event loop");
  }
  napi_unref_threadsafe_function(env, function);
  return function;
}

}  // namespace

EnvRuntime::EnvRuntime(Napi::Env env)
    : env_(env),
      wake_function_(make_wake_function(env, this, &EnvRuntime::on_wake)),
      pause_function_(make_wake_function(env, this, &EnvRuntime::on_paused)),
      loads_(std::make_shared<LoadCancellation>()) {
  // Hooks run in reverse: ours before the one that takes the threadsafe function down.
  env.AddCleanupHook([this] { cleanup(); });
}

// Runs after the cleanup hooks; no thread is left.
EnvRuntime::~EnvRuntime() = default;

EnvRuntime& EnvRuntime::of(Napi::Env env) {
  return *env.GetInstanceData<EnvRuntime>();
}

void EnvRuntime::watch_exit(Napi::Env env) {
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return;
  const Napi::Value once = process.As<Napi::Object>().Get("once");
  if (!once.IsFunction()) return;
  const auto on_exit = [this](const Napi::CallbackInfo&) { cleanup(); };
  once.As<Napi::Function>().Call(
      process, {Napi::String::New(env, "exit"), Napi::Function::New(env, on_exit, "millrace")});
}

void EnvRuntime::wake() {
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  napi_call_threadsafe_function(wake_function_, nullptr, napi_tsfn_nonblocking);
}

// A wake that seems to be on its way already keeps the others away.
void EnvRuntime::poll(Napi::Env env, bool last) {
  signalled_.exchange(!last, std::memory_order_acq_rel);
  drain(env);
}

// Node calls a threadsafe function again and again while there is something new for it. Where every
// answer is followed by the next request there always is, and nothing else would get a turn.
// Calling the other function ends that: what it leads to is asked for in another round of the event
// loop.
void EnvRuntime::on_wake(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is being taken down
  auto* runtime = static_cast<EnvRuntime*>(context);
  if (runtime->clock_.now() - runtime->stretch_began_ < kLongestStretch) {
    runtime->deliver(env);
  } else {
    napi_call_threadsafe_function(runtime->pause_function_, nullptr, napi_tsfn_nonblocking);
  }
}

void EnvRuntime::on_paused(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  auto* runtime = static_cast<EnvRuntime*>(context);
  runtime->stretch_began_ = runtime->clock_.now();
  runtime->deliver(env);
}

void EnvRuntime::deliver(napi_env env) {
  // Before looking: what is announced after this line gets a wake of its own.
  signalled_.exchange(false, std::memory_order_acq_rel);
  drain(Napi::Env(env));
}

namespace {

// Nobody above would catch it, and what comes after must not miss its turn.
template <class Call>
void call_guarded(napi_env env, Call&& call) {
  try {
    call();
  } catch (const Napi::Error& error) {
    napi_fatal_exception(env, error.Value());
  }
}

}  // namespace

void EnvRuntime::drain(Napi::Env env) {
  const Napi::HandleScope scope(env);
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    if (!(*at)->finished.load(std::memory_order_acquire)) {
      ++at;
      continue;
    }
    (*at)->thread.join();
    const std::unique_ptr<Job> job = std::move(*at);
    at = jobs_.erase(at);
    release();
    call_guarded(env, [&] { job->done(env); });
  }
  // A listener may be removed, or added, by what another one calls back into.
  const std::vector<WakeListener*> listeners(listeners_.begin(), listeners_.end());
  for (WakeListener* listener : listeners) {
    if (listeners_.contains(listener)) call_guarded(env, [&] { listener->on_wake(env); });
  }
}

void EnvRuntime::run_job(std::function<void()> work, std::function<void(Napi::Env)> done) {
  jobs_.push_back(std::make_unique<Job>());
  Job& job = *jobs_.back();
  job.done = std::move(done);
  try {
    job.thread = std::thread([this, &job, work = std::move(work)] {
      work();
      job.finished.store(true, std::memory_order_release);
      wake();
    });
  } catch (const std::system_error& error) {
    jobs_.pop_back();
    throw Napi::Error::New(env_, std::string("the system starts no more threads: ") + error.what());
  }
  hold();
}

void EnvRuntime::hold() {
  if (holds_++ == 0) napi_ref_threadsafe_function(env_, wake_function_);
}

void EnvRuntime::release() {
  if (--holds_ == 0) napi_unref_threadsafe_function(env_, wake_function_);
}

void EnvRuntime::cleanup() {
  loads_->cancel();
  for (WakeListener* listener : listeners_) listener->on_cleanup();
  for (const auto& job : jobs_) job->thread.join();
  jobs_.clear();
}

}  // namespace millrace
