// Models of ONNX Runtime "on CUDA" beside kernels: the double of ONNX Runtime (ort_double.h) on the
// memory of the driver's double, y = x for the model `identity`.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/shared_library.h"
#include "cuda/cuda_block_device.h"
#include "cuda_chain.h"
#include "model/onnx_model.h"
#include "ort_double.h"
#include "ort_files.h"

namespace millrace {

class CudaOnnxTest : public CudaHandingTest {
 protected:
  // What a run was given: "host", "new", or "cuda:" and the address.
  struct OrtRun {
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
  };

  void SetUp() override {
    CudaHandingTest::SetUp();
    if (!std::filesystem::exists(ort_library_path()))
      GTEST_SKIP() << "ONNX Runtime is not at " << ort_library_path();
    setenv(kOrtDoubleLibrary, ort_library_path().c_str(), 1);
    const auto loaded = load_ort_library({MILLRACE_ORT_DOUBLE, kOrtVersion});
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    ort_ = loaded.value();
    const auto file = SharedLibrary::open(MILLRACE_ORT_DOUBLE);
    ASSERT_TRUE(file.ok());
    const AnyFunction get = file.value().symbol(kOrtDoubleGetControl);
    double_ = reinterpret_cast<OrtDoubleGetControl*>(get)();
    double_->reset();
  }

  void TearDown() override {
    if (double_ != nullptr) {
      EXPECT_EQ(double_->alive(), 0);
    }
    CudaHandingTest::TearDown();
  }

  static OnnxModelOptions on_cuda(int device = 0, std::size_t limit = CudaBudget::kNoLimit) {
    OnnxModelOptions options;
    options.provider = {ProviderKind::kCuda, device, {}};
    options.blocks = value_of(CudaBlockDevice::open({MILLRACE_CUDA_DOUBLE, device, limit}));
    return options;
  }

  std::shared_ptr<OnnxModel> load(const std::string& path, OnnxModelOptions options) {
    return value_of(OnnxModel::load(*ort_, {path, {}, {}}, std::move(options)));
  }
  std::shared_ptr<OnnxModel> identity(OnnxModelOptions options) {
    return load(test_model("identity-float32"), std::move(options));
  }
  std::shared_ptr<OnnxModel> identity() { return identity(on_cuda()); }

  [[nodiscard]] std::vector<OrtRun> runs() const {
    std::vector<OrtRun> runs;
    std::istringstream record(double_->record());
    for (std::string line; std::getline(record, line);) {
      std::istringstream words(line);
      OrtRun& run = runs.emplace_back();
      bool outputs = false;
      std::string word;
      for (words >> word; words >> word;) {
        if (word == "->") {
          outputs = true;
        } else {
          (outputs ? run.outputs : run.inputs).push_back(word);
        }
      }
    }
    return runs;
  }

  static bool on_device(const std::string& place) { return place.rfind("cuda:", 0) == 0; }

  // Copies of the device's that were asked for, of any kind.
  [[nodiscard]] int copies() const {
    return to_device() + to_host() + CudaHandingTest::on_device();
  }

  const OrtLibrary* ort_ = nullptr;
  const OrtDoubleControl* double_ = nullptr;
};

}  // namespace millrace
