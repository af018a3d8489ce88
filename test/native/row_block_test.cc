// Blocks of rows, handles into them, and models that are shown what handles mean.
#include "model/row_block.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "fake_model.h"
#include "model/host_rows.h"

namespace millrace {
namespace {

constexpr std::size_t kRowBytes = 4 * sizeof(float);

// Of a device whose memory can only be read through it, until it is lost.
class FarBlock final : public RowBlock {
 public:
  explicit FarBlock(std::vector<float> values)
      : RowBlock(&kDevice, 0), values_(std::move(values)) {}

  Status read(std::size_t at, std::span<std::byte> to) const override {
    ++reads;
    if (lost) return Error{ErrorCode::kDeviceLost, "it is gone"};
    std::memcpy(to.data(), reinterpret_cast<const std::byte*>(values_.data()) + at, to.size());
    return {};
  }

  bool lost = false;
  mutable int reads = 0;
  int unheld_times = 0;

 private:
  static constexpr int kDevice = 1;
  void unheld() noexcept override { ++unheld_times; }
  const std::vector<float> values_;
};

HostBlock* host_block(const std::vector<float>& values) {
  HostBlock* const block = HostBlock::make(values.size() * sizeof(float));
  std::memcpy(block->data(), values.data(), values.size() * sizeof(float));
  return block;
}

std::vector<float> row_of(float first) {
  return {first, first, first, first};
}
std::vector<float> rows_from(float first, std::size_t count) {
  std::vector<float> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = row_of(first + static_cast<float>(i));
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

TEST(RowBlock, IsTheLastHoldersToEnd) {
  FarBlock block({});
  {
    const BlockHold one(&block);
    BlockHold two(&block);
    two.let_go();
    two.let_go();
    EXPECT_EQ(block.unheld_times, 0);
  }
  EXPECT_EQ(block.unheld_times, 1);
  const BlockHold again(&block);
  EXPECT_EQ(block.unheld_times, 1);
}

TEST(RowBlock, IsHeldOnceByAHoldThatMoves) {
  FarBlock block({});
  {
    BlockHold one(&block);
    BlockHold two = std::move(one);
    BlockHold three;
    three = std::move(two);
    EXPECT_EQ(three.get(), &block);
    EXPECT_EQ(block.unheld_times, 0);
  }
  EXPECT_EQ(block.unheld_times, 1);
}

TEST(RowBlock, OfTheHostIsReadWhereItLies) {
  HostBlock* const block = host_block({1, 2, 3});
  const BlockHold held(block);
  EXPECT_EQ(block->device(), nullptr);
  std::array<float, 2> read{};
  ASSERT_TRUE(block->read(sizeof(float), std::as_writable_bytes(std::span(read))).ok());
  EXPECT_EQ(read, (std::array<float, 2>{2, 3}));
}

TEST(RowBlock, RunsEndWhereTheBlockDoesOrARowIsLeftOut) {
  FarBlock a({});
  FarBlock b({});
  const std::vector<RowHandle> rows{{&a, 0}, {&a, 16}, {&a, 48}, {&b, 64}, {&b, 48}, {&b, 64}};
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  each_run(rows, 16, [&](std::size_t first, std::size_t count) { runs.push_back({first, count}); });
  EXPECT_EQ(runs,
            (std::vector<std::pair<std::size_t, std::size_t>>{{0, 2}, {2, 1}, {3, 1}, {4, 2}}));
  EXPECT_EQ(run_length({}, 16), 0U);
}

TEST(RowBlock, OfADeviceIsATensorFromWhereOneMayBegin) {
  FarBlock far(std::vector<float>(256));
  ASSERT_EQ(far.address() % kTensorAlignment, 0U);
  const std::array<RowHandle, 3> rows{
      {{&far, 0}, {&far, kTensorAlignment / 2}, {&far, kTensorAlignment}}};
  constexpr std::size_t kHalf = kTensorAlignment / 2;
  EXPECT_TRUE(is_tensor_on(far.device(), rows, kHalf));
  EXPECT_FALSE(is_tensor_on(nullptr, rows, kHalf)) << "another device";
  EXPECT_FALSE(is_tensor_on(far.device(), std::span(rows).subspan(1), kHalf)) << "from its middle";
  EXPECT_FALSE(is_tensor_on(far.device(), rows, kHalf / 2)) << "not one stretch";
}

TEST(RowBlock, HasRoomForTensorsOfSoManyRowsAsIsAPowerOfTwo) {
  const std::array<std::size_t, 3> row_bytes{100, 0, 8};
  const BlockPlan plan = plan_block(row_bytes, 5);
  EXPECT_EQ(plan.starts, (std::vector<std::size_t>{0, 1024, 1024}));  // 8 rows of 100, aligned
  EXPECT_EQ(plan.bytes, 1024U + 256U);
  EXPECT_EQ(plan_block(row_bytes, 8).bytes, plan.bytes);
}

class HostRows : public testing::Test {
 protected:
  Status run(const std::vector<RowHandle>& rows) {
    TensorView view{nullptr, nullptr, {static_cast<std::int64_t>(rows.size()), 4}, rows.data()};
    return runner_->run({rows.size(), kNever, {&view, 1}, {}}, result_);
  }
  std::vector<float> seen() { return model_.script().batches().back().firsts; }

  FakeModel model_;
  std::unique_ptr<Runner> runner_ =
      on_host_rows(std::move(model_.make_runner({{0}, 8}).value()), model_);
  RunResult result_;
};

TEST_F(HostRows, AreShownWhereTheyLieInOneStretchOfTheHost) {
  HostBlock* const block = host_block(rows_from(10, 3));
  const BlockHold held(block);
  ASSERT_TRUE(run({{block, kRowBytes}, {block, 2 * kRowBytes}}).ok());
  EXPECT_EQ(seen(), (std::vector<float>{11, 12}));
  EXPECT_EQ(model_.script().batches().back().data, block->data() + kRowBytes);
}

TEST_F(HostRows, AreCopiedTogetherFromSeveralBlocks) {
  HostBlock* const near = host_block(rows_from(10, 2));
  const BlockHold held(near);
  FarBlock far(rows_from(20, 3));
  ASSERT_TRUE(run({{&far, kRowBytes}, {&far, 2 * kRowBytes}, {near, kRowBytes}, {near, 0}}).ok());
  EXPECT_EQ(seen(), (std::vector<float>{21, 22, 11, 10}));
  EXPECT_EQ(far.reads, 1);
}

TEST_F(HostRows, AreWhatTheyAreWhereTheyComeAsRows) {
  const std::vector<float> rows = rows_from(5, 2);
  TensorView view{reinterpret_cast<const std::byte*>(rows.data()), nullptr, {2, 4}};
  ASSERT_TRUE(runner_->run({2, kNever, {&view, 1}, {}}, result_).ok());
  EXPECT_EQ(model_.script().batches().back().data, rows.data());
}

TEST_F(HostRows, LeaveNoHandlesOfAnotherRunnerInTheResult) {
  const RowHandle left;
  result_.outputs = {TensorView{nullptr, nullptr, {}, &left}};
  HostBlock* const block = host_block(rows_from(1, 1));
  const BlockHold held(block);
  ASSERT_TRUE(run({{block, 0}}).ok());
  EXPECT_EQ(result_.outputs[0].handles, nullptr);
  EXPECT_NE(result_.outputs[0].data, nullptr);
}

TEST_F(HostRows, OfALostDeviceFailTheBatchForGood) {
  FarBlock far(rows_from(20, 2));
  far.lost = true;
  const Status status = run({{&far, 0}, {&far, kRowBytes}});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kDeviceLost);
  EXPECT_EQ(status.error().message, "it is gone");
  EXPECT_EQ(model_.script().runs, 0);
}

TEST_F(HostRows, ThatAreLostAmongOthersFailItForAnotherTryInHalves) {
  FarBlock far(rows_from(20, 2));
  far.lost = true;
  HostBlock* const near = host_block(rows_from(10, 1));
  const BlockHold held(near);
  const Status status = run({{&far, 0}, {near, 0}});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kStageFailed);
}

}  // namespace
}  // namespace millrace
