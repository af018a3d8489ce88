// What only the benchmarks call. bench/trials/bench-addon.ts has the types.
#include <napi.h>

#include "bare_gpu.h"
#include "bare_runs.h"
#include "floor.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("createFloor", Napi::Function::New<&millrace::Floor::create>(env, "createFloor"));
  exports.Set("bareRuns", Napi::Function::New<&millrace::bare_runs>(env, "bareRuns"));
  exports.Set("gpuCopies", Napi::Function::New<&millrace::gpu_copies>(env, "gpuCopies"));
  exports.Set("gpuBatches", Napi::Function::New<&millrace::gpu_batches>(env, "gpuBatches"));
  return exports;
}

NODE_API_MODULE(millrace_bench, Init)
