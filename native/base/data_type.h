// Element types of tensors: those onnxruntime-node accepts. The numbers are ONNX's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace {

enum class DataType : std::uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
};

// Bytes of one element; 0 for strings and for what we do not support.
std::size_t element_size(DataType type);

// The name used in TypeScript and in onnxruntime-common, such as "float32"; "unsupported"
// otherwise.
std::string_view type_name(DataType type);

// The element at `data` as a double (integers beyond 2^53 are rounded); NaN for strings.
double scalar_as_double(DataType type, const std::byte* data);

}  // namespace millrace
