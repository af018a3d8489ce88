// The part of CUDA's driver interface that Millrace calls, declared here so that neither its
// headers nor its library are needed to build. Only files in cuda/ include this.
//
// An entry is a function of the library by its exported name; the suffixes _v2 are part of it, and
// say which of several signatures is meant. All return a code; those that create something give it
// out through their first argument.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::cuda {

using Device = int;
using DeviceAddress = std::uint64_t;

struct Context;
struct Event;
struct Function;
struct Graph;
struct GraphExec;
struct Module;
struct Stream;

enum class Code : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kDeinitialized = 4,
  kDeviceUnavailable = 46,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kUncorrectableMemory = 214,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchTimeout = 702,
  kContextDestroyed = 709,
  kAssert = 710,
  kHardwareStack = 714,
  kIllegalInstruction = 715,
  kMisalignedAddress = 716,
  kInvalidAddressSpace = 717,
  kInvalidProgramCounter = 718,
  kLaunchFailed = 719,
};

enum class Attribute : int { kComputeMajor = 75, kComputeMinor = 76 };

inline constexpr unsigned kStreamNonBlocking = 1;  // does not wait for the default stream
inline constexpr unsigned kEventDisableTiming = 2;
inline constexpr unsigned kHostPortable = 1;   // pinned for all contexts
inline constexpr int kCaptureThreadLocal = 1;  // other threads may call whatever they like
inline constexpr int kJitErrorLog = 5;
inline constexpr int kJitErrorLogBytes = 6;

template <class... Arguments>
struct Entry {
  const char* name;
  Code (*call)(Arguments...) = nullptr;
};

struct DriverTable {
  // The library, and what it has.
  Entry<unsigned> init{"cuInit"};
  Entry<int*> driver_version{"cuDriverGetVersion"};
  Entry<Code, const char**> error_name{"cuGetErrorName"};
  Entry<Code, const char**> error_text{"cuGetErrorString"};
  Entry<int*> device_count{"cuDeviceGetCount"};
  Entry<Device*, int> device_at{"cuDeviceGet"};
  Entry<char*, int, Device> device_name{"cuDeviceGetName"};
  Entry<char*, int, Device> device_bus_id{"cuDeviceGetPCIBusId"};
  Entry<std::size_t*, Device> device_memory{"cuDeviceTotalMem_v2"};
  Entry<int*, Attribute, Device> device_attribute{"cuDeviceGetAttribute"};

  // The primary context of a device, which everybody in the process shares; counted.
  Entry<Context**, Device> retain_context{"cuDevicePrimaryCtxRetain"};
  Entry<Device> release_context{"cuDevicePrimaryCtxRelease_v2"};
  Entry<Context*> push_context{"cuCtxPushCurrent_v2"};
  Entry<Context**> pop_context{"cuCtxPopCurrent_v2"};

  // Returns when all that anybody began in the current context has ended.
  Entry<> synchronize_context{"cuCtxSynchronize"};

  // Of the current context.
  Entry<std::size_t*, std::size_t*> memory_info{"cuMemGetInfo_v2"};
  Entry<DeviceAddress*, std::size_t> allocate{"cuMemAlloc_v2"};
  Entry<DeviceAddress> free{"cuMemFree_v2"};
  Entry<void**, std::size_t, unsigned> allocate_host{"cuMemHostAlloc"};
  Entry<void*> free_host{"cuMemFreeHost"};

  Entry<Stream**, unsigned> create_stream{"cuStreamCreate"};
  Entry<Stream*> destroy_stream{"cuStreamDestroy_v2"};
  Entry<Stream*> query_stream{"cuStreamQuery"};
  Entry<Stream*> synchronize_stream{"cuStreamSynchronize"};
  Entry<Stream*, Event*, unsigned> wait_for_event{"cuStreamWaitEvent"};

  Entry<Event**, unsigned> create_event{"cuEventCreate"};
  Entry<Event*> destroy_event{"cuEventDestroy_v2"};
  Entry<Event*, Stream*> record_event{"cuEventRecord"};
  Entry<Event*> query_event{"cuEventQuery"};
  Entry<Event*> synchronize_event{"cuEventSynchronize"};

  // Returns when it is done.
  Entry<void*, DeviceAddress, std::size_t> read_memory{"cuMemcpyDtoH_v2"};

  // In the order of their stream, after they have returned.
  Entry<DeviceAddress, const void*, std::size_t, Stream*> copy_to_device{"cuMemcpyHtoDAsync_v2"};
  Entry<void*, DeviceAddress, std::size_t, Stream*> copy_to_host{"cuMemcpyDtoHAsync_v2"};
  Entry<DeviceAddress, DeviceAddress, std::size_t, Stream*> copy_on_device{"cuMemcpyDtoDAsync_v2"};

  Entry<Module**, const void*, unsigned, int*, void**> load_module{"cuModuleLoadDataEx"};
  Entry<Module*> unload_module{"cuModuleUnload"};
  Entry<Function**, Module*, const char*> module_function{"cuModuleGetFunction"};
  Entry<Function*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream*,
        void**, void**>
      launch{"cuLaunchKernel"};

  // What a stream is asked for, recorded, and asked for again in one call. Since CUDA 11.4: a
  // driver may lack them.
  Entry<Stream*, int> begin_capture{"cuStreamBeginCapture_v2"};
  Entry<Stream*, Graph**> end_capture{"cuStreamEndCapture"};
  Entry<Graph*> destroy_graph{"cuGraphDestroy"};
  Entry<GraphExec**, Graph*, unsigned long long> instantiate_graph{"cuGraphInstantiateWithFlags"};
  Entry<GraphExec*> destroy_graph_exec{"cuGraphExecDestroy"};
  Entry<GraphExec*, Stream*> launch_graph{"cuGraphLaunch"};

  // Calls `visit` with every entry that a driver must have.
  template <class Visit>
  void each(Visit&& visit) {
    const auto all = [&visit](auto&... entries) { (visit(entries), ...); };
    all(init, driver_version, error_name, error_text, device_count, device_at, device_name,
        device_bus_id, device_memory, device_attribute);
    all(retain_context, release_context, push_context, pop_context, synchronize_context,
        memory_info, allocate, free, allocate_host, free_host);
    all(create_stream, destroy_stream, query_stream, synchronize_stream, wait_for_event,
        create_event, destroy_event, record_event, query_event, synchronize_event);
    all(read_memory, copy_to_device, copy_to_host, copy_on_device, load_module, unload_module,
        module_function, launch);
  }

  // Those of graphs.
  template <class Visit>
  void each_of_graphs(Visit&& visit) {
    const auto all = [&visit](auto&... entries) { (visit(entries), ...); };
    all(begin_capture, end_capture, destroy_graph, instantiate_graph, destroy_graph_exec,
        launch_graph);
  }
};

}  // namespace millrace::cuda
