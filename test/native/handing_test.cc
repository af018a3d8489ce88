// Which values are handed on, told from what the pipeline is alone.
#include "engine/handing.h"

#include <gtest/gtest.h>

#include "fake_model.h"

namespace millrace {
namespace {

class DeviceModel final : public Model {
 public:
  DeviceModel(const void* device, std::size_t inputs, std::vector<std::int64_t> dims)
      : device_(device),
        inputs_(inputs, {"x", DataType::kFloat32, dims, {}}),
        outputs_(2, {"y", DataType::kFloat32, dims, {}}) {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  const void* block_device() const override { return device_; }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions&) override {
    return Error{ErrorCode::kModelLoad, "it is only declared"};
  }

 private:
  const void* const device_;
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
};

constexpr int kOne = 1;  // devices are known by an address
constexpr int kOther = 2;

Source request() {
  return {true, 0, 0};
}
Source stage(std::uint32_t index, std::uint32_t output = 0) {
  return {false, index, output};
}

StageSpec stage_on(const void* device, std::vector<std::vector<Source>> inputs,
                   std::vector<std::int64_t> dims = {-1, 4}) {
  StageSpec spec;
  spec.model = std::make_shared<DeviceModel>(device, inputs.size(), std::move(dims));
  spec.inputs = std::move(inputs);
  return spec;
}

PipelineSpec pipeline(std::vector<StageSpec> stages) {
  PipelineSpec spec;
  spec.inputs = {{"x", DataType::kFloat32, {-1, 4}}};
  const auto last = static_cast<std::uint32_t>(stages.size() - 1);
  spec.stages = std::move(stages);
  spec.outputs = {{"out", {stage(last)}, {}, ""}};
  return spec;
}

// x -> a -> b -> c, all on one device.
PipelineSpec chain() {
  return pipeline({stage_on(&kOne, {{request()}}), stage_on(&kOne, {{stage(0)}}),
                   stage_on(&kOne, {{stage(1)}})});
}

// Of the first output of the stage.
bool handed(const PipelineSpec& spec, std::uint32_t index) {
  const Layout layout(spec);
  return layout.values[layout.value_of(stage(index))].handed;
}

TEST(Handing, IsFromStageToStageOnOneDeviceAndNotOfTheEnds) {
  const Layout layout(chain());
  const auto value = [&](const Source& source) { return layout.values[layout.value_of(source)]; };
  EXPECT_FALSE(value(request()).handed);
  EXPECT_TRUE(value(stage(0)).handed);
  EXPECT_TRUE(value(stage(1)).handed);
  EXPECT_FALSE(value(stage(2)).handed) << "it is the pipeline's output";
  EXPECT_FALSE(value(stage(0, 1)).handed) << "nobody reads it";
}

TEST(Handing, MakesHandlesOfTheRowsOfAnInputAndCountsReaders) {
  const Layout layout(chain());
  EXPECT_EQ(layout.stages[0].handed_inputs, std::vector<bool>{false});
  EXPECT_EQ(layout.stages[0].handed_outputs, std::vector<bool>{true});
  EXPECT_EQ(layout.stages[1].handed_inputs, std::vector<bool>{true});
  EXPECT_EQ(layout.stages[1].input_row_bytes, std::vector<std::size_t>{sizeof(RowHandle)});
  EXPECT_EQ(layout.stages[1].taken, std::vector<std::uint32_t>{layout.value_of(stage(0))});
  EXPECT_EQ(layout.values[layout.value_of(stage(0))].readers, 1U);
  EXPECT_EQ(layout.scopes[0].handles_per_row, 2U);
  EXPECT_EQ(layout.scopes[0].record_bytes_per_row, 16U) << "the pipeline's output alone";
}

TEST(Handing, CountsAStageThatReadsAValueTwiceOnce) {
  PipelineSpec spec =
      pipeline({stage_on(&kOne, {{request()}}), stage_on(&kOne, {{stage(0)}, {stage(0)}})});
  const Layout layout(spec);
  EXPECT_EQ(layout.values[layout.value_of(stage(0))].readers, 1U);
  EXPECT_EQ(layout.stages[1].taken.size(), 1U);
}

TEST(Handing, NeedsBothSidesOnTheSameDevice) {
  PipelineSpec spec = chain();
  spec.stages[1] = stage_on(&kOther, {{stage(0)}});
  EXPECT_FALSE(handed(spec, 0));
  EXPECT_FALSE(handed(spec, 1));
  spec.stages[1] = stage_on(nullptr, {{stage(0)}});
  EXPECT_FALSE(handed(spec, 0));
  spec.stages[0] = stage_on(nullptr, {{request()}});
  EXPECT_FALSE(handed(spec, 0)) << "neither is on a device";
}

TEST(Handing, NeedsAllReadersThere) {
  PipelineSpec spec = chain();
  spec.stages.push_back(stage_on(nullptr, {{stage(0)}}));
  EXPECT_FALSE(handed(spec, 0));
  EXPECT_TRUE(handed(spec, 1));
}

TEST(Handing, IsNotOfWhatTheHostReads) {
  PipelineSpec output = chain();
  output.outputs[0].sources.push_back(stage(0));
  EXPECT_FALSE(handed(output, 0));
  PipelineSpec condition = chain();
  condition.stages[2].condition = Condition{stage(0), 0.5, {}, {}};
  EXPECT_FALSE(handed(condition, 0));
  EXPECT_TRUE(handed(condition, 1));
}

TEST(Handing, IsNotBesideACache) {
  PipelineSpec of_giver = chain();
  of_giver.stages[0].cache = CacheSpec{1000, kNever};
  EXPECT_FALSE(handed(of_giver, 0));
  PipelineSpec of_reader = chain();
  of_reader.stages[1].cache = CacheSpec{1000, kNever};
  EXPECT_FALSE(handed(of_reader, 0));
  EXPECT_FALSE(handed(of_reader, 1));
}

TEST(Handing, IsOfRowsOfOneSizeThatAreTakenAsTheyAre) {
  PipelineSpec open = chain();
  open.stages[1] = stage_on(&kOne, {{stage(0)}}, {-1, -1});
  EXPECT_FALSE(handed(open, 0));
  EXPECT_FALSE(handed(open, 1));
  PipelineSpec unlike = chain();
  unlike.stages[1] = stage_on(&kOne, {{stage(0)}}, {-1, 5});
  EXPECT_FALSE(handed(unlike, 0));
  PipelineSpec padded = chain();
  padded.stages[1].padding = {Padding{}};
  EXPECT_FALSE(handed(padded, 0));
  PipelineSpec trimmed = chain();
  trimmed.stages[0].trims = {{Trim{0, 0}}};
  EXPECT_FALSE(handed(trimmed, 0));
  PipelineSpec empty =
      pipeline({stage_on(&kOne, {{request()}}, {-1, 0}), stage_on(&kOne, {{stage(0)}}, {-1, 0})});
  EXPECT_FALSE(handed(empty, 0)) << "there is nothing to hand on";
}

TEST(Handing, IsOfBatchesOnly) {
  PipelineSpec giver = chain();
  giver.stages[0] = stage_on(&kOne, {{request()}}, {1, 4});
  giver.stages[0].batched = false;
  EXPECT_FALSE(handed(giver, 0));
  PipelineSpec reader = chain();
  reader.stages[1].batched = false;
  EXPECT_FALSE(handed(reader, 0));
}

TEST(Handing, IsOfAllCandidatesOfAnInputOrOfNone) {
  PipelineSpec spec = chain();
  spec.stages[2].inputs[0] = {stage(1), stage(0)};
  EXPECT_TRUE(handed(spec, 0));
  EXPECT_TRUE(handed(spec, 1));
  spec.stages[2].inputs[0] = {stage(1), request()};
  EXPECT_TRUE(handed(spec, 0)) << "b still reads it alone";
  EXPECT_FALSE(handed(spec, 1));
}

// a and b come in each other's place at c, b and the request at d.
TEST(Handing, OfAValueEndsThatOfThoseThatMayComeInItsPlace) {
  PipelineSpec spec =
      pipeline({stage_on(&kOne, {{request()}}), stage_on(&kOne, {{request()}}),
                stage_on(&kOne, {{stage(0), stage(1)}}), stage_on(&kOne, {{stage(1), request()}}),
                stage_on(&kOne, {{stage(2)}, {stage(3)}})});
  EXPECT_FALSE(handed(spec, 1));
  EXPECT_FALSE(handed(spec, 0));
  EXPECT_TRUE(handed(spec, 2));
  EXPECT_TRUE(handed(spec, 3));
}

// a makes items; b and c run for each, d for the row: with items of b gathered, or its own alone.
TEST(Handing, StaysInTheScopeOfTheItems) {
  PipelineSpec spec =
      pipeline({stage_on(nullptr, {{request()}}, {-1, -1, 4}), stage_on(&kOne, {{stage(0)}}),
                stage_on(&kOne, {{stage(1)}}), stage_on(nullptr, {{stage(2)}}, {-1, -1, 4})});
  spec.stages[0].fan_out = true;
  spec.stages[3].gather = 0;
  EXPECT_FALSE(handed(spec, 0));
  EXPECT_TRUE(handed(spec, 1)) << "among the items";
  EXPECT_FALSE(handed(spec, 2)) << "it is gathered";
  PipelineSpec down = spec;  // what the row has, read by each of its items
  down.stages = {stage_on(&kOne, {{request()}}), stage_on(nullptr, {{request()}}, {-1, -1, 4}),
                 stage_on(&kOne, {{stage(1)}, {stage(0)}})};
  down.stages[1].fan_out = true;
  down.outputs[0].sources = {stage(2)};
  EXPECT_FALSE(handed(down, 0));
}

}  // namespace
}  // namespace millrace
