// What of the machine's devices this process could use, and how it shares its cores. Looking may
// load libraries, or take a while, so it is done on a thread of its own, and only when asked for.
#pragma once

#include <napi.h>

namespace millrace {

// probeProvider(options: ProbeOptions): Promise<void>. Rejects where sessions cannot be made with
// it.
Napi::Value probe_provider(const Napi::CallbackInfo& info);

// cudaDevices(libraries: { driver, nvml }): Promise<NativeCudaReport>. Does not reject for what the
// driver says: that is in the report.
Napi::Value cuda_devices(const Napi::CallbackInfo& info);

// vulkanDevices(): Promise<NativeVulkanReport>, likewise.
Napi::Value vulkan_devices(const Napi::CallbackInfo& info);

// measureTimeSlice(threads: number, ms: number): Promise<number>, in ms. Keeps so many threads
// busy.
Napi::Value time_slice(const Napi::CallbackInfo& info);

}  // namespace millrace
