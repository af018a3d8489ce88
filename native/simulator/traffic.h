// What all simulations of a pipeline have in common: when requests come, and which way each goes.
// Const once made, so any number of threads may read it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "simulator/path_graph.h"
#include "simulator/plain_paths.h"
#include "simulator/simulated_pipeline.h"

namespace millrace {

class Traffic {
 public:
  // As make_traffic() is given them.
  Traffic(SimulatedPipeline pipeline, std::vector<Nanos> arrivals, std::uint64_t seed,
          const std::vector<std::uint32_t>& numbers);

  [[nodiscard]] const SimulatedPipeline& pipeline() const { return pipeline_; }
  [[nodiscard]] const std::vector<Nanos>& arrivals() const { return arrivals_; }

  // When each request gets to its first stages: after the event loop has had time for it. Where
  // cores are shared, when it comes.
  [[nodiscard]] const std::vector<Nanos>& entries() const {
    return entries_.empty() ? arrivals_ : entries_;
  }

  // How much slower batches are when so many threads are busy: as the pipeline says, with the event
  // loop as one thread more for the share of the time that requests keep it busy, unless it has to
  // share cores: then it is a thread like any other.
  [[nodiscard]] const std::vector<double>& slowdown() const { return slowdown_; }

  // Of the paths that requests take, in order.
  [[nodiscard]] const std::vector<PathGraph>& graphs() const { return graphs_; }
  [[nodiscard]] const std::optional<PlainPaths>& plain() const { return plain_; }

  // Index into graphs().
  [[nodiscard]] std::uint32_t path(std::uint32_t request) const {
    return drawn_.empty() ? 0 : drawn_[request];
  }

 private:
  void queue_at_loop();
  void share_with_loop();
  void draw_paths(const std::vector<double>& bounds, std::uint64_t seed,
                  const std::vector<std::uint32_t>& numbers);

  const SimulatedPipeline pipeline_;
  const std::vector<Nanos> arrivals_;
  std::vector<double> slowdown_;
  std::vector<Nanos> entries_;     // empty where the loop takes no time
  std::vector<PathGraph> graphs_;  // at least one
  std::optional<PlainPaths> plain_;
  std::vector<std::uint32_t> drawn_;  // by request; empty where there is one path
};

}  // namespace millrace
