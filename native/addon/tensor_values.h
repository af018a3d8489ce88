// What a function or a kernel takes and gives, as JavaScript declares it: NativeTensor of
// src/native/addon.ts.
#pragma once

#include <napi.h>

#include <utility>
#include <vector>

#include "addon/value_reader.h"
#include "model/model.h"

namespace millrace {

inline std::vector<TensorSpec> read_tensors(const Napi::Object& object, const char* key) {
  std::vector<TensorSpec> specs;
  each(object, key, [&](const Napi::Value& value) {
    const auto one = value.As<Napi::Object>();
    TensorSpec spec;
    spec.name = text(one, "name");
    spec.type = read_type(text(one, "type"));
    each(one, "dims",
         [&](const Napi::Value& dim) { spec.dims.push_back(dim.As<Napi::Number>().Int64Value()); });
    specs.push_back(std::move(spec));
  });
  return specs;
}

}  // namespace millrace
