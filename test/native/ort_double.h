// What tests tell the test double of ONNX Runtime with its CUDA provider, and what it tells them.
// The double is a shared library of its own (ort_double.cc) that is loaded in ONNX Runtime's place
// and hands out the real one's functions, but for those that have to do with CUDA: sessions "on
// CUDA" run on the CPU, and memory of a device is taken for the host's. With the double of NVIDIA's
// driver, whose memory it is, the real ONNX Runtime reads and writes that.
#pragma once

namespace millrace {

struct OrtDoubleControl {
  // Nothing recorded, no faults. What is alive stays.
  void (*reset)();

  // So many runs after `skip` more fail with this text, before they do anything.
  void (*fail_runs)(int skip, int count, const char* text);

  // The next run calls this, on the thread that runs, before it does anything.
  void (*before_run)(void (*call)());

  // The runs since the reset, a line each: "run host cuda:94230... -> cuda:9429... new", of inputs
  // and outputs in their order; "new": ONNX Runtime allocates. Valid until the thread asks again.
  const char* (*record)();

  // Values over memory of a device that have not been released.
  int (*alive)();
};

// What the double exports beside OrtGetApiBase.
using OrtDoubleGetControl = const OrtDoubleControl*();
inline constexpr const char* kOrtDoubleGetControl = "ort_double_control";

// Environment variable: the file of the real library.
inline constexpr const char* kOrtDoubleLibrary = "ORT_DOUBLE_LIBRARY";

}  // namespace millrace
