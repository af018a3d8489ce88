// What runs a model, as JavaScript says it: NativeProvider of src/native/addon.ts.
#pragma once

#include <napi.h>

#include <string>
#include <utility>
#include <vector>

#include "model/execution_provider.h"

namespace millrace {

ExecutionProvider read_provider(const Napi::Object& provider);

// The strings of a plain object, by key, in order.
std::vector<std::pair<std::string, std::string>> read_texts(const Napi::Object& object,
                                                            const char* key);

}  // namespace millrace
