// Routing: what a row's own values say about its way.
#include "engine/routing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/output.h"
#include "fake_model.h"

namespace millrace {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Source stage(std::uint32_t index) {
  return {false, index, 0};
}

// Stages 0 and 1 give one value each, of a type and the row's shape; stage 2 has it all to choose.
class RoutingTest : public testing::Test {
 protected:
  void declare(DataType type, std::vector<std::int64_t> dims = {-1}) {
    const auto source = std::make_shared<DeclaredModel>(
        std::vector<TensorSpec>{}, std::vector<TensorSpec>{{"out", type, dims, {}}});
    const auto sink = std::make_shared<DeclaredModel>(
        std::vector<TensorSpec>{{"in", type, dims, {}}}, std::vector<TensorSpec>{});
    spec_.inputs = {{"x", type, dims}};
    spec_.stages.resize(3);
    for (StageSpec& one : spec_.stages) one.model = source;
    spec_.stages[2].model = sink;
    spec_.stages[2].inputs = {{stage(1), stage(0)}};
    spec_.stages[2].condition = Condition{stage(0), {}, {}, {}};
    spec_.outputs = {{"out", {stage(1), stage(0)}, {}, ""}};
    request_.reset();  // it looks at its layout when it goes
    layout_ = std::make_unique<Layout>(spec_);
    request_ = std::make_unique<Request>(*layout_, 0);
    request_->prepare(1);
  }

  template <class T>
  void ran(std::uint32_t index, T value) {
    std::memcpy(request_->record_row(layout_->value_of(stage(index)), 0), &value, sizeof value);
    request_->mark_ran(0, index);
  }

  Blob& ran_open(std::uint32_t index, std::vector<std::int64_t> dims) {
    Blob& blob = request_->blob_row(layout_->value_of(stage(index)), 0);
    blob.dims = std::move(dims);
    request_->mark_ran(0, index);
    return blob;
  }

  bool below(double limit) { return test({stage(0), limit, {}, {}}); }
  bool above(double limit) { return test({stage(0), {}, limit, {}}); }
  bool equals(double value) { return test({stage(0), {}, {}, value}); }
  bool equals_text(std::string value) { return test({stage(0), {}, {}, std::move(value)}); }
  bool test(const Condition& condition) { return holds(condition, *layout_, *request_, 0); }

  template <class T>
  void compares(DataType type, T value) {
    SCOPED_TRACE(type_name(type));
    declare(type);
    ran(0, value);
    const auto number = static_cast<double>(value);
    EXPECT_TRUE(equals(number));
    EXPECT_FALSE(equals(number + 1));
    EXPECT_TRUE(below(number + 0.5));
    EXPECT_FALSE(below(number));
    EXPECT_TRUE(above(number - 0.5));
    EXPECT_FALSE(above(number));
  }

  PipelineSpec spec_;
  std::unique_ptr<Layout> layout_;
  std::unique_ptr<Request> request_;
};

TEST_F(RoutingTest, ComparesStrictly) {
  declare(DataType::kFloat32);
  ran(0, 0.5f);
  EXPECT_TRUE(below(0.51));
  EXPECT_FALSE(below(0.5));
  EXPECT_TRUE(above(0.49));
  EXPECT_FALSE(above(0.5));
  EXPECT_TRUE(equals(0.5));
  EXPECT_FALSE(equals(0.51));
}

TEST_F(RoutingTest, WantsEveryTestOfAConditionToHold) {
  declare(DataType::kFloat32);
  ran(0, 0.5f);
  EXPECT_TRUE(test({stage(0), 0.6, 0.4, {}}));
  EXPECT_FALSE(test({stage(0), 0.6, 0.5, {}}));
  EXPECT_FALSE(test({stage(0), 0.5, 0.4, {}}));
  EXPECT_FALSE(test({stage(0), 0.6, 0.4, 0.55}));
}

TEST_F(RoutingTest, HoldsOnceTheStageRanWhereNothingIsCompared) {
  declare(DataType::kFloat32);
  EXPECT_FALSE(test({stage(0), {}, {}, {}}));
  ran(0, 0.5f);
  EXPECT_TRUE(test({stage(0), {}, {}, {}}));
}

TEST_F(RoutingTest, DoesNotHoldForARowTheStageDidNotRunFor) {
  declare(DataType::kFloat32);
  ran(1, 0.5f);
  EXPECT_FALSE(below(100));
}

TEST_F(RoutingTest, NeverHoldsForNaN) {
  declare(DataType::kFloat64);
  ran(0, kNan);
  EXPECT_FALSE(below(1));
  EXPECT_FALSE(above(1));
  EXPECT_FALSE(equals(kNan));
}

TEST_F(RoutingTest, ComparesInfinities) {
  declare(DataType::kFloat64);
  ran(0, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(below(-1e308));
  EXPECT_FALSE(above(-1e308));
}

TEST_F(RoutingTest, ComparesEveryTypeOfNumber) {
  compares(DataType::kFloat32, -2.5f);
  compares(DataType::kFloat64, 1e10);
  compares(DataType::kInt8, std::int8_t{-128});
  compares(DataType::kUint8, std::uint8_t{255});
  compares(DataType::kInt16, std::int16_t{-32768});
  compares(DataType::kUint16, std::uint16_t{65535});
  compares(DataType::kInt32, std::int32_t{-2147483647});
  compares(DataType::kUint32, std::uint32_t{4294967295});
  compares(DataType::kInt64, std::int64_t{-1} << 40);
  compares(DataType::kUint64, std::uint64_t{1} << 40);
  compares(DataType::kBool, std::uint8_t{1});
}

TEST_F(RoutingTest, ComparesFloat16) {
  declare(DataType::kFloat16);
  ran(0, std::uint16_t{0x3800});  // 0.5
  EXPECT_TRUE(equals(0.5));
  ran(0, std::uint16_t{0xc000});  // -2
  EXPECT_TRUE(equals(-2));
  ran(0, std::uint16_t{0x0001});  // the least above 0
  EXPECT_TRUE(equals(std::ldexp(1.0, -24)));
  ran(0, std::uint16_t{0xfc00});
  EXPECT_TRUE(below(-65504));
  ran(0, std::uint16_t{0x7e00});  // NaN
  EXPECT_FALSE(below(1));
}

TEST_F(RoutingTest, ComparesStringsForEqualityOnly) {
  declare(DataType::kString);
  ran_open(0, {}).strings = {"cat"};
  EXPECT_TRUE(equals_text("cat"));
  EXPECT_FALSE(equals_text("dog"));
  EXPECT_FALSE(equals(1));
  EXPECT_FALSE(below(1));
}

TEST_F(RoutingTest, LooksAtTheFirstElementOfAnOpenRow) {
  declare(DataType::kUint8, {-1, -1});
  ran_open(0, {2}).bytes = {std::byte{7}, std::byte{9}};
  EXPECT_TRUE(equals(7));
}

TEST_F(RoutingTest, DoesNotHoldForARowWithoutElements) {
  declare(DataType::kFloat32, {-1, -1});
  ran_open(0, {0});
  EXPECT_FALSE(above(-1e9));
  EXPECT_FALSE(below(1e9));
}

TEST_F(RoutingTest, DoesNotHoldForARowWithoutStrings) {
  declare(DataType::kString, {-1, -1});
  ran_open(0, {0});
  EXPECT_FALSE(equals_text(""));
}

TEST_F(RoutingTest, TakesTheFirstCandidateThatRan) {
  declare(DataType::kFloat32);
  const std::vector<Source> candidates{stage(1), stage(0)};
  EXPECT_EQ(first_that_ran(candidates, *request_, 0), nullptr);
  ran(0, 1.0f);
  EXPECT_EQ(first_that_ran(candidates, *request_, 0), &candidates[1]);
  ran(1, 1.0f);
  EXPECT_EQ(first_that_ran(candidates, *request_, 0), &candidates[0]);
}

TEST_F(RoutingTest, TakesAnInputOfTheRequestWhereNoCandidateBeforeItRan) {
  declare(DataType::kFloat32);
  const std::vector<Source> candidates{stage(0), Source{}};
  EXPECT_EQ(first_that_ran(candidates, *request_, 0), &candidates[1]);
}

TEST_F(RoutingTest, RunsAStageWhoseConditionHoldsAndWhoseInputsAreThere) {
  declare(DataType::kFloat32);
  spec_.stages[2].condition = Condition{stage(0), 0.5, {}, {}};
  ran(0, 0.4f);
  EXPECT_TRUE(should_run(spec_.stages[2], *layout_, *request_, 0));
  ran(0, 0.6f);
  EXPECT_FALSE(should_run(spec_.stages[2], *layout_, *request_, 0));
}

TEST_F(RoutingTest, SkipsAStageThatMissesAnInput) {
  declare(DataType::kFloat32);
  spec_.stages[2].condition.reset();
  EXPECT_FALSE(should_run(spec_.stages[2], *layout_, *request_, 0));
  ran(1, 0.0f);
  EXPECT_TRUE(should_run(spec_.stages[2], *layout_, *request_, 0));
  spec_.stages[2].inputs = {{stage(1)}, {stage(0)}};
  EXPECT_FALSE(should_run(spec_.stages[2], *layout_, *request_, 0)) << "one of two is missing";
}

TEST_F(RoutingTest, DecidesForEachRowByItself) {
  declare(DataType::kFloat32);
  request_->prepare(2);
  const float scores[2] = {0.1f, 0.9f};
  for (std::uint32_t row = 0; row < 2; ++row) {
    std::memcpy(request_->record_row(layout_->value_of(stage(0)), row), &scores[row], 4);
    request_->mark_ran(row, 0);
  }
  const Condition condition{stage(0), 0.5, {}, {}};
  EXPECT_TRUE(holds(condition, *layout_, *request_, 0));
  EXPECT_FALSE(holds(condition, *layout_, *request_, 1));
}

TEST_F(RoutingTest, ReadsAnOutputRowByRowAndFillsWhereNothingRan) {
  declare(DataType::kFloat32);
  request_->prepare(3);
  const auto write = [&](std::uint32_t index, std::uint32_t row, float value) {
    std::memcpy(request_->record_row(layout_->value_of(stage(index)), row), &value, sizeof value);
    request_->mark_ran(row, index);
  };
  write(0, 0, 10);
  write(0, 1, 11);
  write(1, 1, 21);
  const float fill = -1;
  spec_.outputs[0].fill.resize(sizeof fill);
  std::memcpy(spec_.outputs[0].fill.data(), &fill, sizeof fill);
  float read[3] = {};
  read_fixed_output(spec_.outputs[0], OutputLayout(spec_.outputs[0], *layout_), *layout_, *request_,
                    reinterpret_cast<std::byte*>(read));
  EXPECT_EQ(read[0], 10) << "only the second candidate ran";
  EXPECT_EQ(read[1], 21) << "both ran";
  EXPECT_EQ(read[2], -1) << "none ran";
}

}  // namespace
}  // namespace millrace
