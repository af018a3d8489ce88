// What a simulation promises (native/simulator/simulation.h), on cases small enough to follow.
#include "simulator/simulation.h"

#include <gtest/gtest.h>

#include <tuple>

#include "simulated_chain.h"
#include "trial.h"

namespace millrace {

bool operator==(const Simulation::Batch& a, const Simulation::Batch& b) {
  return std::tie(a.stage, a.rows, a.start, a.end) == std::tie(b.stage, b.rows, b.start, b.end);
}
std::ostream& operator<<(std::ostream& out, const Simulation::Batch& b) {
  return out << "{" << b.stage << ", " << b.rows << ", " << b.start << ", " << b.end << "}";
}

namespace {

using Batches = std::vector<Simulation::Batch>;

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr Nanos kNoLimit = kNever;

Batches batches_of(const Simulation& simulation) {
  return {simulation.batches().begin(), simulation.batches().end()};
}

std::uint64_t late(const SimulatedPipeline& pipeline, std::vector<Nanos> arrivals,
                   const std::vector<SimulatedService>& services, Nanos limit,
                   std::uint64_t enough = kAll) {
  Simulation simulation(make_traffic(pipeline, std::move(arrivals), 1), services, {});
  return simulation.count_late(limit, enough, std::atomic<bool>{false});
}

// One stage -------------------------------------------------------------------------------------

TEST(Simulation, OfASingleStageIsWhatOneComesToByHand) {
  const auto run =
      simulated(simulated_chain(1), {0, 1, 2, 10}, {simulated_service({{1, 4}, {2, 6}}, 1, 2)});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 4}, {0, 2, 4, 10}, {0, 1, 10, 14}}));
  const SimulationReport report = run->report(8);
  EXPECT_EQ(report.arrived, 4u);
  EXPECT_EQ(report.finished, 4u);
  EXPECT_EQ(report.p50, 4);  // of 4, 9, 8, 4
  EXPECT_EQ(report.p95, 9);
  EXPECT_EQ(report.max, 9);
  EXPECT_EQ(report.late, 1u);
  EXPECT_EQ(report.stages[0].visits, 4u);
  EXPECT_EQ(report.stages[0].batches, 3u);
  EXPECT_EQ(report.stages[0].queue_p99, 3);
  EXPECT_DOUBLE_EQ(report.stages[0].utilization, 1);
}

TEST(Simulation, SharesAStageAmongItsReplicas) {
  const auto run = simulated(simulated_chain(1), {0, 0, 0}, {simulated_service({{1, 5}}, 2)});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 5}, {0, 1, 0, 5}, {0, 1, 5, 10}}));
  EXPECT_DOUBLE_EQ(run->report(kNoLimit).stages[0].utilization, 0.75);
}

TEST(Simulation, HoldsAnUnfilledBatchBackUntilItIsFullOrItsDelayIsOver) {
  const auto run =
      simulated(simulated_chain(1), {0, 2, 20, 22, 23}, {simulated_service({{1, 1}}, 1, 3, 10)});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 2, 10, 11}, {0, 3, 23, 24}}));
}

TEST(Simulation, AddsItsOverheadsToABatchAndToARequest) {
  SimulatedPipeline pipeline = simulated_chain(2);
  pipeline.request_overhead = 100;
  std::vector<SimulatedService> services(2, simulated_service({{1, 10}}));
  services[1] = simulated_service({{1, 20}});
  for (SimulatedService& service : services) service.hop_overhead = 3;
  const auto run = simulated(pipeline, {5}, services);
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 5, 18}, {1, 1, 18, 41}}));
  EXPECT_EQ(run->report(kNoLimit).max, 136);
}

TEST(Simulation, TakesLongerForABatchWhoseReplicaHasRested) {
  SimulatedService service = simulated_service({{1, 10}});
  service.wake_overhead = 5;
  const Nanos again = 1000 + kRest;
  const auto run = simulated(simulated_chain(1), {0, 1, 20, again, 1'000'000'000}, {service});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 15},
                                       {0, 1, 15, 25},
                                       {0, 1, 25, 35},
                                       {0, 1, again, again + 15},
                                       {0, 1, 1'000'000'000, 1'000'000'015}}));
}

TEST(Simulation, LetsRequestsInOneAfterTheOtherWhereTheLoopTakesTime) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.loop_overhead = 4;
  const auto run = simulated(pipeline, {5, 6, 20}, {simulated_service({{1, 1}})});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 9, 10}, {0, 1, 13, 14}, {0, 1, 24, 25}}));
  EXPECT_EQ(run->report(kNoLimit).p50, 5);
  EXPECT_EQ(run->report(kNoLimit).max, 8) << "since it arrived";
  EXPECT_EQ(late(pipeline, {5, 6, 20}, {simulated_service({{1, 1}})}, 7), 1u);
}

TEST(Simulation, SeesAllThatHappensAtAnInstantBeforeItDecides) {
  // At 10 the first stage's row arrives at the second together with a replica that becomes free.
  const auto run =
      simulated(simulated_chain(2), {0, 5, 10},
                {simulated_service({{1, 5}}, 9, 1), simulated_service({{1, 5}}, 1, 4)});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 5},
                                       {0, 1, 5, 10},
                                       {1, 1, 5, 10},
                                       {0, 1, 10, 15},
                                       {1, 1, 10, 15},
                                       {1, 1, 15, 20}}));
}

TEST(Simulation, EndsWhereBatchesTakeNoTime) {
  const auto run = simulated(simulated_chain(3), {7, 7, 8}, {3, simulated_service({{1, 0}})});
  EXPECT_EQ(run->batches().size(), 9u);
  EXPECT_EQ(run->report(0).max, 0);
  EXPECT_EQ(run->now(), 8);
}

// Ways through ----------------------------------------------------------------------------------

TEST(Simulation, AnswersARequestThatVisitsNothingAtOnce) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.paths[0].visits.clear();
  pipeline.request_overhead = 2;
  const auto run = simulated(pipeline, {1, 2}, {simulated_service({{1, 5}})});
  EXPECT_EQ(run->report(kNoLimit).finished, 2u);
  EXPECT_EQ(run->report(kNoLimit).max, 2);
}

TEST(Simulation, StartsAStageWhenWhatAStageThatIsSkippedWaitsForIsOver) {
  SimulatedPipeline pipeline = simulated_chain(3);
  pipeline.paths[0].visits = {{0, 1}, {2, 1}};
  const auto run = simulated(pipeline, {0}, {3, simulated_service({{1, 5}})});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 5}, {2, 1, 5, 10}}));
}

TEST(Simulation, StartsAJoinWithTheLastOfWhatItWaitsFor) {
  SimulatedPipeline pipeline = simulated_chain(4);
  pipeline.stages[2].predecessors = {0};
  pipeline.stages[3].predecessors = {1, 2};
  const auto run = simulated(pipeline, {0},
                             {simulated_service({{1, 1}}), simulated_service({{1, 10}}),
                              simulated_service({{1, 20}}), simulated_service({{1, 5}})});
  EXPECT_EQ(batches_of(*run),
            (Batches{{0, 1, 0, 1}, {1, 1, 1, 11}, {2, 1, 1, 21}, {3, 1, 21, 26}}));
}

// split -> each (an item) -> join
SimulatedPipeline split_and_join(std::uint32_t items) {
  SimulatedPipeline pipeline = simulated_chain(3);
  pipeline.stages[0].fan_out = true;
  pipeline.stages[2].gather = 0;
  pipeline.paths = {{0, {{1, 1}}, {}}, {1, {{0, 1}, {2, 1}}, {{0, items, 0}}}};
  return pipeline;
}

TEST(Simulation, MakesItemsAndGathersThem) {
  const auto run = simulated(split_and_join(3), {0}, {3, simulated_service({{1, 10}}, 1, 2)});
  EXPECT_EQ(batches_of(*run),
            (Batches{{0, 1, 0, 10}, {1, 2, 10, 20}, {1, 1, 20, 30}, {2, 1, 30, 40}}));
}

TEST(Simulation, GathersNoItemsAsSoonAsThatIsKnown) {
  const auto run = simulated(split_and_join(0), {0}, {3, simulated_service({{1, 10}})});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 10}, {2, 1, 10, 20}}));
}

TEST(Simulation, EndsARequestWithTheLastOfItsItems) {
  SimulatedPipeline pipeline = split_and_join(2);
  pipeline.paths[1].visits = {{0, 1}};
  const auto run = simulated(pipeline, {0}, {3, simulated_service({{1, 10}})});
  EXPECT_EQ(run->report(kNoLimit).max, 30);
}

TEST(Simulation, EndsAVisitOfSeveralRowsWithTheLastOfThem) {
  SimulatedPipeline pipeline = simulated_chain(2);
  pipeline.paths[0].visits[0].times = 3;
  const auto run = simulated(pipeline, {0}, {2, simulated_service({{1, 10}}, 1, 2)});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 2, 0, 10}, {0, 1, 10, 20}, {1, 1, 20, 30}}));
}

TEST(Simulation, EndsARequestOfSeveralRowsWithTheLastOfThem) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.paths = {{0, {{0, 1}}, {}}, {1, {}, {{SimulatedItems::kRequest, 3, 0}}}};
  const auto run = simulated(pipeline, {0}, {simulated_service({{1, 10}}, 1, 2)});
  EXPECT_EQ(run->report(kNoLimit).finished, 1u);
  EXPECT_EQ(run->report(kNoLimit).max, 20);
}

TEST(Simulation, DrawsPathsByTheirShares) {
  SimulatedPipeline pipeline = simulated_chain(2);
  pipeline.paths = {{3, {{0, 1}}, {}}, {1, {{0, 1}, {1, 1}}, {}}};
  const auto run = simulated(pipeline, std::vector<Nanos>(100'000, 0),
                             {2, simulated_service({{1, 1}}, 1'000'000)});
  EXPECT_EQ(run->report(kNoLimit).stages[0].visits, 100'000u);
  EXPECT_NEAR(static_cast<double>(run->report(kNoLimit).stages[1].visits), 25'000, 600);
}

// Contention ------------------------------------------------------------------------------------

TEST(Simulation, SlowsBatchesDownByTheThreadsThatAreBusy) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.slowdown = {1, 2};
  // Alone until 4, then at half the rate until the first has done the 6 that are left, at 16.
  const auto run = simulated(pipeline, {0, 4}, {simulated_service({{1, 10}}, 2)});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 16}, {0, 1, 4, 20}}));
}

TEST(Simulation, SlowsDownInProportionBeyondTheThreadsThatAreKnown) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.slowdown = {1, 2};
  const auto run = simulated(pipeline, {0, 0, 0, 0}, {simulated_service({{1, 10}}, 4)});
  EXPECT_EQ(run->report(kNoLimit).max, 40);
}

TEST(Simulation, DoesNotSlowDownBatchesThatKeepNoThreadBusy) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.slowdown = {1, 5};
  SimulatedService service = simulated_service({{1, 10}}, 2);
  service.threads = 0;
  EXPECT_EQ(simulated(pipeline, {0, 0}, {service})->report(kNoLimit).max, 10);
}

TEST(Simulation, SlowsDownBatchesByTheReplicasThatAreBusyOnTheirDevice) {
  SimulatedPipeline pipeline = simulated_chain(1);
  pipeline.slowdown = {1, 7};
  pipeline.device_slowdowns = {{1, 3}, {1, 2}};
  SimulatedService service = simulated_service({{1, 10}}, 2);
  service.device = 2;
  // Alone until 4, then at half the rate until the first has done the 6 that are left, at 16.
  const auto run = simulated(pipeline, {0, 4}, {service});
  EXPECT_EQ(batches_of(*run), (Batches{{0, 1, 0, 16}, {0, 1, 4, 20}}));
}

// Service times that are drawn ------------------------------------------------------------------

TEST(Simulation, DrawsServiceTimesFromTheSpread) {
  SimulatedService service = simulated_service({{1, 1000}}, 1'000'000);
  service.spread = {0.5, 1, 3};
  const auto run = simulated(simulated_chain(1), std::vector<Nanos>(100'000, 0), {service},
                             {.drawn = true, .seed = 3});
  double sum = 0;
  for (const Simulation::Batch& batch : run->batches()) {
    EXPECT_GE(batch.end, 500);
    EXPECT_LE(batch.end, 3000);
    sum += static_cast<double>(batch.end);
  }
  EXPECT_NEAR(sum / 100'000, 1375, 10);  // half from 0.5 to 1, half from 1 to 3
}

TEST(Simulation, DrawsTheSameForABatchWhateverElseIsSimulated) {
  SimulatedService drawn = simulated_service({{1, 1000}}, 1);
  drawn.spread = {0.5, 1.5};
  const SimulationOptions options{.drawn = true, .seed = 3};
  const std::vector<Nanos> arrivals = poisson_arrivals(100, 1000, 1);
  const auto durations = [&](std::size_t replicas) {
    SimulatedService second = drawn;
    second.replicas = replicas;
    const auto run = simulated(simulated_chain(2), arrivals, {drawn, second}, options);
    std::vector<Nanos> all;
    for (const Simulation::Batch& batch : run->batches()) {
      if (batch.stage == 0) all.push_back(batch.end - batch.start);
    }
    return all;
  };
  EXPECT_EQ(durations(1).size(), 100u);
  EXPECT_EQ(durations(1), durations(5));
}

// Changes and steps -----------------------------------------------------------------------------

TEST(Simulation, LetsBatchesEndWhenReplicasBecomeFewer) {
  Simulation simulation(make_traffic(simulated_chain(1), {0, 0, 5, 5}, 1),
                        {simulated_service({{1, 10}}, 2)}, {});
  simulation.record_batches();
  simulation.advance(3);
  simulation.set_replicas(0, 1);
  EXPECT_FALSE(simulation.advance(kNever));
  EXPECT_EQ(batches_of(simulation),
            (Batches{{0, 1, 0, 10}, {0, 1, 0, 10}, {0, 1, 10, 20}, {0, 1, 20, 30}}));
  EXPECT_DOUBLE_EQ(simulation.report(kNoLimit).stages[0].utilization, 1);
}

TEST(Simulation, PutsMoreReplicasToWorkAtOnce) {
  Simulation simulation(make_traffic(simulated_chain(1), {0, 0, 0}, 1),
                        {simulated_service({{1, 10}}, 1)}, {});
  simulation.record_batches();
  EXPECT_TRUE(simulation.advance(4));
  simulation.set_replicas(0, 2);
  EXPECT_TRUE(simulation.advance(4));
  EXPECT_EQ(batches_of(simulation), (Batches{{0, 1, 0, 10}, {0, 1, 4, 14}}));
  EXPECT_EQ(simulation.report(kNoLimit).stages[0].waiting, 1u);
}

TEST(Simulation, ServesOtherwiseFromAChangeOn) {
  Simulation simulation(make_traffic(simulated_chain(1), {0, 1, 1, 1, 1}, 1),
                        {simulated_service({{1, 10}})}, {});
  simulation.record_batches();
  simulation.advance(1);
  simulation.set_service(0, simulated_service({{1, 20}}, 1, 4));
  simulation.advance(kNever);
  EXPECT_EQ(batches_of(simulation), (Batches{{0, 1, 0, 10}, {0, 4, 10, 30}}));
}

TEST(Simulation, InStepsIsTheSameAsInOneGo) {
  const std::vector<Nanos> arrivals = poisson_arrivals(2000, 1000, 5);
  const std::vector<SimulatedService> services(
      2, simulated_service({{1, 3000}, {4, 5000}}, 2, 4, 500));
  const auto whole = simulated(simulated_chain(2), arrivals, services);
  Simulation steps(make_traffic(simulated_chain(2), arrivals, 1), services, {});
  steps.record_batches();
  for (Nanos at = 0; steps.advance(at); at += 777) EXPECT_EQ(steps.now(), at);
  EXPECT_EQ(batches_of(steps), batches_of(*whole));
}

TEST(Simulation, IsTheSameEachTime) {
  SimulatedPipeline pipeline = simulated_chain(3);
  pipeline.slowdown = {1, 1.1, 1.3};
  pipeline.paths.push_back({0.7, {{0, 1}, {2, 1}}, {}});
  SimulatedService service = simulated_service({{1, 3000}, {8, 7000}}, 2, 8);
  service.spread = {0.8, 1, 1.3};
  const std::vector<Nanos> arrivals = poisson_arrivals(3000, 1500, 5);
  const auto run = [&](std::uint64_t seed) {
    return batches_of(*simulated(pipeline, arrivals, {3, service}, {.drawn = true, .seed = seed}));
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

// Who is late -----------------------------------------------------------------------------------

TEST(Simulation, OfNothingReportsNothing) {
  const auto run = simulated(simulated_chain(1), {}, {simulated_service({{1, 5}})});
  EXPECT_EQ(run->report(0).arrived, 0u);
  EXPECT_EQ(run->report(0).max, 0);
  EXPECT_DOUBLE_EQ(run->report(0).stages[0].utilization, 0);
  EXPECT_EQ(late(simulated_chain(1), {}, {simulated_service({{1, 5}})}, 0), 0u);
}

TEST(Simulation, WaitsForEverWithoutReplicas) {
  const SimulatedService nobody = simulated_service({{1, 5}}, 0);
  Simulation run(make_traffic(simulated_chain(1), {0, 50}, 1), {nobody}, {});
  run.advance(60);
  EXPECT_EQ(run.report(20).late, 1u) << "the second may still be in time";
  EXPECT_FALSE(run.advance(kNever));
  EXPECT_EQ(run.report(20).late, 2u);
  EXPECT_EQ(run.report(20).finished, 0u);
  EXPECT_EQ(run.report(20).stages[0].waiting, 2u);
  EXPECT_EQ(late(simulated_chain(1), {0, 50}, {nobody}, 1'000'000), 2u);
}

TEST(Simulation, CountsAsLateWhatIsLaterThanTheLimit) {
  const SimulatedService service = simulated_service({{1, 10}});
  EXPECT_EQ(late(simulated_chain(1), {0, 0, 0}, {service}, 30), 0u);
  EXPECT_EQ(late(simulated_chain(1), {0, 0, 0}, {service}, 29), 1u);
  EXPECT_EQ(late(simulated_chain(1), {0, 0, 0}, {service}, 9), 3u);
}

TEST(Simulation, StopsCountingAtTheFirstBeyondEnough) {
  const SimulatedService service = simulated_service({{1, 1000}});
  std::vector<Nanos> arrivals = poisson_arrivals(1'000'000, 10, 1);
  Simulation simulation(make_traffic(simulated_chain(1), arrivals, 1), {service}, {});
  EXPECT_EQ(simulation.count_late(5000, 50, std::atomic<bool>{false}), 51u);
  EXPECT_LT(simulation.report(5000).arrived, 10'000u);
}

TEST(Simulation, StopsCountingWhenCancelled) {
  Simulation simulation(make_traffic(simulated_chain(1), poisson_arrivals(100'000, 10, 1), 1),
                        {simulated_service({{1, 5}})}, {});
  EXPECT_EQ(simulation.count_late(1, kAll, std::atomic<bool>{true}), 0u);
  EXPECT_LT(simulation.report(1).arrived, 100'000u);
}

// More replicas ---------------------------------------------------------------------------------

// At batches of one, on one path, and with service times that are always the same, requests stay in
// order everywhere. (With batches more replicas can mean smaller batches, and be worse.)
TEST(Simulation, WithMoreReplicasIsNeverWorse) {
  for (std::uint64_t seed = 1; seed <= 300 / det::kSeedDivisor; ++seed) {
    det::Random random(seed);
    SimulatedPipeline pipeline = simulated_chain(static_cast<std::size_t>(1 + random.below(5)));
    std::vector<SimulatedService> services;
    for (std::uint32_t i = 0; i < pipeline.stages.size(); ++i) {
      if (i > 1 && random.one_in(2)) pipeline.stages[i].predecessors.push_back(i - 2);
      if (i > 1 && random.one_in(3)) pipeline.stages[i].predecessors = {i - 2};
      services.push_back(simulated_service({{1, 100 + random.below(3000)}},
                                           static_cast<std::size_t>(1 + random.below(3))));
    }
    const std::vector<Nanos> arrivals = poisson_arrivals(500, 1000, seed);
    const SimulationReport few = simulated(pipeline, arrivals, services)->report(5000);
    ++services[static_cast<std::size_t>(random.below(static_cast<int>(services.size())))].replicas;
    const SimulationReport more = simulated(pipeline, arrivals, services)->report(5000);
    EXPECT_LE(more.p50, few.p50) << "seed " << seed;
    EXPECT_LE(more.p95, few.p95) << "seed " << seed;
    EXPECT_LE(more.p99, few.p99) << "seed " << seed;
    EXPECT_LE(more.max, few.max) << "seed " << seed;
    EXPECT_LE(more.late, few.late) << "seed " << seed;
  }
}

}  // namespace
}  // namespace millrace
