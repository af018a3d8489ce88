// Scopes and links: which rows a stage runs for, and who waits for whom.
#include "engine/scopes.h"

#include <gtest/gtest.h>

#include "engine/layout.h"
#include "fake_model.h"

namespace millrace {
namespace {

using Indices = std::vector<std::uint32_t>;

Source request() {
  return {true, 0, 0};
}
Source stage(std::uint32_t index) {
  return {false, index, 0};
}

std::shared_ptr<Model> model(std::vector<std::int64_t> output, std::size_t inputs = 1) {
  const TensorSpec input{"in", DataType::kFloat32, {-1, 2}, {}};
  return std::make_shared<DeclaredModel>(
      std::vector<TensorSpec>(inputs, input),
      std::vector<TensorSpec>{{"out", DataType::kFloat32, std::move(output), {}}});
}

StageSpec plain(std::vector<std::vector<Source>> inputs) {
  StageSpec spec;
  spec.model = model({-1, 2}, inputs.size());
  spec.inputs = std::move(inputs);
  return spec;
}

StageSpec fan_out(std::vector<std::vector<Source>> inputs) {
  StageSpec spec = plain(std::move(inputs));
  spec.model = model({-1, -1, 2});
  spec.fan_out = true;
  return spec;
}

StageSpec gather(std::uint32_t fan_out_stage, std::vector<std::vector<Source>> inputs) {
  StageSpec spec = plain(std::move(inputs));
  spec.gather = fan_out_stage;
  return spec;
}

PipelineSpec pipeline(std::vector<StageSpec> stages) {
  PipelineSpec spec;
  spec.inputs = {{"x", DataType::kFloat32, {-1, 2}}};
  spec.outputs = {{"y", {stage(static_cast<std::uint32_t>(stages.size() - 1))}, {}, ""}};
  spec.stages = std::move(stages);
  return spec;
}

// 0 decode -> 1 segment (fan-out) -> 2 classify (and decode) -> 3 join (gathers 1)
PipelineSpec page() {
  return pipeline({plain({{request()}}), fan_out({{stage(0)}}), plain({{stage(1)}, {stage(0)}}),
                   gather(1, {{stage(2)}, {request()}})});
}

// 0 rows (fan-out) -> 1 cells (fan-out) -> 2 read (also 3, of the request) ; 3 beside
PipelineSpec nested() {
  return pipeline({fan_out({{request()}}), plain({{request()}}), fan_out({{stage(0)}}),
                   plain({{stage(2)}, {stage(1)}})});
}

TEST(Scopes, AreOneWhereNothingFansOut) {
  const Scopes scopes(pipeline({plain({{request()}}), plain({{stage(0)}})}));
  EXPECT_EQ(scopes.all.size(), 1u);
  EXPECT_EQ(scopes.of_stage, (Indices{0, 0}));
}

TEST(Scopes, OpenBelowTheFanOutStageAndEndWhereTheyAreGathered) {
  const Scopes scopes(page());
  EXPECT_EQ(scopes.all.size(), 2u);
  EXPECT_EQ(scopes.all[1].opener, 1u);
  EXPECT_EQ(scopes.of_stage, (Indices{0, 0, 1, 0}));
  EXPECT_EQ(scopes.of(stage(1)), 1u) << "its values are the items'";
  EXPECT_EQ(scopes.of(stage(3)), 0u);
}

TEST(Scopes, TakeTheDeepestThatAStageReads) {
  const PipelineSpec spec = nested();
  const Scopes scopes(spec);
  EXPECT_EQ(scopes.of_stage, (Indices{0, 0, 1, 2}));
  EXPECT_EQ(scopes.all[2].parent, 1u);
  EXPECT_EQ(scopes.all[2].depth, 2u);
  EXPECT_EQ(scopes.step_down(0, 2), 1u);
  EXPECT_EQ(scopes.step_down(1, 2), 2u);
}

TEST(Scopes, CountWhatAConditionReads) {
  PipelineSpec spec = page();
  spec.stages[2].inputs = {{stage(0)}};
  spec.stages[2].model = model({-1, 2});
  EXPECT_EQ(Scopes(spec).of_stage[2], 0u);
  spec.stages[2].condition = Condition{stage(1), {}, {}, {}};
  EXPECT_EQ(Scopes(spec).of_stage[2], 1u);
}

TEST(Scopes, GatherTheInputsThatItemsFeed) {
  const PipelineSpec spec = page();
  const Scopes scopes(spec);
  EXPECT_TRUE(scopes.gathers(spec.stages[3], spec.stages[3].inputs[0]));
  EXPECT_FALSE(scopes.gathers(spec.stages[3], spec.stages[3].inputs[1]));
  EXPECT_FALSE(scopes.gathers(spec.stages[2], spec.stages[2].inputs[0]));
}

TEST(Links, StartTheItemsThroughTheOpeningOfTheirScope) {
  const Layout layout(page());
  EXPECT_EQ(layout.stages[1].successors, Indices{}) << "nobody in its own scope";
  EXPECT_EQ(layout.scopes[1].opening.successors, Indices{2});
}

TEST(Links, RelayAValueAboveWhenItAndTheItemsAreThere) {
  const Layout layout(page());
  ASSERT_EQ(layout.relays.size(), 1u);
  EXPECT_EQ(layout.stages[0].successors, Indices{1});
  EXPECT_EQ(layout.stages[0].relays, Indices{0});
  EXPECT_EQ(layout.scopes[1].relays, Indices{0});
  EXPECT_EQ(layout.relays[0].onward.successors, Indices{2});
  EXPECT_EQ(layout.awaited, (std::vector<std::uint8_t>{0, 1, 2, 1, 2}));
  EXPECT_EQ(layout.counter_of(0), 4u);
}

TEST(Links, RelayFromScopeToScope) {
  const Layout layout(nested());
  ASSERT_EQ(layout.relays.size(), 2u);
  EXPECT_EQ(layout.stages[1].relays, Indices{0});
  EXPECT_EQ(layout.relays[0].scope, 1u);
  EXPECT_EQ(layout.relays[0].onward.relays, Indices{1});
  EXPECT_EQ(layout.relays[1].scope, 2u);
  EXPECT_EQ(layout.relays[1].onward.successors, Indices{3});
}

TEST(Links, RelayToSeveralStagesOfAScopeOnce) {
  PipelineSpec spec = page();
  spec.stages[3] = plain({{stage(1)}, {stage(0)}});
  const Layout layout(spec);
  ASSERT_EQ(layout.relays.size(), 1u);
  EXPECT_EQ(layout.relays[0].onward.successors, (Indices{2, 3}));
}

TEST(Links, CountWhatIsGatheredAsOnePredecessor) {
  PipelineSpec spec = page();
  spec.stages[3] = gather(1, {{stage(2), stage(1)}, {stage(0)}});
  const Layout layout(spec);
  ASSERT_EQ(layout.scopes[1].gatherings.size(), 1u);
  EXPECT_EQ(layout.scopes[1].gatherings[0].stage, 3u);
  EXPECT_EQ(layout.scopes[1].gatherings[0].sources, 1u) << "the items are there once it is open";
  EXPECT_EQ(layout.stages[2].gatherings, Indices{0});
  EXPECT_EQ(layout.stages[3].predecessors, 2) << "decode, and the items";
}

TEST(LayoutOfItems, PutsEachScopesValuesInARecordOfItsOwn) {
  const Layout layout(page());
  EXPECT_EQ(layout.values[layout.value_of(stage(1))].scope, 1u);
  EXPECT_EQ(layout.values[layout.value_of(stage(1))].row_dims, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(layout.values[layout.value_of(stage(1))].column, 0u);
  EXPECT_EQ(layout.values[layout.value_of(stage(2))].column, 8u);
  EXPECT_EQ(layout.scopes[1].record_bytes_per_row, 16u);
  EXPECT_EQ(layout.scopes[0].record_bytes_per_row, 24u) << "the input, decode, join";
}

TEST(LayoutOfItems, GivesWhatIsGatheredABlobWhateverTheModelDeclares) {
  const Layout layout(page());
  ASSERT_TRUE(layout.stages[3].gathered[0]);
  EXPECT_FALSE(layout.stages[3].gathered[1]);
  const ValueLayout& gathered = layout.values[*layout.stages[3].gathered[0]];
  EXPECT_FALSE(gathered.fixed);
  EXPECT_EQ(gathered.scope, 0u);
  EXPECT_EQ(layout.scopes[0].blobs_per_row, 1u);
  EXPECT_EQ(layout.stages[3].input_row_bytes, (std::vector<std::size_t>{0, 8}));
  EXPECT_FALSE(layout.stages[3].fixed_inputs);
  EXPECT_TRUE(layout.stages[2].fixed_inputs);
}

TEST(LayoutOfItems, CountsTheScopesThatARowOpensAmongItsShares) {
  const Layout layout(nested());
  EXPECT_EQ(layout.scopes[0].shares, 3u) << "two stages, and the scope of the rows";
  EXPECT_EQ(layout.scopes[1].shares, 2u);
  EXPECT_EQ(layout.scopes[2].shares, 1u);
}

}  // namespace
}  // namespace millrace
