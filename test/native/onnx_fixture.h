// What the onnx_* tests share: the real library, the models of test/models and of the digits
// example, and tensors that own their elements. Without the library the tests are skipped.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/onnx_model.h"
#include "model/ort_library.h"
#include "ort_files.h"

namespace millrace {

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

inline std::vector<std::byte> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
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
