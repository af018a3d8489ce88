// Batches on their way to a function, and outputs on their way back. Both are copied: a function
// may keep what it was given and change what it gave, and an engine may end while it runs.
#pragma once

#include <napi.h>

#include <cstddef>
#include <vector>

#include "model/function_exchange.h"
#include "model/model.h"

namespace millrace {

// For each input its elements (a typed array, or an array of strings), all rows back to back, and
// its dims: undefined where they follow from the declaration and the number of rows, an array of
// numbers for a tensor of all rows, or an array of such, of each row alone. Small inputs share one
// ArrayBuffer. Throws where there is no memory.
Napi::Array values_to_js(Napi::Env env, const RunBatch& batch,
                         const std::vector<TensorSpec>& specs);

// The same for outputs, except that what has dims for each row has an array of elements for each
// row too, undefined for one that failed. False where elements and dims do not agree.
bool read_outputs(const Napi::Array& list, std::size_t rows, const std::vector<TensorSpec>& specs,
                  std::vector<FunctionOutput>& outputs);

}  // namespace millrace
