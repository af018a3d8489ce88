// The test double of NVIDIA's driver and management library: see cuda_double.h. Memory of its
// device is memory of the host. Its kernels, known by what their names contain: "twice", which
// doubles floats in place (pointer, count), and "twice_rows", which does so from one tensor into
// another (from, to, rows), one float a thread. Streams take turns, an operation each;
// those of a graph are told one by one.
#include "cuda_double.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuda_double_device.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int cuInit(unsigned) {
  std::array<char, 64> call{};
  int code = 0;
  int skip = 0;
  const char* fault = std::getenv(millrace::kCudaDoubleFault);
  if (fault != nullptr && std::sscanf(fault, "%63s %d %d", call.data(), &code, &skip) == 3)
    the_double().faults.insert({call.data(), {code, skip}});
  return number_from(millrace::kCudaDoubleInit, 0);
}

EXPORT int cuDriverGetVersion(int* version) {
  *version = number_from(millrace::kCudaDoubleVersion, 12040);
  return 0;
}

#ifndef CUDA_DOUBLE_OLD
EXPORT int cuGetErrorName(int code, const char** name) {
  *name = name_of(code);
  return *name == nullptr ? kInvalidValue : 0;
}
#endif

EXPORT int cuGetErrorString(int code, const char** text) {
  *text = code == kOutOfMemory ? "out of memory" : nullptr;
  return *text == nullptr ? kInvalidValue : 0;
}

EXPORT int cuDeviceGetCount(int* count) {
  const Call call("cuDeviceGetCount");
  *count = the_double().devices;
  return call.failed();
}

EXPORT int cuDeviceGet(int* device, int index) {
  const Call call("cuDeviceGet");
  *device = index;
  return call.failed();
}

EXPORT int cuDeviceGetName(char* name, int size, int device) {
  const Call call("cuDeviceGetName");
  std::snprintf(name, static_cast<std::size_t>(size), "Double %d", device);
  return call.failed();
}

EXPORT int cuDeviceGetPCIBusId(char* id, int size, int device) {
  const Call call("cuDeviceGetPCIBusId");
  std::snprintf(id, static_cast<std::size_t>(size), "0000:0%d:00.0", device);
  return call.failed();
}

EXPORT int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  const Call call("cuDeviceTotalMem_v2");
  *bytes = kMemoryBytes;
  return call.failed();
}

EXPORT int cuDeviceGetAttribute(int* value, int attribute, int) {
  const Call call("cuDeviceGetAttribute");
  *value = attribute == 75 ? 9 : 0;
  return call.failed();
}

EXPORT int cuDevicePrimaryCtxRetain(void** context, int) {
  const Call call("cuDevicePrimaryCtxRetain");
  if (call.failed() != 0) return call.failed();
  *context = &the_double();
  the_double().alive.insert(*context);
  return 0;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int) {
  const Call call("cuDevicePrimaryCtxRelease_v2");
  the_double().alive.erase(&the_double());
  return call.failed();
}

// Not recorded: every other call is between the two.
EXPORT int cuCtxPushCurrent_v2(void* context) {
  current_contexts.push_back(context);
  return 0;
}

EXPORT int cuCtxPopCurrent_v2(void** context) {
  if (current_contexts.empty()) return kInvalidContext;
  *context = current_contexts.back();
  current_contexts.pop_back();
  return 0;
}

EXPORT int cuCtxSynchronize() {
  const Call call("cuCtxSynchronize");
  if (call.failed() != 0) return call.failed();
  while (the_double().step()) {
  }
  return the_double().lost != 0 ? the_double().lost : context_code();
}

EXPORT int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  const Call call("cuMemGetInfo_v2");
  *total = kMemoryBytes;
  *free = kMemoryBytes - the_double().used;
  return call.failed() != 0 ? call.failed() : context_code();
}

EXPORT int cuMemAlloc_v2(std::uint64_t* address, std::size_t bytes) {
  const Call call("cuMemAlloc_v2", of_bytes(bytes));
  if (call.failed() != 0) return call.failed();
  Double& device = the_double();
  if (context_code() != 0) return context_code();
  if (bytes > kMemoryBytes - device.used) return kOutOfMemory;
  constexpr std::size_t kAlignment = 512;  // as the driver's
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes) != 0) return kOutOfMemory;
  *address = reinterpret_cast<std::uint64_t>(memory);
  device.memory[*address] = bytes;
  device.alive.insert(memory);
  device.used += bytes;
  return 0;
}

EXPORT int cuMemFree_v2(std::uint64_t address) {
  const Call call("cuMemFree_v2");
  Double& device = the_double();
  void* memory = reinterpret_cast<void*>(address);
  if (device.alive.erase(memory) == 0) return kInvalidValue;
  device.used -= device.memory[address];
  device.memory.erase(address);
  std::free(memory);
  return call.failed();
}

EXPORT int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) {
  const Call call("cuMemHostAlloc", of_bytes(bytes));
  if (call.failed() != 0) return call.failed();
  *memory = std::malloc(bytes);
  the_double().alive.insert(*memory);
  return context_code();
}

EXPORT int cuMemFreeHost(void* memory) {
  const Call call("cuMemFreeHost");
  if (the_double().alive.erase(memory) == 0) return kInvalidValue;
  std::free(memory);
  return call.failed();
}

EXPORT int cuStreamCreate(Stream** stream, unsigned) {
  const Call call("cuStreamCreate");
  if (call.failed() != 0) return call.failed();
  *stream = new Stream{the_double().next_stream++, {}};
  the_double().alive.insert(*stream);
  the_double().streams[(*stream)->number] = *stream;
  return context_code();
}

EXPORT int cuStreamDestroy_v2(Stream* stream) {
  const Call call("cuStreamDestroy_v2");
  while (!stream->waiting.empty() && the_double().step()) {
  }
  the_double().streams.erase(stream->number);
  const int ended = end(stream);
  return ended != 0 ? ended : call.failed();
}

EXPORT int cuStreamQuery(Stream* stream) {
  const Call call("cuStreamQuery");
  if (call.failed() != 0) return call.failed();
  return stream->waiting.empty() ? 0 : kNotReady;
}

EXPORT int cuStreamSynchronize(Stream* stream) {
  const Call call("cuStreamSynchronize");
  if (call.failed() != 0) return call.failed();
  if (stream->recording != nullptr) return kCaptureUnsupported;
  while (!stream->waiting.empty() && the_double().step()) {
  }
  return the_double().lost;
}

EXPORT int cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
  const Call call("cuStreamWaitEvent");
  if (call.failed() != 0) return call.failed();
  return the_double().enqueue(stream, {"waited for an event", {}, event->marker});
}

EXPORT int cuEventCreate(Event** event, unsigned) {
  const Call call("cuEventCreate");
  if (call.failed() != 0) return call.failed();
  *event = new Event;
  the_double().alive.insert(*event);
  return context_code();
}

EXPORT int cuEventDestroy_v2(Event* event) {
  const Call call("cuEventDestroy_v2");
  const int ended = end(event);
  return ended != 0 ? ended : call.failed();
}

EXPORT int cuEventRecord(Event* event, Stream* stream) {
  const Call call("cuEventRecord");
  if (call.failed() != 0) return call.failed();
  // The driver's would be of the graph then, and whoever asks after it is told an error.
  if (stream->recording != nullptr) return kCaptureUnsupported;
  const Marker marker = std::make_shared<bool>(false);
  event->marker = marker;
  return the_double().enqueue(stream, {"recorded an event",
                                       [marker] {
                                         *marker = true;
                                         return 0;
                                       },
                                       nullptr});
}

EXPORT int cuEventQuery(Event* event) {
  const Call call("cuEventQuery");
  if (call.failed() != 0) return call.failed();
  return event->marker == nullptr || *event->marker ? 0 : kNotReady;
}

EXPORT int cuEventSynchronize(Event* event) {
  const Call call("cuEventSynchronize");
  if (call.failed() != 0) return call.failed();
  while (event->marker != nullptr && !*event->marker && the_double().step()) {
  }
  return the_double().lost;
}

EXPORT int cuMemcpyDtoH_v2(void* to, std::uint64_t from, std::size_t bytes) {
  const Call call("cuMemcpyDtoH_v2", of_bytes(bytes));
  if (call.failed() != 0) return call.failed();
  if (!within(from, bytes)) return kInvalidValue;
  std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  return context_code();
}

EXPORT int cuMemcpyHtoDAsync_v2(std::uint64_t to, const void* from, std::size_t bytes,
                                Stream* stream) {
  const Call call("cuMemcpyHtoDAsync_v2", of_bytes(bytes));
  if (call.failed() != 0) return call.failed();
  if (!within(to, bytes)) return kInvalidValue;
  return the_double().enqueue(stream, {"copied to the device",
                                       [=] {
                                         std::memcpy(reinterpret_cast<void*>(to), from, bytes);
                                         return 0;
                                       },
                                       nullptr});
}

EXPORT int cuMemcpyDtoHAsync_v2(void* to, std::uint64_t from, std::size_t bytes, Stream* stream) {
  const Call call("cuMemcpyDtoHAsync_v2", of_bytes(bytes));
  if (call.failed() != 0) return call.failed();
  if (!within(from, bytes)) return kInvalidValue;
  return the_double().enqueue(stream, {"copied to the host",
                                       [=] {
                                         std::memcpy(to, reinterpret_cast<void*>(from), bytes);
                                         return 0;
                                       },
                                       nullptr});
}

EXPORT int cuMemcpyDtoDAsync_v2(std::uint64_t to, std::uint64_t from, std::size_t bytes,
                                Stream* stream) {
  const Call call("cuMemcpyDtoDAsync_v2", of_bytes(bytes));
  if (call.failed() != 0) return call.failed();
  if (!within(to, bytes) || !within(from, bytes)) return kInvalidValue;
  return the_double().enqueue(stream, {"copied on the device",
                                       [=] {
                                         std::memcpy(reinterpret_cast<void*>(to),
                                                     reinterpret_cast<void*>(from), bytes);
                                         return 0;
                                       },
                                       nullptr});
}

// What says "invalid" does not compile, which the log of the just-in-time compiler says.
EXPORT int cuModuleLoadDataEx(Module** module, const void* image, unsigned options, int* names,
                              void** values) {
  const Call call("cuModuleLoadDataEx");
  if (call.failed() != 0) return call.failed();
  const std::string text = static_cast<const char*>(image);
  if (text.find("invalid") != std::string::npos) {
    for (unsigned i = 0; i < options; ++i) {
      if (names[i] == 5) std::strcpy(static_cast<char*>(values[i]), "ptxas: line 2; syntax error");
    }
    return kInvalidPtx;
  }
  *module = new Module{text};
  the_double().alive.insert(*module);
  return context_code();
}

EXPORT int cuModuleUnload(Module* module) {
  const Call call("cuModuleUnload");
  const int ended = end(module);
  return ended != 0 ? ended : call.failed();
}

EXPORT int cuModuleGetFunction(int** function, Module* module, const char* name) {
  const Call call("cuModuleGetFunction");
  if (call.failed() != 0) return call.failed();
  if (module->image.find(name) == std::string::npos) return kNotFound;
  const bool rows = std::strstr(name, "twice_rows") != nullptr;
  *function = rows ? &the_double().twice_rows : &the_double().twice;
  return 0;
}

EXPORT int cuLaunchKernel(int* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                          unsigned block_x, unsigned block_y, unsigned block_z, unsigned,
                          Stream* stream, void** arguments, void**) {
  const Call call("cuLaunchKernel", " " + std::to_string(grid_x) + " x " + std::to_string(block_x));
  if (call.failed() != 0) return call.failed();
  Double& device = the_double();
  const bool rows = function == &device.twice_rows;
  if ((!rows && function != &device.twice) || context_code() != 0) return kInvalidValue;
  // Parameters are copied when the kernel is launched.
  const auto from = *static_cast<std::uint64_t*>(arguments[0]);
  const auto to = rows ? *static_cast<std::uint64_t*>(arguments[1]) : from;
  const unsigned each = grid_y * grid_z * block_x * block_y * block_z;
  const unsigned count =
      rows ? each * *static_cast<unsigned*>(arguments[2]) : *static_cast<unsigned*>(arguments[1]);
  return device.enqueue(stream, {"ran a kernel",
                                 [=] {
                                   const int failed = the_double().fault("kernel");
                                   if (failed != 0) return failed;
                                   return twice(reinterpret_cast<const float*>(from),
                                                reinterpret_cast<float*>(to), count);
                                 },
                                 nullptr});
}

#ifndef CUDA_DOUBLE_NO_GRAPHS
EXPORT int cuStreamBeginCapture_v2(Stream* stream, int mode) {
  const Call call("cuStreamBeginCapture_v2");
  if (call.failed() != 0) return call.failed();
  if (stream->recording != nullptr || mode != 1) return kInvalidValue;
  stream->recording = new Graph;
  the_double().alive.insert(stream->recording);
  return context_code();
}

// The stream does not record any more, whatever it says.
EXPORT int cuStreamEndCapture(Stream* stream, Graph** graph) {
  const Call call("cuStreamEndCapture");
  Graph* const recorded = std::exchange(stream->recording, nullptr);
  if (recorded == nullptr) return kInvalidValue;
  if (call.failed() != 0) {
    end(recorded);
    return call.failed();
  }
  *graph = recorded;
  return context_code();
}

EXPORT int cuGraphDestroy(Graph* graph) {
  const Call call("cuGraphDestroy");
  const int ended = end(graph);
  return ended != 0 ? ended : call.failed();
}

EXPORT int cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) {
  const Call call("cuGraphInstantiateWithFlags", of_bytes(graph->operations.size()));
  if (call.failed() != 0) return call.failed();
  *executable = new Graph(*graph);
  the_double().alive.insert(*executable);
  return context_code();
}

EXPORT int cuGraphExecDestroy(Graph* executable) {
  const Call call("cuGraphExecDestroy");
  const int ended = end(executable);
  return ended != 0 ? ended : call.failed();
}

EXPORT int cuGraphLaunch(Graph* executable, Stream* stream) {
  const Call call("cuGraphLaunch");
  if (call.failed() != 0) return call.failed();
  if (the_double().alive.count(executable) == 0) return kInvalidValue;
  for (const Operation& operation : executable->operations) the_double().enqueue(stream, operation);
  return context_code();
}
#endif

EXPORT int nvmlInit_v2() {
  return 0;
}

EXPORT const char* nvmlErrorString(int) {
  return "an error of the double";
}

EXPORT int nvmlSystemGetDriverVersion(char* version, unsigned size) {
  std::snprintf(version, size, "550.54.15");
  return 0;
}

// The device that is on the second bus does not say anything.
EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  *device = &the_double();
  return std::strcmp(id, "0000:00:00.0") == 0 ? 0 : 6;
}

EXPORT int nvmlDeviceGetMemoryInfo(void*, unsigned long long* memory) {
  memory[0] = kMemoryBytes;
  memory[1] = kMemoryBytes / 2;
  memory[2] = kMemoryBytes / 2;
  return 0;
}

EXPORT int nvmlDeviceGetUtilizationRates(void*, unsigned* rates) {
  rates[0] = 37;
  rates[1] = 5;
  return 0;
}

EXPORT int nvmlDeviceGetTemperature(void*, int, unsigned* celsius) {
  *celsius = 41;
  return 0;
}

EXPORT const millrace::CudaDoubleControl* cuda_double_control() {
  using Lock = std::lock_guard<std::mutex>;
  static const millrace::CudaDoubleControl control = {
      [] {
        Double& device = the_double();
        const Lock lock(device.mutex);
        device.devices = 1;
        device.lost = 0;
        device.held = false;
        device.faults.clear();
        device.record.clear();
        device.next_stream = 1;
        device.last_stream = 0;
      },
      [](int count) {
        const Lock lock(the_double().mutex);
        the_double().devices = count;
      },
      [](const char* call, int code, int skip) {
        const Lock lock(the_double().mutex);
        the_double().faults.insert({call, {code, skip}});
      },
      [](bool on) {
        const Lock lock(the_double().mutex);
        the_double().held = on;
      },
      [](int operations) {
        const Lock lock(the_double().mutex);
        while (operations-- != 0 && the_double().step()) {
        }
      },
      [] {
        thread_local std::string copy;
        const Lock lock(the_double().mutex);
        copy = the_double().record;
        return copy.c_str();
      },
      [] {
        const Lock lock(the_double().mutex);
        return static_cast<int>(the_double().alive.size());
      },
  };
  return &control;
}
