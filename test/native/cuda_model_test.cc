// A kernel as a model: loaded from PTX and from C++, run on batches, given what memory there is.
#include "cuda/cuda_model.h"

#include "cuda/nvrtc.h"
#include "cuda_kernel_model.h"

namespace millrace {
namespace {

using CudaModelTest = CudaTest;

KernelSource cpp_source(const std::string& text) {
  return {text, "twice_rows", "twice.cu", {{"WIDTH", "4"}}};
}

CudaModelOptions cpp_options() {
  CudaModelOptions options = kernel_options();
  options.ptx = false;
  return options;
}

TEST_F(CudaModelTest, RunsAKernelOfPtxOnABatch) {
  const auto model = kernel_model();
  EXPECT_EQ(model->inputs()[0].name, "x");
  EXPECT_EQ(model->outputs()[0].name, "y");
  const auto runner = kernel_runner(model);
  RunResult result;
  for (const std::size_t rows : {1U, 4U, 3U}) {
    const KernelRows given(rows, 5);
    expect_ok(runner->run(given.batch(), result));
    EXPECT_TRUE(given.doubled(result));
  }
  EXPECT_NE(std::string(control_->record()).find("cuLaunchKernel 3 x 4"), std::string::npos);
}

TEST_F(CudaModelTest, RunsAKernelOfCppByItsMangledName) {
  const auto model = value_of(CudaModel::load(
      double_libraries(), cpp_source("__global__ void twice_rows() {}"), cpp_options()));
  const auto runner = kernel_runner(model);
  const KernelRows given(2, 1);
  RunResult result;
  expect_ok(runner->run(given.batch(), result));
  EXPECT_TRUE(given.doubled(result));
}

TEST_F(CudaModelTest, CopiesOnlyOutputsThatAreWanted) {
  const auto model = kernel_model();
  const auto runner = value_of(model->make_runner({{}, 4}));
  RunResult result;
  expect_ok(runner->run(KernelRows(2, 1).batch(), result));
  EXPECT_TRUE(result.outputs.empty());
  EXPECT_EQ(std::string(control_->record()).find("cuMemcpyDtoHAsync"), std::string::npos);
}

TEST_F(CudaModelTest, AnErrorOfTheCompilerCarriesItsLog) {
  const auto model =
      CudaModel::load(double_libraries(), cpp_source("#error no such thing"), cpp_options());
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kModelLoad);
  EXPECT_EQ(model.error().message,
            "kernel twice_rows: nvrtcCompileProgram: NVRTC_ERROR_COMPILATION\n"
            "twice.cu(1): error: no such thing");
}

TEST_F(CudaModelTest, AnErrorOfTheDriversCompilerDoesToo) {
  KernelSource source = ptx_source();
  source.text = ".version 8.0 invalid";
  const auto model = CudaModel::load(double_libraries(), source, kernel_options());
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().message,
            "kernel twice_rows: cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX\n"
            "ptxas: line 2; syntax error");
}

TEST_F(CudaModelTest, ALibraryThatIsMissingIsNamed) {
  const CudaKernelLibraries libraries{MILLRACE_CUDA_DOUBLE, "/nowhere/libnvrtc.so"};
  const auto model = CudaModel::load(libraries, cpp_source("twice_rows"), cpp_options());
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kModelLoad);
  EXPECT_NE(model.error().message.find("(NVRTC) was not found: /nowhere/libnvrtc.so"),
            std::string::npos);
  const auto other = CudaModel::load({"/nowhere/libcuda.so", ""}, ptx_source(), kernel_options());
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.find("/nowhere/libcuda.so"), std::string::npos);
}

TEST_F(CudaModelTest, PtxNeedsNoCompiler) {
  const CudaKernelLibraries libraries{MILLRACE_CUDA_DOUBLE, "/nowhere/libnvrtc.so"};
  EXPECT_TRUE(CudaModel::load(libraries, ptx_source(), kernel_options()).ok());
}

TEST_F(CudaModelTest, ADeviceThatIsNotThereIsAnInvalidOption) {
  CudaModelOptions options = kernel_options();
  options.device = 3;
  const auto model = CudaModel::load(double_libraries(), ptx_source(), options);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidOption);
}

TEST_F(CudaModelTest, TakesRowsOfOneSizeOnly) {
  CudaModelOptions options = kernel_options();
  options.inputs[0].dims = {-1, -1};
  const auto model = CudaModel::load(double_libraries(), ptx_source(), options);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().message,
            "kernel twice_rows: the rows of 'x' must be numbers of one fixed size, since a kernel "
            "is given memory only");
}

TEST_F(CudaModelTest, ACompilerThatKnowsTheDeviceMakesABinaryForIt) {
  const std::vector<int> known = {75, 80, 90};
  EXPECT_EQ(nvrtc_target(90, known), "sm_90");
  EXPECT_EQ(nvrtc_target(80, known), "sm_80");
}

TEST_F(CudaModelTest, ACompilerOlderThanTheDeviceMakesPtxForTheDriverToCompile) {
  const std::vector<int> known = {75, 80, 90};
  EXPECT_EQ(nvrtc_target(120, known), "compute_90");
  EXPECT_EQ(nvrtc_target(89, known), "compute_80");
}

TEST_F(CudaModelTest, ACompilerThatKnowsOnlyLaterDevicesIsOfNoUse) {
  EXPECT_EQ(nvrtc_target(70, std::vector<int>{75, 80}), "");
  EXPECT_EQ(nvrtc_target(70, {}), "");
}

TEST_F(CudaModelTest, ARunnerThatWasEndedRefusesWhatComesLater) {
  const auto runner = kernel_runner(kernel_model());
  runner->terminate();
  RunResult result;
  const Status status = runner->run(KernelRows(1, 1).batch(), result);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace millrace
