#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "cuda/cuda_devices.h"
#include "cuda_fixture.h"

namespace millrace {
namespace {

using Table = cuda::DriverTable;
using CudaDriverTest = CudaTest;

// A further copy of the double, which is a library that was not started yet.
class FreshDouble {
 public:
  explicit FreshDouble(const char* name) : path_(std::filesystem::temp_directory_path() / name) {
    std::filesystem::copy_file(MILLRACE_CUDA_DOUBLE, path_,
                               std::filesystem::copy_options::overwrite_existing);
  }
  ~FreshDouble() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class WithEnvironment {
 public:
  WithEnvironment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~WithEnvironment() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST_F(CudaDriverTest, IsOneToAFile) {
  const CudaDriver* drivers[4] = {};
  std::vector<std::thread> threads;
  for (const CudaDriver*& driver : drivers) {
    threads.emplace_back([&driver] {
      const auto loaded = CudaDriver::load(MILLRACE_CUDA_DOUBLE);
      if (loaded.ok()) driver = loaded.value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const CudaDriver* driver : drivers) EXPECT_EQ(driver, driver_);
  EXPECT_EQ(driver_->cuda_version(), 12040);
  EXPECT_TRUE(driver_->has_device());
}

TEST_F(CudaDriverTest, ThatIsMissingIsAnErrorThatNamesTheFile) {
  const auto loaded = CudaDriver::load("/nowhere/libcuda.so.1");
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kModelLoad);
  EXPECT_NE(loaded.error().message.find("/nowhere/libcuda.so.1"), std::string::npos);
}

TEST_F(CudaDriverTest, ThatLacksAFunctionIsAnErrorThatNamesIt) {
  const auto loaded = CudaDriver::load(MILLRACE_CUDA_DOUBLE_OLD);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find("does not export cuGetErrorName"), std::string::npos)
      << loaded.error().message;
}

TEST_F(CudaDriverTest, ThatDoesNotStartIsAnErrorAndMayBeTriedAgain) {
  const FreshDouble fresh("millrace_cuda_not_ready.so");
  {
    const WithEnvironment not_ready(kCudaDoubleInit, "802");
    const auto loaded = CudaDriver::load(fresh.path());
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::kModelLoad);
    EXPECT_EQ(loaded.error().message, "cuInit: CUDA_ERROR_SYSTEM_NOT_READY");
  }
  EXPECT_TRUE(CudaDriver::load(fresh.path()).ok());
}

TEST_F(CudaDriverTest, MayHaveNoDevice) {
  const FreshDouble fresh("millrace_cuda_no_device.so");
  const WithEnvironment none(kCudaDoubleInit, "100");
  const auto loaded = CudaDriver::load(fresh.path());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_FALSE(loaded.value()->has_device());
  const auto report = list_cuda_devices({fresh.path(), fresh.path()});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report.value().devices.empty());
  EXPECT_EQ(report.value().cuda_version, 12040);
  const auto context = CudaContext::open(*loaded.value(), 0);
  ASSERT_FALSE(context.ok());
  EXPECT_EQ(context.error().message, "there is no CUDA device 0; the driver has 0");
}

TEST_F(CudaDriverTest, SaysWhichVersionOfCudaItServes) {
  const FreshDouble fresh("millrace_cuda_11.so");
  const WithEnvironment old(kCudaDoubleVersion, "11080");
  const auto loaded = CudaDriver::load(fresh.path());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.value()->cuda_version(), 11080);
}

TEST_F(CudaDriverTest, ErrorsNameTheCallAndTheErrorOfCuda) {
  control_->fail("cuDeviceGetCount", 2, 0);
  int count = 0;
  Status status = (*driver_)(&Table::device_count, &count);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(status.error().message, "cuDeviceGetCount: CUDA_ERROR_OUT_OF_MEMORY (out of memory)");

  control_->fail("cuDeviceGetCount", 12345, 0);
  status = (*driver_)(&Table::device_count, &count);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kStageFailed);
  EXPECT_EQ(status.error().message, "cuDeviceGetCount: CUDA error 12345");
  expect_ok((*driver_)(&Table::device_count, &count));
}

TEST_F(CudaDriverTest, ListsDevicesWithoutOpeningThem) {
  control_->set_devices(2);
  const auto report = list_cuda_devices({MILLRACE_CUDA_DOUBLE, MILLRACE_CUDA_DOUBLE});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report.value().driver_version, "550.54.15");
  ASSERT_EQ(report.value().devices.size(), 2U);
  const CudaDeviceInfo& first = report.value().devices[0];
  EXPECT_EQ(first.name, "Double 0");
  EXPECT_EQ(first.memory_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(first.compute_capability, "9.0");
  EXPECT_EQ(first.reading.free_memory_bytes, std::uint64_t{1} << 29);
  EXPECT_EQ(first.reading.utilization_percent, 37);
  EXPECT_EQ(first.reading.temperature_c, 41);
  const CudaDeviceInfo& second = report.value().devices[1];
  EXPECT_EQ(second.index, 1);
  EXPECT_FALSE(second.reading.free_memory_bytes.has_value());  // the double's NVML knows one only
  EXPECT_EQ(std::string(control_->record()).find("cuDevicePrimaryCtxRetain"), std::string::npos);
}

TEST_F(CudaDriverTest, ListsDevicesWithoutNvml) {
  const auto report = list_cuda_devices({MILLRACE_CUDA_DOUBLE, "/nowhere/libnvidia-ml.so.1"});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report.value().driver_version, "");
  ASSERT_EQ(report.value().devices.size(), 1U);
  EXPECT_EQ(report.value().devices[0].name, "Double 0");
  EXPECT_FALSE(report.value().devices[0].reading.utilization_percent.has_value());
}

TEST_F(CudaDriverTest, ThatFailsWhileItIsAskedIsAnError) {
  control_->fail("cuDeviceTotalMem_v2", 719, 0);
  const auto report = list_cuda_devices({MILLRACE_CUDA_DOUBLE, {}});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kDeviceLost);
  EXPECT_EQ(report.error().message, "cuDeviceTotalMem_v2: CUDA_ERROR_LAUNCH_FAILED");
}

}  // namespace
}  // namespace millrace
