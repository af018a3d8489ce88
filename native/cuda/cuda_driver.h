// The CUDA driver of the machine, loaded at run time from `libcuda`: nothing here is linked, and a
// process that never calls load() never opens it.
//
// One to a file, shared by every thread, and leaked: the driver keeps state that does not survive
// being unloaded while the process exits. Immutable after load(), safe from any thread.
//
// Every failure names the call and CUDA's own error: "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (out
// of memory)". Its code is kOutOfMemory, kDeviceLost (no call for this device will succeed any more
// in this process), or kStageFailed for the rest.
#pragma once

#include <string>

#include "base/result.h"
#include "cuda/driver_abi.h"

namespace millrace {

class CudaDriver {
 public:
  // The driver in the file `path`; where that is empty, the one that the system finds. A failed
  // load leaves nothing behind and may be tried again. Errors: kModelLoad where it is missing,
  // lacks a function that is needed (too old), or does not start.
  static Result<const CudaDriver*> load(const std::string& path = {});

  CudaDriver(const CudaDriver&) = delete;
  CudaDriver& operator=(const CudaDriver&) = delete;

  // False where the driver works and there is no device: then only the version may be asked for.
  bool has_device() const { return has_device_; }

  // The latest CUDA that it serves: 12040 is 12.4.
  int cuda_version() const { return cuda_version_; }

  // Whether it has CUDA graphs, without which their entries must not be called. Error: kModelLoad.
  [[nodiscard]] Status check_graphs() const;

  // Calls an entry: `driver(&DriverTable::init, 0)`.
  template <class... Formal, class... Arguments>
  Status operator()(cuda::Entry<Formal...> cuda::DriverTable::*entry,
                    Arguments... arguments) const {
    const cuda::Entry<Formal...>& found = table_.*entry;
    return check(found.name, found.call(arguments...));
  }

  // The same where "not yet" is an answer: whether it is done.
  template <class... Formal, class... Arguments>
  Result<bool> ask(cuda::Entry<Formal...> cuda::DriverTable::*entry, Arguments... arguments) const {
    const cuda::Entry<Formal...>& found = table_.*entry;
    const cuda::Code code = found.call(arguments...);
    if (code == cuda::Code::kNotReady) return false;
    const Status status = check(found.name, code);
    if (!status.ok()) return status.error();
    return true;
  }

 private:
  CudaDriver() = default;
  Status open(const std::string& path);
  Status check(const char* call, cuda::Code code) const;

  cuda::DriverTable table_;
  std::string path_;
  std::string missing_;  // of graphs; empty: nothing
  int cuda_version_ = 0;
  bool has_device_ = true;
};

}  // namespace millrace
