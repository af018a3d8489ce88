// The simulator and a second, naive one, on random pipelines: every batch, every latency.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "random_pipelines.h"

namespace millrace::reference {
namespace {

constexpr int kSeeds = 4000;

// One pipeline and what is done to it; the same for both.
struct Case {
  SimulatedPipeline pipeline;
  std::vector<SimulatedService> services;
  std::vector<Nanos> arrivals;
  std::uint64_t seed = 0;
  struct Change {
    Nanos at = 0;
    std::size_t stage = 0;
    std::optional<SimulatedService> service;  // or else only replicas
    std::size_t replicas = 0;
  };
  std::vector<Change> changes;
};

Case random_case(std::uint64_t seed, const Grid& grid, bool items, bool changes) {
  RandomPipeline random(seed, grid);
  Case made;
  made.pipeline = random.pipeline(items);
  made.services = random.services(made.pipeline.stages.size());
  made.arrivals = random.arrivals();
  made.seed = seed;
  Nanos at = 0;
  for (int i = changes ? random.random().below(6) : 0; i > 0; --i) {
    at += random.span() * random.random().below(6);
    Case::Change change{at, 0, {}, 0};
    change.stage = static_cast<std::size_t>(
        random.random().below(static_cast<int>(made.pipeline.stages.size())));
    change.replicas = static_cast<std::size_t>(random.random().below(4));
    if (random.random().one_in(3)) change.service = random.service();
    made.changes.push_back(change);
  }
  return made;
}

template <class AnySimulation>
void run(AnySimulation& simulation, const Case& one) {
  for (const Case::Change& change : one.changes) {
    simulation.advance(change.at);
    if (change.service) {
      simulation.set_service(change.stage, *change.service);
    } else {
      simulation.set_replicas(change.stage, change.replicas);
    }
  }
  simulation.advance(kNever);
}

Nanos rank(const std::vector<Nanos>& sorted, std::size_t percent) {
  return sorted[(sorted.size() * percent + 99) / 100 - 1];
}

bool near(Nanos a, Nanos b, Nanos tolerance) {
  return a <= b + tolerance && b <= a + tolerance;
}

// What is different, or nothing.
std::string compare_batches(std::span<const Simulation::Batch> got,
                            const std::vector<Simulation::Batch>& wanted, Nanos tolerance) {
  const auto text = [](const Simulation::Batch& b) {
    return "stage " + std::to_string(b.stage) + ", " + std::to_string(b.rows) + " rows, " +
           std::to_string(b.start) + " to " + std::to_string(b.end);
  };
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    const Simulation::Batch& a = got[i];
    const Simulation::Batch& b = wanted[i];
    if (a.stage == b.stage && a.rows == b.rows && near(a.start, b.start, tolerance) &&
        near(a.end, b.end, tolerance)) {
      continue;
    }
    return "batch " + std::to_string(i) + ": " + text(a) + ", not " + text(b);
  }
  if (got.size() == wanted.size()) return "";
  return std::to_string(got.size()) + " batches, not " + std::to_string(wanted.size());
}

std::string compare_stages(const SimulationReport& got, const ReferenceSimulation& wanted) {
  for (std::size_t i = 0; i < got.stages.size(); ++i) {
    const StageReport& a = got.stages[i];
    const Stage& b = wanted.stage(i);
    const std::string where = "stage " + std::to_string(i) + ": ";
    if (a.visits != b.visits || a.batches != b.batches) return where + "counts";
    if (a.waiting != b.queue.size()) return where + "waiting";
    const double utilization = b.capacity > 0 ? b.busy / b.capacity : 0;
    if (std::abs(a.utilization - utilization) > 1e-6) {
      return where + "utilization " + std::to_string(a.utilization) + ", not " +
             std::to_string(utilization);
    }
    if (b.waits.empty()) continue;
    std::vector<Nanos> waits = b.waits;
    std::sort(waits.begin(), waits.end());
    const auto p99 = static_cast<double>(rank(waits, 99));
    if (std::abs(static_cast<double>(a.queue_p99) - p99) > 0.016 * p99 + 1) return where + "p99";
  }
  return "";
}

std::string compare_reports(const SimulationReport& got, const ReferenceSimulation& wanted,
                            Nanos limit, Nanos tolerance) {
  const std::vector<Nanos> latencies = wanted.latencies();
  if (got.arrived != wanted.requests().size()) return "arrived";
  if (got.finished != latencies.size()) return "finished";
  if (tolerance == 0 && got.late != wanted.late(limit, true)) return "late";
  if (latencies.empty()) return compare_stages(got, wanted);
  if (!near(got.p50, rank(latencies, 50), tolerance)) return "p50";
  if (!near(got.p95, rank(latencies, 95), tolerance)) return "p95";
  if (!near(got.p99, rank(latencies, 99), tolerance)) return "p99";
  if (!near(got.max, latencies.back(), tolerance)) return "max";
  return compare_stages(got, wanted);
}

std::string compare(const Case& one, Nanos tolerance) {
  const auto traffic = make_traffic(one.pipeline, one.arrivals, one.seed);
  Simulation simulation(traffic, one.services, {});
  ReferenceSimulation wanted(one.pipeline, one.arrivals, one.seed, one.services);
  simulation.record_batches();
  run(simulation, one);
  run(wanted, one);
  const std::string batches = compare_batches(simulation.batches(), wanted.batches(), tolerance);
  if (!batches.empty()) return batches;
  const std::vector<Nanos> latencies = wanted.latencies();
  const Nanos limit = latencies.empty() ? 100 : latencies[latencies.size() * 3 / 4];
  const std::string report = compare_reports(simulation.report(limit), wanted, limit, tolerance);
  if (!report.empty() || tolerance > 0 || !one.changes.empty()) return report;
  Simulation counting(traffic, one.services, {});
  const std::uint64_t late = counting.count_late(limit, 1'000'000, std::atomic<bool>{false});
  return late == wanted.late(limit, true) ? "" : "counted late: " + std::to_string(late);
}

void explore(const std::function<std::string(std::uint64_t)>& compare_seed) {
  const char* const only = std::getenv("MILLRACE_SEED");
  std::uint64_t seed = only ? std::strtoull(only, nullptr, 10) : 1;
  for (int left = only ? 1 : kSeeds / det::kSeedDivisor; left > 0; --left, ++seed) {
    const std::string difference = compare_seed(seed);
    ASSERT_EQ(difference, "") << "replay with MILLRACE_SEED=" << seed;
  }
}

TEST(SimulationReference, AgreesOnConditionsAndJoinsWhereMuchHappensAtOnce) {
  explore([](std::uint64_t seed) { return compare(random_case(seed, {10, 12}, false, false), 0); });
}

TEST(SimulationReference, AgreesOnItemsWhereMuchHappensAtOnce) {
  explore([](std::uint64_t seed) { return compare(random_case(seed, {10, 12}, true, false), 0); });
}

TEST(SimulationReference, AgreesWhereNothingHappensAtOnce) {
  explore([](std::uint64_t seed) {
    return compare(random_case(seed, {1, 10'000'000}, true, false), 0);
  });
}

TEST(SimulationReference, AgreesWhereReplicasAndServicesChange) {
  explore([](std::uint64_t seed) {
    return compare(random_case(seed, {10, 12}, seed % 2 == 0, true), 0);
  });
}

TEST(SimulationReference, AgreesExactlyOnContentionThatBinaryFractionsCanSay) {
  explore([](std::uint64_t seed) {
    Case one = random_case(seed, {1024, 12}, seed % 2 == 0, seed % 3 == 0);
    one.pipeline.slowdown = {1, 1, 2, 4};
    return compare(one, 0);
  });
}

// With slices as long as some batches take, and fewer cores than threads or more.
void share_cores(Case& one, Nanos step) {
  det::Random random(one.seed);
  one.pipeline.cores.count = static_cast<std::uint32_t>(1 + random.below(4));
  one.pipeline.cores.slice = step * (1 + random.below(12));
  if (one.pipeline.loop_overhead > 0 && random.one_in(2))
    one.pipeline.answer_overhead =
        step * random.below(static_cast<int>(one.pipeline.loop_overhead / step + 1));
}

TEST(SimulationReference, AgreesExactlyOnCoresThatThreadsShare) {
  explore([](std::uint64_t seed) {
    Case one = random_case(seed, {1024, 12}, seed % 2 == 0, seed % 3 == 0);
    share_cores(one, 1024);
    if (seed % 5 != 0) one.pipeline.slowdown = {1, 2, 2, 4};
    return compare(one, 0);
  });
}

TEST(SimulationReference, AgreesToRoundingOnSharedCoresThatSlowDown) {
  explore([](std::uint64_t seed) {
    Case one = random_case(seed, {1, 100'000'000}, seed % 2 == 0, seed % 3 == 0);
    share_cores(one, 10'000'000);
    one.pipeline.slowdown = {1, 1.1, 1.37, 2.11};
    return compare(one, 200);
  });
}

TEST(SimulationReference, AgreesToRoundingOnAnyContention) {
  explore([](std::uint64_t seed) {
    Case one = random_case(seed, {1, 100'000'000}, seed % 2 == 0, seed % 3 == 0);
    one.pipeline.slowdown = {1, 1.1, 1.37, 2.11};
    return compare(one, 100);
  });
}

}  // namespace
}  // namespace millrace::reference
