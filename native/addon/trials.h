// Configurations that are simulated side by side, each from the beginning of the same traffic to
// its end, on as many threads as are asked for. Which thread takes which configuration depends on
// chance, what comes of it does not.
//
// run() is called once, by one thread, and returns when all of its threads have ended; cancel() may
// be called by any thread at any time.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "simulator/simulation.h"

namespace millrace {

struct TrialOptions {
  SimulationOptions simulation;
  std::size_t threads = 1;
};

// Services that configurations are made of, by number. Its owner's thread alone adds and looks up;
// what it found stays where it is, and may be read by any thread while more are added.
class ServiceList {
 public:
  std::size_t add(SimulatedService service) {
    services_.push_back(std::move(service));
    return services_.size() - 1;
  }
  [[nodiscard]] const SimulatedService& at(std::size_t number) const {
    return services_.at(number);
  }

 private:
  std::deque<SimulatedService> services_;  // stay where they are
};

// How one stage of a configuration is run.
struct StaffedService {
  const SimulatedService* service = nullptr;
  std::size_t replicas = 1;

  [[nodiscard]] SimulatedService resolve() const {
    SimulatedService resolved = *service;
    resolved.replicas = replicas;
    return resolved;
  }
};

class Trials {
 public:
  using Configuration = std::vector<StaffedService>;

  // One trial: takes the simulation of the configuration with this index through the traffic, and
  // keeps what came of it. Called by any thread, once for each index; returns early if told to.
  using Try = std::function<void(std::size_t, Simulation&, const std::atomic<bool>& cancelled)>;

  // The services of the configurations must outlive it.
  Trials(std::shared_ptr<const Traffic> traffic, std::vector<Configuration> configurations,
         const TrialOptions& options, Try attempt);

  // Fails with kCancelled, or with what the standard library threw.
  Status run();

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  void work();
  void fail(Error error);

  const std::shared_ptr<const Traffic> traffic_;
  const std::vector<Configuration> configurations_;
  const TrialOptions options_;
  const Try attempt_;
  // A mere hint to stop early: nothing is read on the strength of it.
  std::atomic<bool> cancelled_{false};
  std::atomic<std::size_t> next_{0};  // whoever adds one takes that configuration
  std::mutex failing_;
  Status failure_;  // the first; written under failing_, read when all threads have ended
};

}  // namespace millrace
