// What blocks, and so runs as a job: changes of the staff, and the end of it.
#include <cmath>
#include <utility>
#include <vector>

#include "addon/native_engine.h"
#include "addon/native_error.h"
#include "addon/spec_reader.h"

namespace millrace {
namespace {

double number(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Number>().DoubleValue();
}

StageChange read_change(const Napi::Object& object) {
  StageChange change;
  change.stage = static_cast<std::size_t>(number(object, "stage"));
  const Napi::Value model = object.Get("model");
  if (model.IsObject()) change.model = read_model(model.As<Napi::Object>());
  change.replicas = static_cast<std::size_t>(number(object, "replicas"));
  change.max_batch = static_cast<std::size_t>(number(object, "maxBatch"));
  const double delay_ms = number(object, "maxDelayMs");
  change.threads = static_cast<std::uint32_t>(number(object, "threads"));
  change.max_delay = std::llround(delay_ms * static_cast<double>(kNanosPerMilli));
  return change;
}

Status guarded(const std::function<Status(Engine&)>& change, Engine& engine) {
  try {
    return change(engine);
  } catch (...) {
    return caught_error();
  }
}

}  // namespace

Napi::Value NativeEngine::run_change(Napi::Env env, std::function<Status(Engine&)> change) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  const auto status = std::make_shared<Status>();
  runtime_.run_job([engine = engine_, change = std::move(change),
                    status] { *status = guarded(change, *engine); },
                   [this, self = keep_alive(), deferred, status](Napi::Env js) {
                     tell_fallbacks(js);
                     if (status->ok()) {
                       deferred.Resolve(js.Undefined());
                     } else {
                       deferred.Reject(to_js_error(js, status->error()).Value());
                     }
                   });
  return deferred.Promise();
}

Napi::Value NativeEngine::scale(const Napi::CallbackInfo& info) {
  const auto stage = static_cast<std::size_t>(info[0].As<Napi::Number>().Uint32Value());
  const auto replicas = static_cast<std::size_t>(info[1].As<Napi::Number>().Uint32Value());
  return run_change(info.Env(),
                    [stage, replicas](Engine& engine) { return engine.scale(stage, replicas); });
}

Napi::Value NativeEngine::reconfigure(const Napi::CallbackInfo& info) {
  const auto list = info[0].As<Napi::Array>();
  std::vector<StageChange> changes;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    changes.push_back(read_change(Napi::Value(list.Get(i)).As<Napi::Object>()));
  }
  return run_change(info.Env(), [changes = std::move(changes)](Engine& engine) {
    return engine.reconfigure(changes);
  });
}

std::shared_ptr<Napi::ObjectReference> NativeEngine::keep_alive() {
  return std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value()));
}

Napi::Value NativeEngine::stop(const Napi::CallbackInfo& info) {
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  // At once: whatever still runs when an engine is stopped, nobody waits for.
  runtime_.run_job([engine = engine_] { engine->stop(true); },
                   [this, self = keep_alive(), deferred](Napi::Env js) {
                     engine_->abandon();
                     deliver(js, engine_->collect());
                     deferred.Resolve(js.Undefined());
                   });
  return deferred.Promise();
}

}  // namespace millrace
