// Reads the plain objects that the TypeScript side hands over. It made them, so what does not fit
// is a defect of ours and throws.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/data_type.h"

namespace millrace {

template <class Read>
void each(const Napi::Object& object, const char* key, Read&& read) {
  const auto list = object.Get(key).As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) read(Napi::Value(list.Get(i)));
}

inline double number(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Number>().DoubleValue();
}

inline std::string text(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::String>().Utf8Value();
}

inline bool flag(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Boolean>().Value();
}

// The nearest nanosecond; exact up to a hundred days. Infinity is for ever.
inline Nanos to_nanos(double ms) {
  if (!(ms < 1e12)) return kNever;
  return static_cast<Nanos>(std::llround(ms * static_cast<double>(kNanosPerMilli)));
}

inline Nanos read_ms(const Napi::Object& object, const char* key) {
  return to_nanos(number(object, key));
}

inline DataType read_type(const std::string& name) {
  for (int i = 1; i <= static_cast<int>(DataType::kUint64); ++i) {
    if (type_name(static_cast<DataType>(i)) == name) return static_cast<DataType>(i);
  }
  return DataType::kUndefined;
}

}  // namespace millrace
