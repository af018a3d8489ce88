#include "base/data_type.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace millrace {
namespace {

struct TypeRow {
  std::size_t size;
  std::string_view name;
};

// Indexed by DataType.
constexpr std::array<TypeRow, 14> kTypes{{{0, "unsupported"},
                                          {4, "float32"},
                                          {1, "uint8"},
                                          {1, "int8"},
                                          {2, "uint16"},
                                          {2, "int16"},
                                          {4, "int32"},
                                          {8, "int64"},
                                          {0, "string"},
                                          {1, "bool"},
                                          {2, "float16"},
                                          {8, "float64"},
                                          {4, "uint32"},
                                          {8, "uint64"}}};

const TypeRow& row_of(DataType type) {
  const auto index = static_cast<std::size_t>(type);
  return kTypes[index < kTypes.size() ? index : 0];
}

template <class T>
double load(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return static_cast<double>(value);
}

// IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
double load_float16(const std::byte* data) {
  std::uint16_t bits;
  std::memcpy(&bits, data, sizeof bits);
  const int exponent = (bits >> 10) & 0x1f;
  const int fraction = bits & 0x3ff;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  return sign * std::ldexp(fraction + 1024, exponent - 25);
}

}  // namespace

std::size_t element_size(DataType type) {
  return row_of(type).size;
}

std::string_view type_name(DataType type) {
  return row_of(type).name;
}

double scalar_as_double(DataType type, const std::byte* data) {
  switch (type) {
    case DataType::kFloat32:
      return load<float>(data);
    case DataType::kFloat64:
      return load<double>(data);
    case DataType::kFloat16:
      return load_float16(data);
    case DataType::kBool:
    case DataType::kUint8:
      return load<std::uint8_t>(data);
    case DataType::kInt8:
      return load<std::int8_t>(data);
    case DataType::kUint16:
      return load<std::uint16_t>(data);
    case DataType::kInt16:
      return load<std::int16_t>(data);
    case DataType::kInt32:
      return load<std::int32_t>(data);
    case DataType::kUint32:
      return load<std::uint32_t>(data);
    case DataType::kInt64:
      return load<std::int64_t>(data);
    case DataType::kUint64:
      return load<std::uint64_t>(data);
    case DataType::kString:
    case DataType::kUndefined:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace millrace
