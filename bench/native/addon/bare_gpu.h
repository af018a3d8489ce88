// A CUDA device at its best and nothing around it: one thread that copies, or launches, over and
// over.
#pragma once

#include <napi.h>

namespace millrace {

// gpuCopies({driver: string, bytes: number, rounds: number, pinned: boolean}): Promise<number>
//
// Copies so many bytes to the device and back, one after the other, from and to memory that is
// pinned or not; fulfils with the milliseconds of a round, on average. Rejects with the driver's
// reason.
Napi::Value gpu_copies(const Napi::CallbackInfo& info);

// gpuBatches({driver, compiler, source, kernel: string, width, rows, batches, flights: number}):
//   Promise<number>
//
// Runs batches of rows of `width` floats in and out through a kernel that is launched as cuda()
// launches it, with a block of 256 threads a row, keeping one or two in flight; fulfils with rows a
// second. Compiles first, and warms up.
Napi::Value gpu_batches(const Napi::CallbackInfo& info);

}  // namespace millrace
