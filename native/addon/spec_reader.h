// Reads the compiled pipeline (NativePipelineSpec in src/native/addon.ts) into a PipelineSpec. The
// TypeScript side made it, so what does not fit is a defect of ours and throws.
#pragma once

#include <napi.h>

#include "engine/pipeline_spec.h"

namespace millrace {

PipelineSpec read_pipeline_spec(const Napi::Object& object);

}  // namespace millrace
