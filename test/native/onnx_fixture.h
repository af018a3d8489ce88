// What the onnx_* tests share: the real library, the models of test/models and of the digits
// example, and tensors that own their elements. The library is the one of node_modules, or the file
// that MILLRACE_ORT_LIBRARY names; without it the tests are skipped.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include "model/onnx_model.h"
#include "model/ort_library.h"

namespace millrace {

inline constexpr const char* kOrtVersion = "1.30.0";

// Runs a batch of whole tensors.
inline Status run(Runner& runner, std::span<const TensorView> inputs,
                  std::vector<TensorView>& outputs) {
  const bool rows = !inputs.empty() && !inputs[0].dims.empty();
  RunResult result;
  Status status = runner.run(
      {rows ? static_cast<std::size_t>(inputs[0].dims[0]) : 1, kNever, inputs, {}}, result);
  outputs = std::move(result.outputs);
  return status;
}

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

inline std::vector<std::byte> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// The only way tests load the library: what starting ONNX Runtime leaks (14 bytes in 1.30.0) is no
// finding, while a handle that we forget still is, which a suppression by library name would hide.
inline Result<const OrtLibrary*> load_ort_library(const OrtLibrarySource& source) {
#if defined(__SANITIZE_ADDRESS__)
  const __lsan::ScopedDisabler on_purpose;
#endif
  return OrtLibrary::load(source);
}

class OnnxTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(ort_library_path())) {
      GTEST_SKIP() << "ONNX Runtime is not at " << ort_library_path()
                   << ": run npm install or set MILLRACE_ORT_LIBRARY";
    }
    auto loaded = load_ort_library({ort_library_path(), kOrtVersion});
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    library_ = loaded.value();
  }

  Result<std::shared_ptr<OnnxModel>> try_load(const std::string& path,
                                              OnnxModelOptions options = {}) {
    return OnnxModel::load(*library_, {path, {}, {}}, std::move(options));
  }

  std::shared_ptr<OnnxModel> load(const std::string& path, OnnxModelOptions options = {}) {
    auto model = try_load(path, std::move(options));
    if (model.ok()) return model.value();
    ADD_FAILURE() << model.error().message;
    return nullptr;
  }

  // All outputs, unless told.
  static std::unique_ptr<Runner> runner_of(Model& model, std::size_t max_batch,
                                           std::vector<std::size_t> outputs = {}) {
    if (outputs.empty()) {
      for (std::size_t i = 0; i < model.outputs().size(); ++i) outputs.push_back(i);
    }
    auto runner = model.make_runner({outputs, max_batch});
    if (runner.ok()) return std::move(runner.value());
    ADD_FAILURE() << runner.error().message;
    return nullptr;
  }

  const OrtLibrary* library_ = nullptr;
};

template <class T>
TensorView view_of(const std::vector<T>& elements, std::vector<std::int64_t> dims) {
  return {reinterpret_cast<const std::byte*>(elements.data()), nullptr, std::move(dims)};
}

inline TensorView view_of(const std::vector<std::string>& elements,
                          std::vector<std::int64_t> dims) {
  return {nullptr, elements.data(), std::move(dims)};
}

inline std::size_t count_of(const TensorView& view) {
  std::size_t count = 1;
  for (const std::int64_t dim : view.dims) count *= static_cast<std::size_t>(dim);
  return count;
}

template <class T>
std::vector<T> elements_of(const TensorView& view) {
  std::vector<T> elements(count_of(view));
  if (!elements.empty()) std::memcpy(elements.data(), view.data, elements.size() * sizeof(T));
  return elements;
}

inline std::vector<std::string> strings_of(const TensorView& view) {
  return {view.strings, view.strings + count_of(view)};
}

using Dims = std::vector<std::int64_t>;

}  // namespace millrace
