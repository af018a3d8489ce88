// The layout: where each value of a request lives.
#include "engine/layout.h"

#include <gtest/gtest.h>

#include "fake_model.h"

namespace millrace {
namespace {

Source request(std::uint32_t index) {
  return {true, 0, index};
}
Source stage(std::uint32_t index, std::uint32_t output) {
  return {false, index, output};
}

StageSpec stage_of(std::shared_ptr<Model> model, std::vector<std::vector<Source>> inputs) {
  StageSpec spec;
  spec.model = std::move(model);
  spec.inputs = std::move(inputs);
  return spec;
}

std::shared_ptr<Model> model_of(std::vector<std::vector<std::int64_t>> inputs,
                                std::vector<std::vector<std::int64_t>> outputs) {
  const auto specs = [](const auto& all) {
    std::vector<TensorSpec> tensors;
    for (const auto& dims : all) tensors.push_back({"t", DataType::kFloat32, dims, {}});
    return tensors;
  };
  return std::make_shared<DeclaredModel>(specs(inputs), specs(outputs));
}

// x -> a (y, z) -> b (reads a.y, and x again); the pipeline's output is b's.
PipelineSpec chain() {
  PipelineSpec spec;
  spec.inputs = {{"x", DataType::kFloat32, {-1, 3}}};
  spec.stages = {stage_of(model_of({{-1, 3}}, {{-1, 5}, {-1, 7}}), {{request(0)}}),
                 stage_of(model_of({{-1, 5}, {-1, 3}}, {{-1}}), {{stage(0, 0)}, {request(0)}})};
  spec.outputs = {{"out", {stage(1, 0)}, {}, ""}};
  return spec;
}

TEST(Layout, NumbersRequestInputsFirstThenTheOutputsOfEachStage) {
  const Layout layout(chain());
  EXPECT_EQ(layout.value_of(request(0)), 0u);
  EXPECT_EQ(layout.value_of(stage(0, 0)), 1u);
  EXPECT_EQ(layout.value_of(stage(0, 1)), 2u);
  EXPECT_EQ(layout.value_of(stage(1, 0)), 3u);
  EXPECT_EQ(layout.values.size(), 4u);
}

TEST(Layout, KeepsOnlyWhatSomebodyReads) {
  const Layout layout(chain());
  EXPECT_TRUE(layout.values[1].kept) << "a.y feeds b";
  EXPECT_FALSE(layout.values[2].kept) << "nobody reads a.z";
  EXPECT_TRUE(layout.values[3].kept) << "it is the pipeline's output";
  EXPECT_EQ(layout.stages[0].model_outputs, (std::vector<std::size_t>{0}));
  EXPECT_EQ(layout.stages[0].output_values, (std::vector<std::uint32_t>{1}));
}

TEST(Layout, GivesEachKeptValueAColumnOnAMultipleOf8) {
  const Layout layout(chain());
  EXPECT_EQ(layout.values[0].column, 0u);
  EXPECT_EQ(layout.values[0].row_bytes, 12u);
  EXPECT_EQ(layout.values[1].column, 16u);
  EXPECT_EQ(layout.values[3].column, 40u);
  EXPECT_EQ(layout.scopes[0].record_bytes_per_row, 48u);
  EXPECT_EQ(layout.scopes[0].blobs_per_row, 0u);
}

TEST(Layout, HandsARequestInputStraightToStagesThatWaitForNobody) {
  PipelineSpec spec = chain();
  spec.stages[1] = stage_of(model_of({{-1, 5}}, {{-1}}), {{stage(0, 0)}});
  EXPECT_FALSE(Layout(spec).values[0].kept);
}

TEST(Layout, KeepsARequestInputThatALaterStageReads) {
  EXPECT_TRUE(Layout(chain()).values[0].kept);
}

TEST(Layout, KeepsARequestInputThatIsAnOutputOfThePipeline) {
  PipelineSpec spec = chain();
  spec.stages.pop_back();
  spec.outputs = {{"out", {request(0)}, {}, ""}};
  EXPECT_TRUE(Layout(spec).values[0].kept);
}

TEST(Layout, KeepsAnOpenRequestInputEvenForAStageOfFixedShape) {
  PipelineSpec spec = chain();
  spec.inputs[0].dims = {-1, -1};
  spec.stages[1] = stage_of(model_of({{-1, 5}}, {{-1}}), {{stage(0, 0)}});
  EXPECT_TRUE(Layout(spec).values[0].kept);
}

TEST(Layout, KeepsWhatAConditionReads) {
  PipelineSpec spec = chain();
  spec.stages[1].condition = Condition{stage(0, 1), 0.5, {}, {}};
  EXPECT_TRUE(Layout(spec).values[2].kept);
}

TEST(Layout, PutsValuesOfOpenShapeAndStringsInBlobs) {
  PipelineSpec spec;
  spec.inputs = {{"text", DataType::kString, {-1, 2}}, {"x", DataType::kFloat32, {-1, -1}}};
  spec.stages = {stage_of(model_of({{-1, 2}, {-1, -1}}, {{-1, -1}}), {{request(0)}, {request(1)}})};
  spec.outputs = {{"out", {stage(0, 0)}, {}, ""}, {"text", {request(0)}, {}, ""}};
  const Layout layout(spec);
  EXPECT_FALSE(layout.values[0].fixed);
  EXPECT_FALSE(layout.values[1].fixed);
  EXPECT_EQ(layout.scopes[0].blobs_per_row, 3u);
  EXPECT_EQ(layout.values[0].blob, 0u);
  EXPECT_EQ(layout.values[1].blob, 1u);
  EXPECT_EQ(layout.values[2].blob, 2u);
  EXPECT_FALSE(layout.stages[0].fixed_inputs);
  EXPECT_EQ(layout.stages[0].input_row_bytes, (std::vector<std::size_t>{8, 0}));
}

TEST(Layout, LeavesTheBatchOutOfARowsShape) {
  const Layout layout(chain());
  EXPECT_EQ(layout.values[0].row_dims, (std::vector<std::int64_t>{3}));
  EXPECT_TRUE(layout.values[3].row_dims.empty());
  EXPECT_EQ(layout.values[3].row_bytes, 4u);
}

TEST(Layout, TakesWholeTensorsForRowsWhereNothingIsBatched) {
  PipelineSpec spec;
  spec.batched = false;
  spec.inputs = {{"x", DataType::kFloat32, {2, 3}}};
  spec.stages = {stage_of(model_of({{2, 3}}, {{6}}), {{request(0)}})};
  spec.stages[0].batched = false;
  spec.outputs = {{"out", {stage(0, 0)}, {}, ""}};
  const Layout layout(spec);
  EXPECT_EQ(layout.values[0].row_bytes, 24u);
  EXPECT_EQ(layout.values[1].row_bytes, 24u);
  EXPECT_FALSE(layout.values[1].batched);
  EXPECT_EQ(layout.stages[0].input_row_bytes, (std::vector<std::size_t>{24}));
}

TEST(Layout, GivesARowOfNoElementsNoBytes) {
  PipelineSpec spec = chain();
  spec.inputs[0].dims = {-1, 0};
  const Layout layout(spec);
  EXPECT_TRUE(layout.values[0].fixed);
  EXPECT_EQ(layout.values[0].row_bytes, 0u);
}

TEST(Layout, NamesTheStagesThatWaitForEachOnce) {
  // a -> b, a -> c, and d reads b, c, and b again through its condition.
  PipelineSpec spec;
  spec.inputs = {{"x", DataType::kFloat32, {-1, 3}}};
  const auto one = model_of({{-1, 3}}, {{-1, 3}});
  spec.stages = {stage_of(one, {{request(0)}}), stage_of(one, {{stage(0, 0)}}),
                 stage_of(one, {{stage(0, 0)}}), stage_of(one, {{stage(1, 0), stage(2, 0)}})};
  spec.stages[3].condition = Condition{stage(1, 0), {}, {}, {}};
  const Layout layout(spec);
  EXPECT_EQ(layout.entry_stages, (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(layout.stages[0].successors, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(layout.stages[1].successors, (std::vector<std::uint32_t>{3}));
  EXPECT_EQ(layout.stages[3].predecessors, 2);
  EXPECT_EQ(layout.stages[0].predecessors, 0);
}

}  // namespace
}  // namespace millrace
