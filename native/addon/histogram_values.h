// Bounds of histograms as JavaScript gives them, and what is counted up to them as the object that
// src/native/addon.ts declares (NativeHistograms): times in milliseconds.
#pragma once

#include <napi.h>

#include "engine/pipeline_spec.h"
#include "engine/stats.h"

namespace millrace {

HistogramBounds read_bounds(const Napi::Object& object);

Napi::Object write_histograms(Napi::Env env, const EngineHistograms& histograms,
                              const PipelineSpec& spec);

}  // namespace millrace
