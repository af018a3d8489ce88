// CUDA kernels as models: compiled and loaded off the event loop.
#pragma once

#include <napi.h>

namespace millrace {

// loadKernel(options: LoadKernelOptions): Promise<NativeModel>. Rejects with an Error whose `code`
// is a MillraceErrorCode.
Napi::Value load_kernel(const Napi::CallbackInfo& info);

// kernelCompiler(file: string): Promise<string | undefined>: why there is no compiler of kernels;
// undefined where there is one.
Napi::Value kernel_compiler(const Napi::CallbackInfo& info);

// withFallback(model: NativeModel, fallback: NativeFunction): NativeModel
Napi::Value with_fallback(const Napi::CallbackInfo& info);

}  // namespace millrace
