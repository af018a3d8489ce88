#include "model/tensor_specs.h"

#include <optional>

#include "model/ort_call.h"
#include "model/ort_library.h"

namespace millrace {
namespace {

struct InputEntries {
  static constexpr const char* kNoun = "input";
  static constexpr auto kCount = ort::kSessionGetInputCount;
  static constexpr auto kName = ort::kSessionGetInputName;
  static constexpr auto kType = ort::kSessionGetInputTypeInfo;
};

struct OutputEntries {
  static constexpr const char* kNoun = "output";
  static constexpr auto kCount = ort::kSessionGetOutputCount;
  static constexpr auto kName = ort::kSessionGetOutputName;
  static constexpr auto kType = ort::kSessionGetOutputTypeInfo;
};

std::string kind_name(ort::ValueKind kind) {
  switch (kind) {
    case ort::ValueKind::kSequence:
      return "a sequence";
    case ort::ValueKind::kMap:
      return "a map";
    case ort::ValueKind::kSparse:
      return "a sparse tensor";
    case ort::ValueKind::kOptional:
      return "an optional value";
    default:
      return "not a tensor";
  }
}

// Only for messages: names of what we do not support, by ONNX's number.
std::string element_type_name(ort::ElementType type) {
  if (type == 14 || type == 15) return "complex numbers";
  if (type == 16) return "bfloat16";
  if ((type >= 17 && type <= 20) || type == 26) return "float8";
  if (type >= 21 && type <= 25) return "elements of less than a byte";
  return "element type number " + std::to_string(type);
}

bool is_supported(ort::ElementType type) {
  return type >= static_cast<int>(DataType::kFloat32) &&
         type <= static_cast<int>(DataType::kUint64);
}

// Fills in type and shape; yields what to complain about, if anything.
std::optional<std::string> read_type(OrtCalls& call, const ort::TypeInfo* type_info,
                                     TensorSpec& spec) {
  ort::ValueKind kind{};
  const ort::TensorInfo* info = nullptr;
  call(ort::kGetOnnxTypeFromTypeInfo, type_info, &kind);
  if (!call.failed() && kind != ort::ValueKind::kTensor)
    return "is " + kind_name(kind) + "; only tensors are supported";

  ort::ElementType element = 0;
  std::size_t rank = 0;
  call(ort::kCastTypeInfoToTensorInfo, type_info, &info);
  call(ort::kGetTensorElementType, info, &element);
  call(ort::kGetDimensionsCount, info, &rank);
  spec.dims.resize(rank);
  std::vector<const char*> symbols(rank, "");
  call(ort::kGetDimensions, info, spec.dims.data(), rank);
  call(ort::kGetSymbolicDimensions, info, symbols.data(), rank);
  if (call.failed()) return "cannot be described: " + call.failure().text;
  if (!is_supported(element))
    return "is a tensor of " + element_type_name(element) + ", which is not supported";
  spec.type = static_cast<DataType>(element);
  spec.symbols.assign(symbols.begin(), symbols.end());
  return std::nullopt;
}

template <class Entries>
Result<std::vector<TensorSpec>> read_side(const OrtLibrary& library, const ort::Session& session,
                                          const std::string& model_name) {
  const ort::Api& api = library.api();
  OrtCalls call(api);
  std::size_t count = 0;
  call(Entries::kCount, &session, &count);
  std::vector<TensorSpec> specs(count);
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    ort::TypeInfo* raw_type = nullptr;
    call(Entries::kName, &session, i, library.allocator(), &name);
    if (name != nullptr) specs[i].name = name;
    call(ort::kAllocatorFree, library.allocator(), name);
    call(Entries::kType, &session, i, &raw_type);
    const ort::Owned<ort::TypeInfo> type(raw_type, api[ort::kReleaseTypeInfo]);
    if (const auto complaint = read_type(call, type.get(), specs[i])) {
      return Error{ErrorCode::kModelLoad, "cannot use model '" + model_name + "': its " +
                                              Entries::kNoun + " '" + specs[i].name + "' " +
                                              *complaint};
    }
  }
  if (call.failed())
    return Error{ErrorCode::kModelLoad,
                 "cannot use model '" + model_name + "': " + call.failure().text};
  return specs;
}

}  // namespace

Result<std::vector<TensorSpec>> read_specs(const OrtLibrary& library, const ort::Session& session,
                                           Side side, const std::string& model_name) {
  return side == Side::kInput ? read_side<InputEntries>(library, session, model_name)
                              : read_side<OutputEntries>(library, session, model_name);
}

}  // namespace millrace
