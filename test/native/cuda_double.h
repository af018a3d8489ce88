// What tests tell the test double of NVIDIA's driver, and what it tells them. The double is a
// shared library of its own (cuda_double.cc) that is loaded in the driver's place, so that all that
// is exercised is what a real one would exercise, but for the device.
#pragma once

namespace millrace {

struct CudaDoubleControl {
  // One device again, nothing recorded, no faults, work is done at once. What is alive stays.
  void (*reset)();

  void (*set_devices)(int count);

  // The call of that name after `skip` more of them fails with the code, once. Where the name is
  // "kernel", the launch succeeds and its work fails. A code by which a device is lost fails all
  // calls from then on.
  void (*fail)(const char* call, int code, int skip);

  // A slow device: work in streams is not done until finish() or until somebody blocks for it.
  void (*hold)(bool on);

  // Does so many operations of streams, in an order that streams and events allow, one of each
  // stream in turn; -1: all.
  void (*finish)(int operations);

  // The calls since the reset, and what streams did: a line each, but for cuEventQuery. Valid until
  // the thread asks again.
  const char* (*record)();

  // Contexts, streams, events, memory, modules and graphs that have not been ended.
  int (*alive)();
};

// What the double exports beside the driver's functions.
using CudaDoubleGetControl = const CudaDoubleControl*();
inline constexpr const char* kCudaDoubleGetControl = "cuda_double_control";

// Environment variables read when the driver is started: the code that it starts with, and the
// latest CUDA that it says it serves.
inline constexpr const char* kCudaDoubleInit = "CUDA_DOUBLE_INIT";
inline constexpr const char* kCudaDoubleVersion = "CUDA_DOUBLE_VERSION";

// The same for a fault, as fail() takes it: "kernel 719 2".
inline constexpr const char* kCudaDoubleFault = "CUDA_DOUBLE_FAULT";

}  // namespace millrace
