// What runs a model, as JavaScript says it: NativeProvider of src/native/addon.ts.
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "model/execution_provider.h"

namespace millrace {

ExecutionProvider read_provider(const Napi::Object& provider);

// How much of a device the process may take: its `memoryBytes`, Infinity for no limit.
std::size_t read_memory_limit(const Napi::Object& object);

// The strings of a plain object, by key, in order.
std::vector<std::pair<std::string, std::string>> read_texts(const Napi::Object& object,
                                                            const char* key);

}  // namespace millrace
