// What JavaScript cancels loads with: an opaque value that stands for a LoadCancellation.
#pragma once

#include <napi.h>

#include <memory>

#include "model/load_cancellation.h"

namespace millrace {

// openLoads(above: NativeLoads | undefined): NativeLoads. Below the environment's where it is not
// given another, so that cleanup cancels it.
Napi::Value open_loads(const Napi::CallbackInfo& info);

// cancelLoads(loads: NativeLoads): void
Napi::Value cancel_loads(const Napi::CallbackInfo& info);

// The environment's where the value is undefined.
std::shared_ptr<LoadCancellation> loads_of(Napi::Env env, const Napi::Value& value);

}  // namespace millrace
