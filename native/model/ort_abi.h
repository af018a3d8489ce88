// The part of ONNX Runtime's C interface that Millrace calls, declared here so that neither its
// headers nor its library are needed to build. Only files in model/ include this.
//
// The interface is one table of function pointers that only ever grows. An Entry is a position in
// that table with the version of the interface that introduced it and the signature of the
// function; Api turns it into a function to call:
//
//   if (ErrorStatus* status = api[kCreateRunOptions](&options)) ...
//
// Promised by ONNX Runtime: functions never throw; a null status is success, any other must be
// released; handles given out through a pointer argument are the caller's to release, through the
// kRelease entry of their kind, unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace millrace::ort {

// The version of the interface asked for. An entry that is newer does not compile.
inline constexpr std::uint32_t kApiVersion = 25;

struct Allocator;
struct CudaOptions;
struct Env;
struct ErrorStatus;
struct MemoryInfo;
struct RunOptions;
struct Session;
struct SessionOptions;
struct TensorInfo;
struct TensorRtOptions;
struct TypeInfo;
struct Value;

using PathChar = std::filesystem::path::value_type;  // char on POSIX, wchar_t on Windows
using ElementType = int;                             // ONNX's own numbers, as in DataType

enum class Code : int { kFail = 1, kInvalidArgument = 2, kModelLoadCanceled = 12 };
enum class LogLevel : int { kError = 3, kFatal = 4 };
enum class OptimizationLevel : int { kAll = 99 };
enum class ExecutionMode : int { kSequential = 0 };
enum class AllocatorKind : int { kDevice = 0 };
enum class MemoryKind : int { kDefault = 0 };
enum class ValueKind : int {
  kTensor = 1,
  kSequence = 2,
  kMap = 3,
  kOpaque = 4,
  kSparse = 5,
  kOptional = 6
};

template <std::size_t Index, std::uint32_t Since, class Signature>
struct Entry {
  static_assert(Since <= kApiVersion, "newer than the version of the interface that is asked for");
};

// Returns a status. The calling convention is the platform's own: only 32-bit Windows, which ONNX
// Runtime's Node package does not ship, has another.
template <std::size_t Index, std::uint32_t Since, class... Arguments>
using Call = Entry<Index, Since, ErrorStatus*(Arguments...)>;

template <std::size_t Index, std::uint32_t Since, class Handle>
using Release = Entry<Index, Since, void(Handle*)>;

class Api {
 public:
  using AnyFunction = void (*)();
  explicit Api(const AnyFunction* table) : table_(table) {}

  template <std::size_t Index, std::uint32_t Since, class Signature>
  Signature* operator[](Entry<Index, Since, Signature>) const {
    return reinterpret_cast<Signature*>(table_[Index]);
  }

 private:
  const AnyFunction* table_;
};

// What OrtGetApiBase(), the library's one entry point, returns.
struct ApiBase {
  const Api::AnyFunction* (*get_api)(
      std::uint32_t version);    // null when it does not have that version
  const char* (*get_version)();  // such as "1.30.0"
};
using GetApiBase = const ApiBase*();

// Owns a handle; its deleter is the matching kRelease function.
template <class Handle>
using Owned = std::unique_ptr<Handle, void (*)(Handle*)>;

// --- Errors and environment. CreateEnv counts references: one environment to a loaded copy of the
// library.
inline constexpr Entry<1, 1, Code(const ErrorStatus*)> kGetErrorCode{};
inline constexpr Entry<2, 1, const char*(const ErrorStatus*)>
    kGetErrorMessage{};  // owned by the status
inline constexpr Release<93, 1, ErrorStatus> kReleaseStatus{};
inline constexpr Call<3, 1, LogLevel, const char*, Env**> kCreateEnv{};
inline constexpr Call<69, 1, AllocatorKind, MemoryKind, MemoryInfo**> kCreateCpuMemoryInfo{};
inline constexpr Call<68, 1, const char*, AllocatorKind, int, MemoryKind, MemoryInfo**>
    kCreateMemoryInfo{};  // by the name of the allocator, and the number of the device
inline constexpr Release<94, 1, MemoryInfo> kReleaseMemoryInfo{};
inline constexpr Call<78, 1, Allocator**> kGetAllocatorWithDefaultOptions{};  // never released
inline constexpr Call<76, 1, Allocator*, void*> kAllocatorFree{};

// --- Session options
inline constexpr Call<10, 1, SessionOptions**> kCreateSessionOptions{};
inline constexpr Release<100, 1, SessionOptions> kReleaseSessionOptions{};
inline constexpr Call<13, 1, SessionOptions*, ExecutionMode> kSetSessionExecutionMode{};
inline constexpr Call<17, 1, SessionOptions*> kDisableMemPattern{};
inline constexpr Call<19, 1, SessionOptions*> kDisableCpuMemArena{};
inline constexpr Call<22, 1, SessionOptions*, LogLevel> kSetSessionLogSeverityLevel{};
inline constexpr Call<23, 1, SessionOptions*, OptimizationLevel>
    kSetSessionGraphOptimizationLevel{};
inline constexpr Call<24, 1, SessionOptions*, int> kSetIntraOpNumThreads{};
inline constexpr Call<25, 1, SessionOptions*, int> kSetInterOpNumThreads{};
inline constexpr Call<130, 5, SessionOptions*, const char*, const char*> kAddSessionConfigEntry{};
inline constexpr Call<293, 22, SessionOptions*, bool> kSessionOptionsSetLoadCancellationFlag{};

// --- Execution providers, by parallel lists of keys and values. CUDA and TensorRT load a library
// of their own when their settings are made; the other providers go by their short names.
inline constexpr Call<216, 12, SessionOptions*, const char*, const char* const*, const char* const*,
                      std::size_t>
    kAppendProvider{};
inline constexpr Call<205, 11, CudaOptions**> kCreateCudaOptions{};
inline constexpr Call<206, 11, CudaOptions*, const char* const*, const char* const*, std::size_t>
    kUpdateCudaOptions{};
inline constexpr Call<204, 11, SessionOptions*, const CudaOptions*> kAppendCuda{};
inline constexpr Release<208, 11, CudaOptions> kReleaseCudaOptions{};
inline constexpr Call<171, 9, TensorRtOptions**> kCreateTensorRtOptions{};
inline constexpr Call<172, 9, TensorRtOptions*, const char* const*, const char* const*, std::size_t>
    kUpdateTensorRtOptions{};
inline constexpr Call<170, 9, SessionOptions*, const TensorRtOptions*> kAppendTensorRt{};
inline constexpr Release<174, 9, TensorRtOptions> kReleaseTensorRtOptions{};

// --- Sessions. A session may be run by several threads at once and released when none does.
inline constexpr Call<7, 1, const Env*, const PathChar*, const SessionOptions*, Session**>
    kCreateSession{};
inline constexpr Call<8, 1, const Env*, const void*, std::size_t, const SessionOptions*, Session**>
    kCreateSessionFromArray{};
inline constexpr Release<95, 1, Session> kReleaseSession{};

// --- What a model takes and gives. Names are allocated from the allocator; tensor information and
// symbols are borrowed from the type information.
inline constexpr Call<30, 1, const Session*, std::size_t*> kSessionGetInputCount{};
inline constexpr Call<31, 1, const Session*, std::size_t*> kSessionGetOutputCount{};
inline constexpr Call<33, 1, const Session*, std::size_t, TypeInfo**> kSessionGetInputTypeInfo{};
inline constexpr Call<34, 1, const Session*, std::size_t, TypeInfo**> kSessionGetOutputTypeInfo{};
inline constexpr Call<36, 1, const Session*, std::size_t, Allocator*, char**>
    kSessionGetInputName{};
inline constexpr Call<37, 1, const Session*, std::size_t, Allocator*, char**>
    kSessionGetOutputName{};
inline constexpr Release<98, 1, TypeInfo> kReleaseTypeInfo{};
inline constexpr Call<56, 1, const TypeInfo*, ValueKind*> kGetOnnxTypeFromTypeInfo{};
inline constexpr Call<55, 1, const TypeInfo*, const TensorInfo**> kCastTypeInfoToTensorInfo{};
inline constexpr Call<60, 1, const TensorInfo*, ElementType*> kGetTensorElementType{};
inline constexpr Call<61, 1, const TensorInfo*, std::size_t*> kGetDimensionsCount{};
inline constexpr Call<62, 1, const TensorInfo*, std::int64_t*, std::size_t> kGetDimensions{};
inline constexpr Call<63, 1, const TensorInfo*, const char**, std::size_t> kGetSymbolicDimensions{};

// --- Values. The memory of the first kind stays the caller's and is neither copied nor freed.
inline constexpr Call<49, 1, const MemoryInfo*, void*, std::size_t, const std::int64_t*,
                      std::size_t, ElementType, Value**>
    kCreateTensorWithDataAsOrtValue{};
inline constexpr Call<48, 1, Allocator*, const std::int64_t*, std::size_t, ElementType, Value**>
    kCreateTensorAsOrtValue{};
inline constexpr Release<96, 1, Value> kReleaseValue{};
inline constexpr Call<51, 1, Value*, void**> kGetTensorMutableData{};
inline constexpr Call<414, 25, const Value*, ElementType*, const std::int64_t**, std::size_t*>
    kGetTensorElementTypeAndShapeDataReference{};  // dims are borrowed from the value
inline constexpr Call<252, 15, Value*, std::size_t, std::size_t, char**>
    kGetResizedStringTensorElementBuffer{};
inline constexpr Call<53, 1, const Value*, std::size_t*> kGetStringTensorDataLength{};
inline constexpr Call<54, 1, const Value*, void*, std::size_t, std::size_t*, std::size_t>
    kGetStringTensorContent{};

// --- Runs. Of the outputs, a null slot is allocated by ONNX Runtime; any other must have exactly
// the right shape. RunOptionsSetTerminate may be called by any thread; the flag stays set
// until it is unset.
inline constexpr Call<39, 1, RunOptions**> kCreateRunOptions{};
inline constexpr Release<97, 1, RunOptions> kReleaseRunOptions{};
inline constexpr Call<41, 1, RunOptions*, LogLevel> kRunOptionsSetRunLogSeverityLevel{};
inline constexpr Call<46, 1, RunOptions*> kRunOptionsSetTerminate{};
inline constexpr Call<47, 1, RunOptions*> kRunOptionsUnsetTerminate{};
inline constexpr Call<9, 1, Session*, const RunOptions*, const char* const*, const Value* const*,
                      std::size_t, const char* const*, std::size_t, Value**>
    kRun{};

}  // namespace millrace::ort
