#include "cuda/cuda_driver.h"

#include <map>
#include <memory>
#include <mutex>

#include "base/shared_library.h"

namespace millrace {
namespace {

#if defined(_WIN32)
constexpr const char* kSystemDriver = "nvcuda.dll";
#else
constexpr const char* kSystemDriver = "libcuda.so.1";
#endif

ErrorCode kind_of(cuda::Code code) {
  switch (code) {
    case cuda::Code::kOutOfMemory:
      return ErrorCode::kOutOfMemory;
    // After these every later call fails, too, until the process ends.
    case cuda::Code::kDeinitialized:
    case cuda::Code::kDeviceUnavailable:
    case cuda::Code::kUncorrectableMemory:
    case cuda::Code::kIllegalAddress:
    case cuda::Code::kLaunchTimeout:
    case cuda::Code::kContextDestroyed:
    case cuda::Code::kAssert:
    case cuda::Code::kHardwareStack:
    case cuda::Code::kIllegalInstruction:
    case cuda::Code::kMisalignedAddress:
    case cuda::Code::kInvalidAddressSpace:
    case cuda::Code::kInvalidProgramCounter:
    case cuda::Code::kLaunchFailed:
      return ErrorCode::kDeviceLost;
    default:
      return ErrorCode::kStageFailed;
  }
}

}  // namespace

Result<const CudaDriver*> CudaDriver::load(const std::string& path) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, const CudaDriver*>;
  const std::lock_guard lock(mutex);
  const std::string file = path.empty() ? kSystemDriver : path;
  const auto found = loaded->find(file);
  if (found != loaded->end()) return found->second;
  std::unique_ptr<CudaDriver> driver(new CudaDriver);
  const Status opened = driver->open(file);
  if (!opened.ok()) return Error{ErrorCode::kModelLoad, opened.error().message};
  return (*loaded)[file] = driver.release();
}

Status CudaDriver::open(const std::string& path) {
  const Result<SharedLibrary> library = SharedLibrary::open(path);
  if (!library.ok()) return library.error();
  path_ = path;
  std::string missing;
  const auto find = [&](auto& entry, std::string& first_missing) {
    using Call = decltype(entry.call);
    entry.call = reinterpret_cast<Call>(library.value().symbol(entry.name));
    if (entry.call == nullptr && first_missing.empty()) first_missing = entry.name;
  };
  table_.each([&](auto& entry) { find(entry, missing); });
  table_.each_of_graphs([&](auto& entry) { find(entry, missing_); });
  if (!missing.empty()) {
    return Error{ErrorCode::kModelLoad, "'" + path + "' does not export " + missing +
                                            ": it is too old, or no CUDA driver"};
  }
  const cuda::Code started = table_.init.call(0);
  has_device_ = started != cuda::Code::kNoDevice;
  if (has_device_ && started != cuda::Code::kSuccess) return check(table_.init.name, started);
  return (*this)(&cuda::DriverTable::driver_version, &cuda_version_);
}

Status CudaDriver::check_graphs() const {
  if (missing_.empty()) return {};
  return Error{ErrorCode::kModelLoad, "'" + path_ + "' does not export " + missing_ +
                                          ", which CUDA graphs need (graphs: true): install a "
                                          "newer driver, or leave them out"};
}

Status CudaDriver::check(const char* call, cuda::Code code) const {
  if (code == cuda::Code::kSuccess) return {};
  const char* name = nullptr;
  const char* text = nullptr;
  table_.error_name.call(code, &name);  // leaves null what it does not know
  table_.error_text.call(code, &text);
  std::string message = std::string(call) + ": ";
  message += name != nullptr ? name : "CUDA error " + std::to_string(static_cast<int>(code));
  if (text != nullptr) message += std::string(" (") + text + ")";
  return Error{kind_of(code), std::move(message)};
}

}  // namespace millrace
