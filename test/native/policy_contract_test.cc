// One suite for the two that ask the policy what to do: the engine, with its threads, and the
// simulator. Given the same requests and service times both run the same batches at the same times.
//
// Cases in which two things happen at one instant are left out: then it depends on the threads
// which of them a replica of the engine sees first.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "ragged_harness.h"
#include "row_model.h"
#include "simulated_chain.h"
#include "simulator/traffic.h"
#include "stepped_engine.h"
#include "trial.h"

namespace millrace {

bool operator==(const Simulation::Batch& a, const Simulation::Batch& b) {
  return std::tie(a.start, a.stage, a.rows, a.end) == std::tie(b.start, b.stage, b.rows, b.end);
}
std::ostream& operator<<(std::ostream& out, const Simulation::Batch& b) {
  return out << "\n  stage " << b.stage << ", " << b.rows << " rows, from " << b.start << " to "
             << b.end;
}

namespace {

using Batches = std::vector<Simulation::Batch>;

constexpr int kSeeds = 20;

// The same pipeline twice; requests[i] are the rows of a request on the i-th path of requests.
struct Pipelines {
  PipelineSpec engine;
  SimulatedPipeline simulated;
  std::vector<std::vector<float>> requests;
};

struct Trace {
  std::vector<Nanos> arrivals;
  std::vector<SimulatedService> services;
};

struct Course {
  Batches batches;  // by start, stage, rows
  std::vector<Nanos> latencies;
};

void sort(Batches& batches) {
  std::ranges::sort(batches, {}, [](const Simulation::Batch& b) {
    return std::tuple(b.start, b.stage, b.rows, b.end);
  });
}

// Service times that no two batch sizes share.
SimulatedService random_service(det::Random& random, std::size_t max_batch) {
  std::vector<LatencyTable::Point> points;
  Nanos service = kMs + random.below(3 * kMs);
  for (std::size_t batch = 1; batch <= max_batch; ++batch) {
    points.push_back({batch, service});
    service += 1 + random.below(kMs);
  }
  return simulated_service(std::move(points), 1, max_batch);
}

std::vector<Nanos> random_arrivals(std::uint64_t seed, double gap_ms) {
  return poisson_arrivals(30, gap_ms * static_cast<double>(kMs), seed);
}

bool happen_at_once(const Simulation& simulation, std::vector<Nanos> times) {
  for (const Simulation::Batch& batch : simulation.batches()) times.push_back(batch.end);
  std::sort(times.begin(), times.end());
  return std::adjacent_find(times.begin(), times.end()) != times.end();
}

class EngineDriver {
 public:
  EngineDriver(const Pipelines& pipelines, const Trace& trace, const Traffic& traffic)
      : pipelines_(pipelines),
        trace_(trace),
        traffic_(traffic),
        delayed_(
            std::ranges::any_of(trace.services, [](const auto& one) { return one.max_delay > 0; })),
        engine_(configured(pipelines.engine, trace.services), !delayed_) {}

  // `expected` is how many batches have started up to a time: where batches are held back that is
  // what is waited for, as replicas then never sleep for good.
  Course run(const std::function<std::size_t(Nanos)>& expected) {
    expected_ = expected;
    settle(0);
    while (const std::optional<Nanos> next = next_time()) {
      now_ = *next;
      engine_.go_to(now_);
      for (std::size_t i = 0; i < ends_.size(); ++i) {
        if (ends_[i] != now_) continue;
        engine_.release(i);
        released_rows_ += engine_.runs()[i].rows;
      }
      for (; arrived_ < trace_.arrivals.size() && trace_.arrivals[arrived_] == now_; ++arrived_) {
        const auto request = static_cast<std::uint32_t>(arrived_);
        engine_.submit(pipelines_.requests[traffic_.path(request)]);
      }
      settle(now_);
    }
    return outcome();
  }

 private:
  static PipelineSpec configured(PipelineSpec spec, const std::vector<SimulatedService>& services) {
    spec.shed = false;
    for (std::size_t i = 0; i < services.size(); ++i) {
      spec.stages[i].replicas = services[i].replicas;
      spec.stages[i].max_batch = services[i].max_batch;
      spec.stages[i].max_delay = services[i].max_delay;
    }
    return spec;
  }

  [[nodiscard]] std::optional<Nanos> next_time() const {
    std::optional<Nanos> next;
    const auto consider = [&](Nanos at) {
      if (at > now_ && (!next || at < *next)) next = at;
    };
    for (const Nanos end : ends_) consider(end);
    if (arrived_ < trace_.arrivals.size()) consider(trace_.arrivals[arrived_]);
    if (!delayed_) return next;
    for (std::size_t i = 0; i < arrived_; ++i) {
      for (const auto& service : trace_.services) {
        consider(trace_.arrivals[i] + service.max_delay);
      }
    }
    return next;
  }

  void settle(Nanos now) {
    if (delayed_) {
      ASSERT_TRUE(eventually([&] { return collect() == released_rows_; })) << "at " << now;
      ASSERT_TRUE(engine_.wait_for_runs(expected_(now))) << "a batch does not start at " << now;
    } else {
      ASSERT_TRUE(engine_.wait_for_sleep()) << "at " << now;
    }
    collect();
    const auto runs = engine_.runs();
    for (std::size_t i = ends_.size(); i < runs.size(); ++i) {
      ends_.push_back(runs[i].start + trace_.services[runs[i].stage].latency.at(runs[i].rows));
    }
  }

  std::size_t collect() {
    for (const Nanos latency : engine_.collect()) latencies_.push_back(latency);
    return latencies_.size();
  }

  Course outcome() {
    Course all;
    const auto runs = engine_.runs();
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      all.batches.push_back({runs[i].stage, runs[i].rows, runs[i].start, ends_[i]});
    }
    sort(all.batches);
    std::sort(latencies_.begin(), latencies_.end());
    all.latencies = latencies_;
    return all;
  }

  const Pipelines& pipelines_;
  const Trace& trace_;
  const Traffic& traffic_;
  const bool delayed_;
  SteppedEngine engine_;
  std::function<std::size_t(Nanos)> expected_;
  Nanos now_ = 0;
  std::size_t arrived_ = 0;
  std::size_t released_rows_ = 0;
  std::vector<Nanos> ends_;  // by run
  std::vector<Nanos> latencies_;
};

// False where things happen at once, and nothing is compared.
bool compare(const Pipelines& pipelines, const Trace& trace, std::uint64_t seed) {
  const auto traffic = make_traffic(pipelines.simulated, trace.arrivals, seed);
  Simulation simulation(traffic, trace.services, {});
  simulation.record_batches();
  simulation.advance(kNever);
  if (happen_at_once(simulation, trace.arrivals)) return false;
  Batches batches(simulation.batches().begin(), simulation.batches().end());
  EngineDriver driver(pipelines, trace, *traffic);
  const Course engine = driver.run([&](Nanos until) {
    return static_cast<std::size_t>(
        std::ranges::count_if(batches, [&](const auto& one) { return one.start <= until; }));
  });
  sort(batches);
  EXPECT_EQ(engine.batches, batches) << "replay with MILLRACE_SEED=" << seed;
  const SimulationReport report = simulation.report(kNever);
  EXPECT_EQ(engine.latencies.size(), report.finished);
  EXPECT_EQ(engine.latencies.empty() ? 0 : engine.latencies.back(), report.max);
  return true;
}

// Runs a case for some seeds, of which at least half must be fit to be compared.
void explore(const Pipelines& pipelines,
             const std::function<Trace(det::Random&, std::uint64_t)>& trace) {
#if !defined(__linux__)
  GTEST_SKIP() << "how threads sleep is read in /proc";
#endif
  const char* const only = std::getenv("MILLRACE_SEED");
  std::uint64_t seed = only ? std::strtoull(only, nullptr, 10) : 1;
  const int seeds = only ? 1 : std::max(2, kSeeds / det::kSeedDivisor);
  int compared = 0;
  for (int left = seeds; left > 0 && !testing::Test::HasFailure(); --left, ++seed) {
    det::Random random(seed);
    if (compare(pipelines, trace(random, seed), seed)) ++compared;
  }
  if (only == nullptr) EXPECT_GE(compared * 2, seeds);
}

void explore_batches(const Pipelines& pipelines, double gap_ms) {
  explore(pipelines, [&](det::Random& random, std::uint64_t seed) {
    Trace trace{random_arrivals(seed, gap_ms), {}};
    for (std::size_t i = 0; i < pipelines.simulated.stages.size(); ++i) {
      trace.services.push_back(
          random_service(random, static_cast<std::size_t>(1 + random.below(6))));
      trace.services.back().replicas = static_cast<std::size_t>(1 + random.below(3));
    }
    return trace;
  });
}

TEST(PolicyContract, OfASingleStage) {
  explore_batches({single(fake_adding(1)), simulated_chain(1), {{0.1f}}}, 0.7);
}

TEST(PolicyContract, OfRequestsOfSeveralRows) {
  SimulatedPipeline simulated = simulated_chain(1);
  simulated.paths = {{0, {{0, 1}}, {}},
                     {1, {}, {{SimulatedItems::kRequest, 3, 0}}},
                     {1, {}, {{SimulatedItems::kRequest, 1, 0}}}};
  explore_batches({single(fake_adding(1)), simulated, {{0.1f, 0.2f, 0.3f}, {0.4f}}}, 1.5);
}

TEST(PolicyContract, OfACascade) {
  SimulatedPipeline simulated = simulated_chain(2);
  simulated.stages[1].predecessors = {0};
  simulated.paths = {{2, {{0, 1}}, {}}, {1, {{0, 1}, {1, 1}}, {}}};
  explore_batches({cascade(fake_adding(1), fake_adding(100)), simulated, {{0.9f}, {0.1f}}}, 0.8);
}

TEST(PolicyContract, OfAJoin) {
  SimulatedPipeline simulated = simulated_chain(4);
  simulated.stages[2].predecessors = {0};
  simulated.stages[3].predecessors = {1, 2};
  explore_batches({diamond({}), simulated, {{0.1f}}}, 1);
}

// x -> split (fan-out) -> add 1 -> join (gathers split, and reads x). What is gathered has as many
// rows as there are items, which would keep rows out of a batch where they may not be ragged.
Pipelines split_and_join() {
  const auto join =
      echo_of({tensor(DataType::kFloat32, {-1, -1, 4}), tensor(DataType::kFloat32, {-1, 4})}, true);
  StageSpec gathering = stage_of("join", nullptr, {{from_stage(1)}, {from_request()}});
  gathering.model = join;
  gathering.gather = 0;
  PipelineSpec engine = pipeline_of(
      {fan_out_of("split", splitter(), {{from_request()}}),
       stage_of("add", fake_adding(1), {{from_stage(0, kItems)}}), std::move(gathering)},
      {from_stage(2, 1)});
  SimulatedPipeline simulated = simulated_chain(3);
  simulated.stages[0].fan_out = true;
  simulated.stages[2].gather = 0;
  simulated.paths = {{0, {{1, 1}}, {}}};
  std::vector<std::vector<float>> requests;
  for (const std::uint32_t items : {0u, 1u, 2u, 4u}) {
    simulated.paths.push_back({1, {{0, 1}, {2, 1}}, {{0, items, 0}}});
    requests.push_back({static_cast<float>(items)});
  }
  return {std::move(engine), std::move(simulated), std::move(requests)};
}

TEST(PolicyContract, OfItems) {
  const Pipelines pipelines = split_and_join();
  explore(pipelines, [&](det::Random& random, std::uint64_t seed) {
    Trace trace{random_arrivals(seed, 1.5), {}};
    for (int i = 0; i < 3; ++i) {
      trace.services.push_back(
          random_service(random, static_cast<std::size_t>(1 + random.below(6))));
    }
    trace.services[2].replicas = static_cast<std::size_t>(1 + random.below(3));
    return trace;
  });
}

TEST(PolicyContract, OfABatchThatIsHeldBack) {
  const Pipelines pipelines{single(fake_adding(1)), simulated_chain(1), {{0.1f}}};
  explore(pipelines, [&](det::Random& random, std::uint64_t seed) {
    Trace trace{random_arrivals(seed, 0.7), {random_service(random, 4)}};
    trace.services[0].max_delay = kMs + random.below(2 * kMs);
    return trace;
  });
}

}  // namespace
}  // namespace millrace
