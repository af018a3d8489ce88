// Where tests find the real ONNX Runtime and models for it. The library is the one of node_modules,
// or the file that MILLRACE_ORT_LIBRARY names.
#pragma once

#include <cstdlib>
#include <string>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include "model/ort_library.h"

namespace millrace {

inline constexpr const char* kOrtVersion = "1.30.0";

inline std::string repository_file(const std::string& relative) {
  return std::string(MILLRACE_ROOT "/") + relative;
}

inline std::string test_model(const std::string& name) {
  return repository_file("test/models/" + name + ".onnx");
}

inline std::string digits_model(const std::string& name) {
  return repository_file("examples/01-digits-cascade/models/digits-" + name + ".onnx");
}

inline std::string ort_library_path() {
  if (const char* named = std::getenv("MILLRACE_ORT_LIBRARY")) return named;
#if defined(__aarch64__)
  const std::string cpu = "arm64";
#else
  const std::string cpu = "x64";
#endif
#if defined(__APPLE__)
  return repository_file("node_modules/onnxruntime-node/bin/napi-v6/darwin/" + cpu +
                         "/libonnxruntime.1.30.0.dylib");
#else
  return repository_file("node_modules/onnxruntime-node/bin/napi-v6/linux/" + cpu +
                         "/libonnxruntime.so.1");
#endif
}

// The only way tests load the library: what starting ONNX Runtime leaks (14 bytes in 1.30.0) is no
// finding, while a handle that we forget still is, which a suppression by library name would hide.
inline Result<const OrtLibrary*> load_ort_library(const OrtLibrarySource& source) {
#if defined(__SANITIZE_ADDRESS__)
  const __lsan::ScopedDisabler on_purpose;
#endif
  return OrtLibrary::load(source);
}

}  // namespace millrace
