#include "cuda/cuda_stream.h"

#include <array>
#include <cstring>
#include <vector>

#include "cuda/cuda_kernel.h"
#include "cuda/cuda_memory.h"
#include "cuda_fixture.h"

namespace millrace {
namespace {

constexpr std::size_t kBytes = 64;

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
  return std::as_bytes(std::span(values));
}

class CudaStreamTest : public CudaTest {
 protected:
  DeviceMemory device_memory(const std::shared_ptr<const CudaContext>& context,
                             std::size_t bytes = kBytes) {
    return value_of(DeviceMemory::allocate(context, bytes));
  }

  bool is_done(const CudaEvent& event) { return value_of(event.is_done()); }
};

TEST_F(CudaStreamTest, CopiesToTheDeviceAndBack) {
  const auto context = open();
  CudaStream stream = value_of(CudaStream::create(context));
  const DeviceMemory memory = device_memory(context);
  const DeviceMemory other = device_memory(context);
  PinnedMemory from = value_of(PinnedMemory::allocate(context, 16));
  PinnedMemory to = value_of(PinnedMemory::allocate(context, 16));
  std::memset(from.span().data(), 7, 16);
  expect_ok(stream.copy_to_device(memory, from.span(), 48));
  expect_ok(stream.copy_on_device(other, memory.address(), kBytes));
  expect_ok(stream.copy_to_host(to.span(), other, 48));
  expect_ok(stream.synchronize());
  EXPECT_EQ(std::memcmp(from.span().data(), to.span().data(), 16), 0);
}

TEST_F(CudaStreamTest, CopiesThatDoNotFitAreRefusedBeforeTheyBegin) {
  const auto context = open();
  CudaStream stream = value_of(CudaStream::create(context));
  const DeviceMemory memory = device_memory(context);
  std::array<std::byte, kBytes> host{};
  const Status status = stream.copy_to_device(memory, host, 1);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidOption);
  EXPECT_EQ(status.error().message,
            "a copy of 64 bytes at offset 1 does not fit device memory of 64");
  EXPECT_FALSE(stream.copy_to_host(host, memory, 65).ok());
  EXPECT_FALSE(stream.copy_to_host(std::span(host).first(0), memory, 65).ok());
  EXPECT_FALSE(stream.copy_on_device(memory, memory.address(), 65).ok());
  EXPECT_EQ(std::string(control_->record()).find("cuMemcpy"), std::string::npos);
  expect_ok(stream.copy_to_device(memory, std::span(host).first(0), 64));  // nothing to do
  EXPECT_EQ(std::string(control_->record()).find("cuMemcpy"), std::string::npos);
}

TEST_F(CudaStreamTest, AnEventIsDoneWhenAllBeforeItIs) {
  const auto context = open();
  CudaStream stream = value_of(CudaStream::create(context));
  const CudaEvent event = value_of(CudaEvent::create(context));
  const DeviceMemory memory = device_memory(context);
  const std::vector<float> values(16, 1.0F);
  EXPECT_TRUE(is_done(event));  // never recorded
  control_->hold(true);
  expect_ok(stream.copy_to_device(memory, bytes_of(values)));
  expect_ok(stream.record(event));
  EXPECT_FALSE(is_done(event));
  EXPECT_FALSE(value_of(stream.is_done()));
  control_->finish(1);
  EXPECT_FALSE(is_done(event));
  control_->finish(1);
  EXPECT_TRUE(is_done(event));
  EXPECT_TRUE(value_of(stream.is_done()));
}

TEST_F(CudaStreamTest, WaitsForAnEventOfAnotherStream) {
  const auto context = open();
  CudaStream copies = value_of(CudaStream::create(context));
  CudaStream work = value_of(CudaStream::create(context));
  const CudaEvent copied = value_of(CudaEvent::create(context));
  const CudaEvent worked = value_of(CudaEvent::create(context));
  const DeviceMemory memory = device_memory(context);
  const std::vector<float> values{1, 2, 3, 4};
  std::vector<float> result(4);
  control_->hold(true);
  // The second stream is asked first to do something, and must wait all the same.
  expect_ok(copies.copy_to_device(memory, bytes_of(values)));
  expect_ok(copies.record(copied));
  expect_ok(work.wait_for(copied));
  expect_ok(work.copy_to_host(std::as_writable_bytes(std::span(result)), memory));
  expect_ok(work.record(worked));
  EXPECT_FALSE(is_done(worked));
  expect_ok(worked.wait());  // blocks for what it needs of both
  EXPECT_EQ(result, values);
  EXPECT_TRUE(is_done(copied));
}

TEST_F(CudaStreamTest, RunsKernelsInOrder) {
  const auto context = open();
  CudaStream stream = value_of(CudaStream::create(context));
  CudaKernel kernel = value_of(CudaKernel::load(context, ".entry twice", "twice"));
  const DeviceMemory memory = device_memory(context);
  const std::vector<float> values{1, 2, 3, 4};
  std::vector<float> result(4);
  expect_ok(stream.copy_to_device(memory, bytes_of(values)));
  cuda::DeviceAddress address = memory.address();
  unsigned count = 4;
  std::array<void*, 2> arguments = {&address, &count};
  expect_ok(kernel.launch({{1, 1, 1}, {32, 1, 1}, 0}, arguments, stream));
  expect_ok(kernel.launch({{1, 1, 1}, {32, 1, 1}, 0}, arguments, stream));
  expect_ok(stream.copy_to_host(std::as_writable_bytes(std::span(result)), memory));
  expect_ok(stream.synchronize());
  EXPECT_EQ(result, (std::vector<float>{4, 8, 12, 16}));
}

TEST_F(CudaStreamTest, AKernelThatIsNotInItsModuleIsAnErrorThatNamesIt) {
  const auto kernel = CudaKernel::load(open(), ".entry twice", "thrice");
  ASSERT_FALSE(kernel.ok());
  EXPECT_EQ(kernel.error().message, "cuModuleGetFunction: CUDA_ERROR_NOT_FOUND, kernel thrice");
}

TEST_F(CudaStreamTest, OutOfMemoryIsAnErrorOfItsOwnAndTheNextMayFit) {
  const auto context = open();
  const auto info = value_of(context->memory_info());
  EXPECT_EQ(info.free_bytes, info.total_bytes);
  const auto refused = DeviceMemory::allocate(context, info.total_bytes + 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(refused.error().message, "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  const DeviceMemory memory = device_memory(context, 1024);
  EXPECT_EQ(value_of(context->memory_info()).free_bytes, info.total_bytes - 1024);

  control_->fail("cuMemHostAlloc", 2, 1);
  const PinnedMemory first = value_of(PinnedMemory::allocate(context, 16));
  EXPECT_EQ(PinnedMemory::allocate(context, 16).error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(DeviceMemory::allocate(context, 0).error().code, ErrorCode::kInvalidOption);
  EXPECT_EQ(PinnedMemory::allocate(context, 0).error().code, ErrorCode::kInvalidOption);
}

TEST_F(CudaStreamTest, AFailedLaunchLosesTheDeviceAndEveryLaterCallSaysSo) {
  const auto context = open();
  CudaStream stream = value_of(CudaStream::create(context));
  const CudaEvent event = value_of(CudaEvent::create(context));
  CudaKernel kernel = value_of(CudaKernel::load(context, ".entry twice", "twice"));
  const DeviceMemory memory = device_memory(context);
  cuda::DeviceAddress address = memory.address();
  unsigned count = 4;
  std::array<void*, 2> arguments = {&address, &count};
  control_->hold(true);
  control_->fail("kernel", 719, 0);
  expect_ok(kernel.launch({{1, 1, 1}, {32, 1, 1}, 0}, arguments, stream));  // it is not run yet
  expect_ok(stream.record(event));
  control_->finish(-1);
  const auto done = event.is_done();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kDeviceLost);
  EXPECT_EQ(done.error().message, "cuEventQuery: CUDA_ERROR_LAUNCH_FAILED");
  EXPECT_EQ(DeviceMemory::allocate(context, 16).error().code, ErrorCode::kDeviceLost);
  EXPECT_EQ(stream.synchronize().error().code, ErrorCode::kDeviceLost);
  EXPECT_EQ(CudaStream::create(context).error().code, ErrorCode::kDeviceLost);
}  // and all of it ends quietly

TEST_F(CudaStreamTest, WhatWasMovedFromEndsNothing) {
  const auto context = open();
  DeviceMemory memory = device_memory(context);
  DeviceMemory moved = std::move(memory);
  memory = device_memory(context, 8);
  std::swap(memory, moved);
  EXPECT_EQ(memory.bytes(), kBytes);
  EXPECT_EQ(moved.bytes(), 8U);
}

TEST_F(CudaStreamTest, IsNotMadeWhereTheDriverRefuses) {
  const auto context = open();
  control_->fail("cuStreamCreate", 2, 0);
  EXPECT_FALSE(CudaStream::create(context).ok());
  control_->fail("cuEventCreate", 2, 0);
  EXPECT_FALSE(CudaEvent::create(context).ok());
  control_->fail("cuModuleLoadDataEx", 1, 0);
  EXPECT_FALSE(CudaKernel::load(context, ".entry twice", "twice").ok());
  control_->fail("cuDevicePrimaryCtxRetain", 2, 0);
  EXPECT_FALSE(CudaContext::open(*driver_, 0).ok());
  EXPECT_EQ(CudaContext::open(*driver_, 1).error().code, ErrorCode::kInvalidOption);
  EXPECT_EQ(CudaContext::open(*driver_, -1).error().code, ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace millrace
