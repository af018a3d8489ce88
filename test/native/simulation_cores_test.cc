// Threads that share cores, on cases small enough to follow.
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "simulated_chain.h"

namespace millrace {
namespace {

using Row = std::tuple<std::uint32_t, std::uint32_t, Nanos, Nanos>;  // stage, rows, start, end

SimulatedPipeline chain_on(std::uint32_t cores, Nanos slice, std::size_t stages) {
  SimulatedPipeline pipeline = simulated_chain(stages);
  pipeline.cores = {cores, slice};
  return pipeline;
}

std::vector<Row> batches(const Simulation& simulation) {
  std::vector<Row> rows;
  for (const Simulation::Batch& one : simulation.batches())
    rows.emplace_back(one.stage, one.rows, one.start, one.end);
  return rows;
}

TEST(SimulationCores, ChangeNothingWhereEachThreadHasOne) {
  const std::vector<Nanos> arrivals{0, 0, 3, 8};
  const std::vector<SimulatedService> services{simulated_service({{1, 5}}, 2),
                                               simulated_service({{1, 4}}, 1, 4)};
  const auto shared = simulated(chain_on(3, 1, 2), arrivals, services);
  const auto alone = simulated(simulated_chain(2), arrivals, services);
  EXPECT_EQ(batches(*shared), batches(*alone));
}

TEST(SimulationCores, MakeAThreadWaitForAWholeSliceOfAnother) {
  // The second comes at 1 to a core that is taken, and gets it when the slice of the first is over.
  const auto run = simulated(chain_on(1, 4, 1), {0, 1}, {simulated_service({{1, 10}}, 2)});
  // first: 0-4, 8-12, 16-18; second: 4-8, 12-16, 18-20
  EXPECT_EQ(batches(*run), (std::vector<Row>{{0, 1, 0, 18}, {0, 1, 1, 20}}));
}

TEST(SimulationCores, StayWithAThreadFromBatchToBatchUntilItsSliceIsOver) {
  // One replica with three batches of 2 in its line, and the next stage, which has work from 2 on.
  const auto run = simulated(chain_on(1, 5, 2), {0, 0, 0},
                             {simulated_service({{1, 2}}), simulated_service({{1, 1}})});
  // The first stage keeps the core for 0-2, 2-4, 4-5; the second, in line since 2, for 5-6 and 6-7.
  EXPECT_EQ(
      batches(*run),
      (std::vector<Row>{
          {0, 1, 0, 2}, {0, 1, 2, 4}, {1, 1, 2, 6}, {0, 1, 4, 8}, {1, 1, 6, 7}, {1, 1, 8, 9}}));
}

TEST(SimulationCores, GoAtOnceToWhoWaitsWhereASliceWasOverAlready) {
  // Nobody waited when its slice ended at 3; then somebody comes at 7.
  const auto run = simulated(chain_on(1, 3, 1), {0, 7}, {simulated_service({{1, 10}}, 2)});
  EXPECT_EQ(batches(*run), (std::vector<Row>{{0, 1, 0, 13}, {0, 1, 7, 20}}));
}

TEST(SimulationCores, AreSharedWithTheEventLoopWhichTakesAndAnswersRequests) {
  SimulatedPipeline pipeline = chain_on(1, 100, 1);
  pipeline.loop_overhead = 5;
  pipeline.answer_overhead = 2;
  const auto run = simulated(pipeline, {0, 1}, {simulated_service({{1, 10}})});
  // The loop takes both (0-3, 3-6) before it lets go of its core; then 6-16 and 16-26 are served,
  // and both answered from 26 on: the replica was on its core all the time.
  EXPECT_EQ(batches(*run), (std::vector<Row>{{0, 1, 3, 16}, {0, 1, 16, 26}}));
  EXPECT_EQ(run->report(kNever).p50, 28);
  EXPECT_EQ(run->report(kNever).max, 29) << "26 + 2 + 2, since it came at 1";
}

TEST(SimulationCores, SlowDownOnlyThoseThatHaveOne) {
  SimulatedPipeline pipeline = chain_on(2, 1000, 1);
  pipeline.slowdown = {1, 2, 8, 16};
  const auto run = simulated(pipeline, {0, 0, 0}, {simulated_service({{1, 10}}, 3)});
  EXPECT_EQ(batches(*run), (std::vector<Row>{{0, 1, 0, 20}, {0, 1, 0, 20}, {0, 1, 0, 30}}));
}

TEST(SimulationCores, AreTakenSeveralAtOnceByAModelOfSeveralThreads) {
  SimulatedService wide = simulated_service({{1, 10}}, 2);
  wide.threads = 2;
  const auto run = simulated(chain_on(3, 4, 1), {0, 0}, {wide});
  // Two do not fit side by side: 0-4, 4-8, 8-12, 12-16, 16-18, 18-20.
  EXPECT_EQ(batches(*run), (std::vector<Row>{{0, 1, 0, 18}, {0, 1, 0, 20}}));
  wide.threads = 9;
  const auto all = simulated(chain_on(3, 4, 1), {0}, {wide});
  EXPECT_EQ(batches(*all), (std::vector<Row>{{0, 1, 0, 10}})) << "more than there are";
}

TEST(SimulationCores, AreNotTakenByWhatRunsElsewhere) {
  SimulatedService elsewhere = simulated_service({{1, 10}}, 3);
  elsewhere.threads = 0;
  const auto run = simulated(chain_on(1, 1, 1), {0, 0, 0}, {elsewhere});
  EXPECT_EQ(batches(*run), (std::vector<Row>{{0, 1, 0, 10}, {0, 1, 0, 10}, {0, 1, 0, 10}}));
}

}  // namespace
}  // namespace millrace
