#include "cuda/nvml.h"

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "base/shared_library.h"

namespace millrace {
namespace {

#if defined(_WIN32)
constexpr const char* kSystemNvml = "nvml.dll";
#else
constexpr const char* kSystemNvml = "libnvidia-ml.so.1";
#endif

constexpr int kSuccess = 0;
constexpr int kCoreTemperature = 0;

struct Device;

struct Utilization {
  unsigned gpu;
  unsigned memory;
};

struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

}  // namespace

struct Nvml::Table {
  int (*init)() = nullptr;
  const char* (*error_text)(int) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*device_by_bus_id)(const char*, Device**) = nullptr;
  int (*memory)(Device*, Memory*) = nullptr;
  int (*utilization)(Device*, Utilization*) = nullptr;
  int (*temperature)(Device*, int, unsigned*) = nullptr;
};

Result<const Nvml*> Nvml::load(const std::string& path) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, const Nvml*>;
  const std::lock_guard lock(mutex);
  const std::string file = path.empty() ? kSystemNvml : path;
  const auto found = loaded->find(file);
  if (found != loaded->end()) return found->second;
  const Result<const Table*> table = open(file);
  if (!table.ok()) return table.error();
  return (*loaded)[file] = new Nvml(table.value());
}

Result<const Nvml::Table*> Nvml::open(const std::string& path) {
  const Result<SharedLibrary> library = SharedLibrary::open(path);
  if (!library.ok()) return library.error();
  std::string missing;
  const auto find = [&](const char* name, auto& call) {
    call = reinterpret_cast<std::remove_reference_t<decltype(call)>>(library.value().symbol(name));
    if (call == nullptr) missing = name;
  };
  auto table = std::make_unique<Table>();
  find("nvmlInit_v2", table->init);
  find("nvmlErrorString", table->error_text);
  find("nvmlSystemGetDriverVersion", table->driver_version);
  find("nvmlDeviceGetHandleByPciBusId_v2", table->device_by_bus_id);
  find("nvmlDeviceGetMemoryInfo", table->memory);
  find("nvmlDeviceGetUtilizationRates", table->utilization);
  find("nvmlDeviceGetTemperature", table->temperature);
  if (!missing.empty())
    return Error{ErrorCode::kModelLoad, "'" + path + "' does not export " + missing};
  const int started = table->init();
  if (started == kSuccess) return static_cast<const Table*>(table.release());
  return Error{ErrorCode::kModelLoad, std::string("nvmlInit_v2: ") + table->error_text(started) +
                                          " (NVML error " + std::to_string(started) + ")"};
}

std::string Nvml::driver_version() const {
  std::array<char, 96> version{};
  if (table_->driver_version(version.data(), version.size()) != kSuccess) return {};
  return version.data();
}

NvmlReading Nvml::read(const std::string& bus_id) const {
  NvmlReading reading;
  Device* device = nullptr;
  if (table_->device_by_bus_id(bus_id.c_str(), &device) != kSuccess) return reading;
  Memory memory{};
  if (table_->memory(device, &memory) == kSuccess) reading.free_memory_bytes = memory.free;
  Utilization utilization{};
  if (table_->utilization(device, &utilization) == kSuccess)
    reading.utilization_percent = static_cast<int>(utilization.gpu);
  unsigned celsius = 0;
  if (table_->temperature(device, kCoreTemperature, &celsius) == kSuccess)
    reading.temperature_c = static_cast<int>(celsius);
  return reading;
}

}  // namespace millrace
