// Which later stages are certain to run for a row: only those may make it too late in advance.
#include "engine/outlook.h"

#include "engine_harness.h"

namespace millrace {
namespace {

CertainPaths paths_of(const PipelineSpec& spec) {
  return certain_paths(spec);
}

PipelineSpec chain() {
  return pipeline_of(
      {stage_of("a", fake(), {{from_request()}}), stage_of("b", fake(), {{from_stage(0)}}),
       stage_of("c", fake(), {{from_stage(1)}})},
      {from_stage(2)});
}

TEST(CertainPaths, LeadToEveryStageThatWaitsForNoCondition) {
  EXPECT_EQ(paths_of(chain()), (CertainPaths{{1}, {2}, {}}));
  EXPECT_EQ(paths_of(diamond({})), (CertainPaths{{1, 2}, {3}, {3}, {}}));
}

TEST(CertainPaths, LeadToNoStageWithACondition) {
  EXPECT_EQ(paths_of(cascade(fake(), fake())), (CertainPaths{{}, {}}));
}

TEST(CertainPaths, LeadPastAStageThatMayBeSkippedWhereThereIsAnotherSource) {
  PipelineSpec spec = cascade(fake(), fake());
  spec.stages.push_back(stage_of("last", fake(), {{from_stage(1), from_stage(0)}}));
  EXPECT_EQ(paths_of(spec), (CertainPaths{{2}, {2}, {}}));
  spec.stages[2].inputs = {{from_stage(1)}};
  EXPECT_EQ(paths_of(spec), (CertainPaths{{}, {2}, {}}));
}

TEST(CertainPaths, DoNotLeadToItemsOfWhichThereMayBeNone) {
  PipelineSpec spec = chain();
  spec.stages[0].fan_out = true;
  spec.stages[2].gather = 0;
  EXPECT_EQ(paths_of(spec), (CertainPaths{{}, {2}, {}}));
}

}  // namespace
}  // namespace millrace
