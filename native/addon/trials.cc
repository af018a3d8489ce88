#include "addon/trials.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace millrace {

Trials::Trials(std::shared_ptr<const Traffic> traffic, std::vector<Configuration> configurations,
               const TrialOptions& options, Try attempt)
    : traffic_(std::move(traffic)),
      configurations_(std::move(configurations)),
      options_(options),
      attempt_(std::move(attempt)) {}

Status Trials::run() {
  std::vector<std::thread> others;
  const std::size_t wanted = std::min(options_.threads, configurations_.size());
  try {
    for (std::size_t i = 1; i < wanted; ++i) others.emplace_back([this] { work(); });
  } catch (const std::exception&) {
    // No more threads, or no memory for them: those there are do the work.
  }
  work();
  for (std::thread& other : others) other.join();
  if (!failure_.ok()) return failure_;
  if (cancelled_.load(std::memory_order_relaxed)) {
    return Error{ErrorCode::kCancelled, "the simulation was cancelled"};
  }
  return {};
}

void Trials::work() {
  try {
    while (!cancelled_.load(std::memory_order_relaxed)) {
      const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= configurations_.size()) return;
      std::vector<SimulatedService> services;
      for (const StaffedService& one : configurations_[index]) services.push_back(one.resolve());
      Simulation simulation(traffic_, std::move(services), options_.simulation);
      attempt_(index, simulation, cancelled_);
    }
  } catch (const std::bad_alloc&) {
    fail({ErrorCode::kInvalidOption,
          "there is not enough memory to simulate this; simulate a shorter trace"});
  } catch (const std::exception& error) {
    fail({ErrorCode::kStageFailed, std::string("the simulation failed: ") + error.what()});
  }
}

void Trials::fail(Error error) {
  {
    const std::scoped_lock lock(failing_);
    if (failure_.ok()) failure_ = Status(std::move(error));
  }
  cancel();
}

}  // namespace millrace
