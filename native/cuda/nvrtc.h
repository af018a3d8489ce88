// NVIDIA's run-time compiler (NVRTC): CUDA C++ made into a program for a device. Loaded at run
// time, from the CUDA toolkit or wherever the system finds it, when C++ source is to be compiled;
// PTX needs none of it. It needs no device, and no driver.
//
// One to a file, shared by every thread, and leaked. Immutable after load(), safe from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace {

// A kernel in CUDA C++, not yet compiled.
struct KernelSource {
  std::string text;
  std::string kernel;  // how C++ names it: "resize", "ns::top_k<5>"
  std::string file;    // what the compiler's log calls the source
  std::vector<std::pair<std::string, std::string>> defines;  // macros, by name
};

// What a driver loads.
struct CompiledKernel {
  std::string image;  // a binary for the device, or PTX
  std::string name;   // the kernel in it, mangled where C++ mangles
};

// What to compile for, given the compute capability of a device (90 is 9.0) and those that the
// compiler knows, ascending: the device itself, as a binary that asks nothing of the driver's own
// compiler; where it is newer than the compiler, PTX for the latest before it. Empty where the
// compiler knows only later ones. Pure.
std::string nvrtc_target(int capability, std::span<const int> known);

class Nvrtc {
 public:
  // The library in the file `path`; where that is empty, the first that is found of those that the
  // toolkits of CUDA 11 to 13 install. Errors: kModelLoad, with all that was tried.
  static Result<const Nvrtc*> load(const std::string& path = {});

  Nvrtc(const Nvrtc&) = delete;
  Nvrtc& operator=(const Nvrtc&) = delete;

  // Such as "12.4".
  [[nodiscard]] const std::string& version() const { return version_; }

  // Takes from 0.1 s to seconds. Errors: kModelLoad, with the compiler's log where it has one.
  [[nodiscard]] Result<CompiledKernel> compile(const KernelSource& source, int capability) const;

 private:
  struct Table;
  class Program;
  Nvrtc(std::shared_ptr<const Table> table, std::string version)
      : table_(std::move(table)), version_(std::move(version)) {}
  static Result<const Nvrtc*> open(const std::string& file);

  const std::shared_ptr<const Table> table_;
  const std::string version_;
};

}  // namespace millrace
