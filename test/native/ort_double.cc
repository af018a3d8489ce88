// The test double of ONNX Runtime with its CUDA provider: see ort_double.h.
#include "ort_double.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "model/ort_abi.h"

namespace millrace::ort {
namespace {

constexpr Entry<0, 1, ErrorStatus*(Code, const char*)> kCreateStatus{};
constexpr std::size_t kTableEntries = 415;  // up to the last that Millrace calls

struct Fault {
  int skip = 0;
  int count = 0;
  std::string text;
};

struct Double {
  const Api::AnyFunction* real = nullptr;  // the table of the real library
  std::array<Api::AnyFunction, kTableEntries> table{};
  std::mutex mutex;  // the rest is guarded by it
  std::set<const MemoryInfo*> device_memory;
  std::map<const Value*, const void*> values;  // those over memory of a device
  std::string record;
  Fault fault;
  void (*before_run)() = nullptr;
};

Double& the_double() {
  static auto* const one = new Double;
  return *one;
}

Api real() {
  return Api(the_double().real);
}

// CUDA's memory must be known to the real one; then the host's is given in its place.
ErrorStatus* create_memory_info(const char* name, AllocatorKind allocator, int device,
                                MemoryKind kind, MemoryInfo** memory) {
  ErrorStatus* const status = real()[kCreateMemoryInfo](name, allocator, device, kind, memory);
  if (status != nullptr || std::strcmp(name, "Cuda") != 0) return status;
  real()[kReleaseMemoryInfo](*memory);
  ErrorStatus* const made = real()[kCreateCpuMemoryInfo](allocator, kind, memory);
  const std::lock_guard lock(the_double().mutex);
  the_double().device_memory.insert(*memory);
  return made;
}

void release_memory_info(MemoryInfo* memory) {
  {
    const std::lock_guard lock(the_double().mutex);
    the_double().device_memory.erase(memory);
  }
  real()[kReleaseMemoryInfo](memory);
}

ErrorStatus* create_tensor(const MemoryInfo* memory, void* data, std::size_t bytes,
                           const std::int64_t* dims, std::size_t rank, ElementType type,
                           Value** value) {
  ErrorStatus* const status =
      real()[kCreateTensorWithDataAsOrtValue](memory, data, bytes, dims, rank, type, value);
  const std::lock_guard lock(the_double().mutex);
  if (status == nullptr && the_double().device_memory.count(memory) > 0)
    the_double().values[*value] = data;
  return status;
}

void release_value(Value* value) {
  {
    const std::lock_guard lock(the_double().mutex);
    the_double().values.erase(value);
  }
  real()[kReleaseValue](value);
}

// With the mutex.
std::string place_of(const Value* value) {
  if (value == nullptr) return " new";
  const auto found = the_double().values.find(value);
  if (found == the_double().values.end()) return " host";
  return " cuda:" + std::to_string(reinterpret_cast<std::uintptr_t>(found->second));
}

ErrorStatus* run(Session* session, const RunOptions* options, const char* const* input_names,
                 const Value* const* inputs, std::size_t input_count,
                 const char* const* output_names, std::size_t output_count, Value** outputs) {
  Double& one = the_double();
  void (*before)() = nullptr;
  {
    const std::lock_guard lock(one.mutex);
    one.record += "run";
    for (std::size_t i = 0; i < input_count; ++i) one.record += place_of(inputs[i]);
    one.record += " ->";
    for (std::size_t i = 0; i < output_count; ++i) one.record += place_of(outputs[i]);
    one.record += "\n";
    before = std::exchange(one.before_run, nullptr);
  }
  if (before != nullptr) before();
  {
    const std::lock_guard lock(one.mutex);
    if (one.fault.count > 0 && one.fault.skip-- <= 0) {
      --one.fault.count;
      return real()[kCreateStatus](Code::kFail, one.fault.text.c_str());
    }
  }
  return real()[kRun](session, options, input_names, inputs, input_count, output_names,
                      output_count, outputs);
}

CudaOptions* no_options() {
  static int nothing = 0;
  return reinterpret_cast<CudaOptions*>(&nothing);
}

ErrorStatus* create_cuda_options(CudaOptions** options) {
  *options = no_options();
  return nullptr;
}

ErrorStatus* update_cuda_options(CudaOptions*, const char* const*, const char* const*,
                                 std::size_t) {
  return nullptr;
}

ErrorStatus* append_cuda(SessionOptions*, const CudaOptions*) {
  return nullptr;
}

void release_cuda_options(CudaOptions*) {}

template <std::size_t kIndex, std::uint32_t kSince, class Signature>
void replace(Entry<kIndex, kSince, Signature>, Signature* function) {
  the_double().table[kIndex] = reinterpret_cast<Api::AnyFunction>(function);
}

const ApiBase* real_base() {
  static const ApiBase* const base = []() -> const ApiBase* {
    const char* const path = std::getenv(kOrtDoubleLibrary);
    void* const library = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    return reinterpret_cast<GetApiBase*>(dlsym(library, "OrtGetApiBase"))();
  }();
  return base;
}

const Api::AnyFunction* get_api(std::uint32_t version) {
  Double& one = the_double();
  one.real = real_base()->get_api(version);
  if (one.real == nullptr) return nullptr;
  std::copy_n(one.real, kTableEntries, one.table.begin());
  replace(kCreateMemoryInfo, &create_memory_info);
  replace(kReleaseMemoryInfo, &release_memory_info);
  replace(kCreateTensorWithDataAsOrtValue, &create_tensor);
  replace(kReleaseValue, &release_value);
  replace(kRun, &run);
  replace(kCreateCudaOptions, &create_cuda_options);
  replace(kUpdateCudaOptions, &update_cuda_options);
  replace(kAppendCuda, &append_cuda);
  replace(kReleaseCudaOptions, &release_cuda_options);
  return one.table.data();
}

}  // namespace
}  // namespace millrace::ort

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT const millrace::ort::ApiBase* OrtGetApiBase() {
  const millrace::ort::ApiBase* const real = millrace::ort::real_base();
  if (real == nullptr) std::abort();  // the tests name it
  static const millrace::ort::ApiBase base{&millrace::ort::get_api, real->get_version};
  return &base;
}

EXPORT const millrace::OrtDoubleControl* ort_double_control() {
  using millrace::ort::the_double;
  using Lock = std::lock_guard<std::mutex>;
  static const millrace::OrtDoubleControl control = {
      [] {
        const Lock lock(the_double().mutex);
        the_double().record.clear();
        the_double().fault = {};
        the_double().before_run = nullptr;
      },
      [](int skip, int count, const char* text) {
        const Lock lock(the_double().mutex);
        the_double().fault = {skip, count, text};
      },
      [](void (*call)()) {
        const Lock lock(the_double().mutex);
        the_double().before_run = call;
      },
      [] {
        thread_local std::string copy;
        const Lock lock(the_double().mutex);
        copy = the_double().record;
        return copy.c_str();
      },
      [] {
        const Lock lock(the_double().mutex);
        return static_cast<int>(the_double().values.size());
      },
  };
  return &control;
}
