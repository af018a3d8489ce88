// Reads the compiled pipeline (NativePipelineSpec in src/native/addon.ts) into a PipelineSpec. The
// TypeScript side made it, so what does not fit is a defect of ours and throws.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/pipeline_spec.h"

namespace millrace {

// A NativeModel, or a NativeFunction, which is one as well.
std::shared_ptr<Model> read_model(const Napi::Object& object);

PipelineSpec read_pipeline_spec(const Napi::Object& object);

}  // namespace millrace
