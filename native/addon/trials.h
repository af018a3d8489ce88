// Configurations that are simulated side by side, each from the beginning of the same traffic to
// its end, on as many threads as are asked for. Which thread takes which configuration depends on
// chance, what comes of it does not.
//
// run() is called once, by one thread, and returns when all of its threads have ended; cancel() may
// be called by any thread at any time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "simulator/simulation.h"

namespace millrace {

struct TrialOptions {
  SimulationOptions simulation;
  Nanos limit = 0;  // beyond it a request is late
  // More late ones than this end the trial of a configuration.
  std::uint64_t enough = 0;
  std::size_t threads = 1;
};

class Trials {
 public:
  using Configuration = std::vector<SimulatedService>;

  // Told of each trial when it has ended, by the thread that made it: its index, its simulation,
  // and how many requests were late.
  using Conclude = std::function<void(std::size_t, const Simulation&, std::uint64_t)>;

  Trials(std::shared_ptr<const Traffic> traffic, std::vector<Configuration> configurations,
         const TrialOptions& options, Conclude conclude);

  // Fails with kCancelled, or with what the standard library threw.
  Status run();

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  void work();
  void fail(Error error);

  const std::shared_ptr<const Traffic> traffic_;
  std::vector<Configuration> configurations_;  // each moved from by the thread that takes it
  const TrialOptions options_;
  const Conclude conclude_;
  // A mere hint to stop early: nothing is read on the strength of it.
  std::atomic<bool> cancelled_{false};
  std::atomic<std::size_t> next_{0};  // whoever adds one takes that configuration
  std::mutex failing_;
  Status failure_;  // the first; written under failing_, read when all threads have ended
};

}  // namespace millrace
