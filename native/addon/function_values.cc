#include "addon/function_values.h"

#include <array>
#include <cstring>
#include <optional>
#include <span>

namespace millrace {
namespace {

// Inputs up to this size share a buffer: making one costs more than copying them.
constexpr std::size_t kSharedBytes = 64 * 1024;

std::size_t elements_of(std::span<const std::int64_t> dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
  return count;
}

constexpr std::size_t align8(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

napi_typedarray_type array_type(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return napi_float32_array;
    case DataType::kFloat64:
      return napi_float64_array;
    case DataType::kInt8:
      return napi_int8_array;
    case DataType::kInt16:
      return napi_int16_array;
    case DataType::kUint16:
    case DataType::kFloat16:
      return napi_uint16_array;
    case DataType::kInt32:
      return napi_int32_array;
    case DataType::kUint32:
      return napi_uint32_array;
    case DataType::kInt64:
      return napi_bigint64_array;
    case DataType::kUint64:
      return napi_biguint64_array;
    default:
      return napi_uint8_array;
  }
}

// The tensors that make up one input: one of all rows, or one for each row.
std::span<const TensorView> views_of(const RunBatch& batch, std::size_t input) {
  if (input < batch.ragged.size() && !batch.ragged[input].empty()) return batch.ragged[input];
  return batch.inputs.subspan(input, 1);
}

bool is_ragged(const RunBatch& batch, std::size_t input) {
  return input < batch.ragged.size() && !batch.ragged[input].empty();
}

std::size_t count_elements(std::span<const TensorView> views) {
  std::size_t elements = 0;
  for (const TensorView& view : views) elements += elements_of(view.dims);
  return elements;
}

// Hands out pieces of one buffer to small inputs, and a buffer of their own to large ones.
class Buffers {
 public:
  Buffers(Napi::Env env, std::size_t shared_bytes) : env_(env) {
    if (shared_bytes > 0) shared_ = Napi::ArrayBuffer::New(env, shared_bytes);
  }

  Napi::Value array(DataType type, std::span<const TensorView> views) {
    const std::size_t elements = count_elements(views);
    const std::size_t bytes = elements * element_size(type);
    std::size_t offset = 0;
    Napi::ArrayBuffer buffer;
    if (bytes > 0 && bytes <= kSharedBytes) {
      buffer = shared_;
      offset = used_;
      used_ += align8(bytes);
    } else {
      buffer = Napi::ArrayBuffer::New(env_, bytes);
    }
    auto* to = static_cast<std::byte*>(buffer.Data()) + offset;
    for (const TensorView& view : views) {
      const std::size_t size = elements_of(view.dims) * element_size(type);
      if (size > 0) std::memcpy(to, view.data, size);
      to += size;
    }
    napi_value array = nullptr;
    if (napi_create_typedarray(env_, array_type(type), elements, buffer, offset, &array) !=
        napi_ok) {
      throw Napi::Error::New(env_);
    }
    return {env_, array};
  }

 private:
  Napi::Env env_;
  Napi::ArrayBuffer shared_;
  std::size_t used_ = 0;
};

Napi::Value strings_to_js(Napi::Env env, std::span<const TensorView> views) {
  Napi::Array list = Napi::Array::New(env, count_elements(views));
  std::uint32_t at = 0;
  for (const TensorView& view : views) {
    const std::size_t count = elements_of(view.dims);
    for (std::size_t i = 0; i < count; ++i) {
      list.Set(at++, Napi::String::New(env, view.strings[i]));
    }
  }
  return list;
}

Napi::Array dims_to_js(Napi::Env env, const std::vector<std::int64_t>& dims) {
  Napi::Array list = Napi::Array::New(env, dims.size());
  for (std::uint32_t i = 0; i < dims.size(); ++i) {
    list.Set(i, Napi::Number::New(env, static_cast<double>(dims[i])));
  }
  return list;
}

bool has_open_row(const TensorSpec& spec) {
  for (std::size_t i = 1; i < spec.dims.size(); ++i) {
    if (spec.dims[i] < 0) return true;
  }
  return false;
}

Napi::Value input_dims(Napi::Env env, const RunBatch& batch, std::size_t input,
                       const TensorSpec& spec) {
  if (!is_ragged(batch, input)) {
    if (!has_open_row(spec)) return env.Undefined();
    return dims_to_js(env, batch.inputs[input].dims);
  }
  Napi::Array list = Napi::Array::New(env, batch.rows);
  std::uint32_t row = 0;
  for (const TensorView& view : batch.ragged[input]) list.Set(row++, dims_to_js(env, view.dims));
  return list;
}

std::size_t shared_bytes(const RunBatch& batch, const std::vector<TensorSpec>& specs) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::size_t bytes = count_elements(views_of(batch, i)) * element_size(specs[i].type);
    if (bytes <= kSharedBytes) total += align8(bytes);
  }
  return total;
}

// Appends as many elements as `wanted`; false where there are more or fewer.
bool append(const Napi::Value& value, DataType type, std::size_t wanted, FunctionOutput& output) {
  if (type == DataType::kString) {
    if (!value.IsArray()) return false;
    const auto list = value.As<Napi::Array>();
    if (list.Length() != wanted) return false;
    for (std::uint32_t i = 0; i < wanted; ++i) {
      output.strings.push_back(Napi::Value(list.Get(i)).As<Napi::String>().Utf8Value());
    }
    return true;
  }
  napi_typedarray_type found{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &found, &length, &data, nullptr, nullptr) !=
          napi_ok ||
      found != array_type(type) || length != wanted) {
    return false;
  }
  const auto* first = static_cast<const std::byte*>(data);
  output.bytes.insert(output.bytes.end(), first, first + length * element_size(type));
  return true;
}

std::optional<std::vector<std::int64_t>> read_dims(const Napi::Array& list) {
  std::vector<std::int64_t> dims;
  std::size_t elements = 1;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const double dim = Napi::Value(list.Get(i)).As<Napi::Number>().DoubleValue();
    if (!(dim >= 0 && dim < 2147483648.0)) return std::nullopt;
    dims.push_back(static_cast<std::int64_t>(dim));
    const auto size = static_cast<std::size_t>(dim);
    if (size > 0 && elements > (std::size_t{1} << 48) / size) return std::nullopt;
    elements *= size;
  }
  return dims;
}

bool read_ragged(const Napi::Array& data, const Napi::Array& dims, DataType type,
                 FunctionOutput& output) {
  output.ragged = true;
  for (std::uint32_t row = 0; row < dims.Length(); ++row) {
    const Napi::Value one = dims.Get(row);
    output.dims.emplace_back();
    if (!one.IsArray()) continue;  // it failed
    auto read = read_dims(one.As<Napi::Array>());
    if (!read || !append(data.Get(row), type, elements_of(*read), output)) return false;
    output.dims.back() = std::move(*read);
  }
  return true;
}

bool read_output(const Napi::Value& data, const Napi::Value& dims, std::size_t rows,
                 const TensorSpec& spec, FunctionOutput& output) {
  output.bytes.clear();
  output.strings.clear();
  output.dims.clear();
  output.ragged = false;
  if (!dims.IsArray()) {
    output.dims.push_back(spec.dims);
    output.dims[0][0] = static_cast<std::int64_t>(rows);
  } else if (Napi::Value(dims.As<Napi::Array>().Get(0U)).IsNumber()) {
    auto read = read_dims(dims.As<Napi::Array>());
    if (!read) return false;
    output.dims.push_back(std::move(*read));
  } else {
    return data.IsArray() && dims.As<Napi::Array>().Length() == rows &&
           read_ragged(data.As<Napi::Array>(), dims.As<Napi::Array>(), spec.type, output);
  }
  return append(data, spec.type, elements_of(output.dims[0]), output);
}

}  // namespace

Napi::Array values_to_js(Napi::Env env, const RunBatch& batch,
                         const std::vector<TensorSpec>& specs) {
  Buffers buffers(env, shared_bytes(batch, specs));
  Napi::Array values = Napi::Array::New(env, 2 * specs.size());
  for (std::uint32_t i = 0; i < specs.size(); ++i) {
    const auto views = views_of(batch, i);
    values.Set(2 * i, specs[i].type == DataType::kString ? strings_to_js(env, views)
                                                         : buffers.array(specs[i].type, views));
    values.Set(2 * i + 1, input_dims(env, batch, i, specs[i]));
  }
  return values;
}

bool read_outputs(const Napi::Array& list, std::size_t rows, const std::vector<TensorSpec>& specs,
                  std::vector<FunctionOutput>& outputs) {
  if (list.Length() != 2 * specs.size()) return false;
  outputs.resize(specs.size());
  for (std::uint32_t i = 0; i < specs.size(); ++i) {
    if (!read_output(list.Get(2 * i), list.Get(2 * i + 1), rows, specs[i], outputs[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace millrace
