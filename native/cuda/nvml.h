// NVIDIA's management library, loaded at run time: what the driver's own interface does not tell
// without opening a device. It may be missing where the driver works, so everything it knows is
// optional. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace millrace {

// What it says of one device at this moment; what it does not know is left out.
struct NvmlReading {
  std::optional<std::uint64_t> free_memory_bytes;  // by any process
  std::optional<int> utilization_percent;          // of the last moment in which kernels ran
  std::optional<int> temperature_c;
};

class Nvml {
 public:
  // Loads and starts it from `path`, or from where the system finds it; leaked, one to a file.
  // Errors: kModelLoad.
  static Result<const Nvml*> load(const std::string& path = {});

  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  // Such as "550.54.15"; empty where it does not say.
  std::string driver_version() const;

  // `bus_id` as the CUDA driver gives it.
  NvmlReading read(const std::string& bus_id) const;

 private:
  struct Table;
  explicit Nvml(const Table* table) : table_(table) {}
  static Result<const Table*> open(const std::string& path);

  const Table* table_;
};

}  // namespace millrace
