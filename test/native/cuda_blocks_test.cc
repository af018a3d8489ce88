// Blocks of the device's memory, used again and again; and runners that leave rows in them.
#include "cuda_chain.h"

namespace millrace {
namespace {

constexpr std::size_t kNoLimit = CudaBudget::kNoLimit;

class CudaBlocksTest : public CudaHandingTest {
 protected:
  std::shared_ptr<DeviceBlocks> blocks() { return value_of(DeviceBlocks::of(open_before_)); }
  std::size_t taken() { return CudaBudget::of(*open_before_).taken(); }
};

TEST_F(CudaBlocksTest, AreOnesOfTheDeviceForAllWhoAsk) {
  const auto one = blocks();
  const auto two = value_of(DeviceBlocks::of(open()));
  EXPECT_EQ(one, two);
  EXPECT_EQ(DeviceBlocks::device(*open_before_), kernel_model()->block_device());
}

TEST_F(CudaBlocksTest, AreUsedAgainWhenNobodyHoldsThem) {
  const auto pool = blocks();
  BlockHold one = value_of(pool->take(1024, kNoLimit));
  const BlockHold other = value_of(pool->take(1024, kNoLimit));
  const auto address = one.get()->address();
  EXPECT_NE(other.get()->address(), address);
  EXPECT_EQ(address % 256, 0U);
  one.let_go();
  EXPECT_EQ(value_of(pool->take(1024, kNoLimit)).get()->address(), address);
  EXPECT_EQ(count_of("cuMemAlloc_v2"), 2);
  EXPECT_EQ(count_of("cuMemFree_v2"), 0);
}

TEST_F(CudaBlocksTest, CountInTheBudgetAlsoWhileTheyWait) {
  auto pool = blocks();
  { const BlockHold one = value_of(pool->take(1024, kNoLimit)); }
  EXPECT_EQ(taken(), 1024U);
  pool.reset();
  EXPECT_EQ(taken(), 0U);
}

TEST_F(CudaBlocksTest, OutliveWhoeverMadeThem) {
  auto pool = blocks();
  BlockHold one = value_of(pool->take(1024, kNoLimit));
  { const BlockHold two = value_of(pool->take(512, kNoLimit)); }
  pool.reset();
  EXPECT_EQ(taken(), 1536U);
  one.let_go();
  EXPECT_EQ(taken(), 0U);
}

TEST_F(CudaBlocksTest, TakeAQuarterOfTheBudgetAtMost) {
  const auto pool = blocks();
  const BlockHold one = value_of(pool->take(1024, 6000));
  const auto refused = pool->take(512, 6000);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
}

TEST_F(CudaBlocksTest, TakeAQuarterOfTheDeviceAtMost) {
  const std::size_t quarter = value_of(open_before_->memory_info()).total_bytes / 4;
  const auto pool = blocks();
  EXPECT_TRUE(pool->take(quarter, kNoLimit).ok());
  EXPECT_FALSE(pool->take(quarter + 1, kNoLimit).ok());
  EXPECT_TRUE(pool->take(1024, kNoLimit).ok());
}

TEST_F(CudaBlocksTest, AreRefusedWhereOthersHaveTheBudget) {
  const auto others = value_of(CudaBudget::of(*open_before_).reserve(5500, 6000));
  EXPECT_FALSE(blocks()->take(512, 6000).ok());
  EXPECT_TRUE(blocks()->take(256, 6000).ok());
}

TEST_F(CudaBlocksTest, ThatWaitMakeRoomForThoseOfAnotherSize) {
  const auto pool = blocks();
  { const BlockHold one = value_of(pool->take(1024, 6000)); }
  EXPECT_TRUE(pool->take(512, 6000).ok());
  EXPECT_EQ(count_of("cuMemFree_v2"), 1);
}

TEST_F(CudaBlocksTest, MakeRoomForRunnersThatAreMadeLater) {
  const auto pool = blocks();
  { const BlockHold idle = value_of(pool->take(2 * slot_bytes(64), kNoLimit)); }
  CudaModelOptions options = kernel_options();
  options.memory_limit = 2 * slot_bytes(64);
  EXPECT_EQ(kernel_runner(kernel_model(options), 64)->max_batch(), 64U);
}

TEST_F(CudaBlocksTest, ReadToTheHost) {
  const auto model = kernel_model();
  const auto runner = value_of(model->make_runner({{0}, 4, {true}}));
  const KernelRows given(3, 5);
  RunResult result;
  expect_ok(runner->run(given.batch(), result));
  const TensorView& left = result.outputs[0];
  ASSERT_NE(left.handles, nullptr);
  EXPECT_EQ(left.data, nullptr);
  EXPECT_EQ(left.dims, (std::vector<std::int64_t>{3, kKernelWidth}));
  std::vector<float> values(3 * kKernelWidth);
  expect_ok(
      left.handles[0].block->read(left.handles[0].at, std::as_writable_bytes(std::span(values))));
  RunResult read;
  read.outputs = {{reinterpret_cast<const std::byte*>(values.data()), nullptr, left.dims}};
  EXPECT_TRUE(given.doubled(read));
  EXPECT_EQ(count_of("cuMemcpyDtoHAsync_v2"), 0);
}

TEST_F(CudaBlocksTest, AreHeldByARunnerUntilItsSlotIsUsedAgain) {
  auto runner = value_of(kernel_model()->make_runner({{0}, 4, {true}}));
  RunResult result;
  expect_ok(runner->run(KernelRows(1, 1).batch(), result));
  EXPECT_EQ(taken(), 2 * slot_bytes(4) + kBlockBytes);
  expect_ok(runner->run(KernelRows(1, 1).batch(), result));
  EXPECT_EQ(taken(), 2 * slot_bytes(4) + kBlockBytes);
  const BlockHold held(result.outputs[0].handles[0].block);
  runner.reset();
  EXPECT_EQ(taken(), kBlockBytes);
}

TEST_F(CudaBlocksTest, AreOfTheSizeOfTheBatchAndNotOfTheLargest) {
  const auto runner = value_of(kernel_model()->make_runner({{0}, 1024, {true}}));
  const std::size_t before = taken();
  RunResult result;
  expect_ok(runner->run(KernelRows(20, 1).batch(), result));
  EXPECT_EQ(taken() - before, 32 * kKernelWidth * sizeof(float));
}

TEST_F(CudaBlocksTest, GoBackWhereTheBatchFails) {
  const auto runner = value_of(kernel_model()->make_runner({{0}, 4, {true}}));
  control_->fail("cuLaunchKernel", 1, 0);
  RunResult result;
  EXPECT_FALSE(runner->run(KernelRows(1, 1).batch(), result).ok());
  EXPECT_TRUE(DeviceBlocks::give_way(*open_before_));
  EXPECT_EQ(taken(), 2 * slot_bytes(4));
}

TEST_F(CudaBlocksTest, RefuseToBeReadBeyondTheirEnd) {
  const BlockHold one = value_of(blocks()->take(64, kNoLimit));
  std::array<std::byte, 65> to{};
  const Status status = one.get()->read(0, to);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace millrace
