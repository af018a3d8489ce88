// EngineStats as the object that src/native/addon.ts declares (NativeStats): times in milliseconds.
#pragma once

#include <napi.h>

#include "engine/stats.h"

namespace millrace {

Napi::Object write_stats(Napi::Env env, const EngineStats& stats);

}  // namespace millrace
