// ONNX Runtime at its best and nothing around it: bare threads that run one session with the same
// batch over and over, into outputs made beforehand.
#pragma once

#include <napi.h>

namespace millrace {

// bareRuns({libraryPath, libraryVersion, modelPath: string, threads: number, durationMs: number,
//           inputs: {data: TypedArray, dims: number[]}[]}): Promise<Float64Array>
//
// Loads the model, lets each thread run it twice to warm up and then for `durationMs`; fulfils with
// the moments at which runs ended, of all threads, ascending, in milliseconds since the first
// thread was started. `inputs` are in the model's order and are copied before this returns. Rejects
// when the model cannot be loaded or run. Off the event loop: it takes one thread of libuv's pool
// besides its own.
Napi::Value bare_runs(const Napi::CallbackInfo& info);

}  // namespace millrace
