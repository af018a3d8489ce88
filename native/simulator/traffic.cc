#include "simulator/traffic.h"

#include <algorithm>
#include <utility>

#include "simulator/counter_random.h"
#include "simulator/simulation.h"
#include "simulator/stage_scopes.h"

namespace millrace {

Traffic::Traffic(SimulatedPipeline pipeline, std::vector<Nanos> arrivals, std::uint64_t seed,
                 const std::vector<std::uint32_t>& numbers)
    : pipeline_(std::move(pipeline)),
      arrivals_(std::move(arrivals)),
      slowdown_(pipeline_.slowdown) {
  const StageScopes scopes(pipeline_.stages);
  std::vector<double> bounds;
  for (std::uint32_t path = 0; path < pipeline_.paths.size(); ++path) {
    const double share = pipeline_.paths[path].share;
    if (!(share > 0)) continue;
    bounds.push_back(share + (bounds.empty() ? 0 : bounds.back()));
    graphs_.push_back(make_path_graph(pipeline_, scopes, path));
  }
  if (graphs_.empty()) graphs_.emplace_back();
  plain_ = make_plain_paths(graphs_, pipeline_.stages.size());
  if (graphs_.size() > 1) draw_paths(bounds, seed, numbers);
  if (pipeline_.loop_overhead == 0 || pipeline_.cores.count > 0) return;
  queue_at_loop();
  share_with_loop();
}

void Traffic::queue_at_loop() {
  entries_.reserve(arrivals_.size());
  Nanos free = 0;
  for (const Nanos arrival : arrivals_) {
    free = std::max(free, arrival) + pipeline_.loop_overhead;
    entries_.push_back(free);
  }
}

// The mean over the whole trace. Beyond what was measured a thread more slows down in proportion.
void Traffic::share_with_loop() {
  if (slowdown_.empty() || entries_.empty()) return;
  const auto takes =
      static_cast<double>(pipeline_.loop_overhead) * static_cast<double>(entries_.size());
  const double busy = takes / static_cast<double>(entries_.back() - arrivals_.front());
  const auto known = static_cast<double>(slowdown_.size());
  slowdown_.push_back(slowdown_.back() * (known + 1) / known);
  for (std::size_t i = 0; i + 1 < slowdown_.size(); ++i) {
    slowdown_[i] += busy * (slowdown_[i + 1] - slowdown_[i]);
  }
  slowdown_.pop_back();
}

// Bounds ascend: the shares up to and including each path.
void Traffic::draw_paths(const std::vector<double>& bounds, std::uint64_t seed,
                         const std::vector<std::uint32_t>& numbers) {
  drawn_.resize(arrivals_.size());
  for (std::size_t request = 0; request < drawn_.size(); ++request) {
    const std::uint64_t number = numbers.empty() ? request : numbers[request];
    const double share = random_share(seed, number) * bounds.back();
    const auto found = std::upper_bound(bounds.begin(), bounds.end() - 1, share);
    drawn_[request] = static_cast<std::uint32_t>(found - bounds.begin());
  }
}

std::shared_ptr<const Traffic> make_traffic(SimulatedPipeline pipeline, std::vector<Nanos> arrivals,
                                            std::uint64_t seed,
                                            const std::vector<std::uint32_t>& numbers) {
  return std::make_shared<const Traffic>(std::move(pipeline), std::move(arrivals), seed, numbers);
}

}  // namespace millrace
