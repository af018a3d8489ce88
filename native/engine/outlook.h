// One thread's view of how busy the pipeline is: a snapshot of the stages, taken anew when it is
// asked for and older than a quarter of a millisecond, and what follows from it (forecast.h).
// Whoever never asks pays nothing.
//
// Used by one thread; reads what all others write (stage_gauge.h, the sizes of the queues).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "batching/forecast.h"

namespace millrace {

class Router;
struct PipelineSpec;

// Per stage, the later stages that run for every row it ran for, whatever the values are.
using CertainPaths = std::vector<std::vector<std::uint32_t>>;
CertainPaths certain_paths(const PipelineSpec& spec);

class Outlook {
 public:
  explicit Outlook(const Router& router);

  // A snapshot not older than a quarter of a millisecond; what else is asked, is asked of it.
  void look(Nanos now);

  [[nodiscard]] const LatencyTable& latency(std::size_t stage) const {
    return stages_[stage].latency;
  }

  // What a row of the class has before it once its batch of the stage has ended.
  [[nodiscard]] const SpellByClass& rest(std::size_t stage) const { return rest_[stage]; }

  // What an arrival at the stage has before it. Looks at what waits for the stage just now.
  Prospect prospect(const Arrival& arrival, std::size_t stage, Nanos now);

  // Of an arrival at the door: at the entry stage that promises least.
  Prospect at_the_door(const Arrival& arrival, Nanos now);

  // Until so many rows have left; nothing where it is not known.
  std::optional<Nanos> time_to_room(std::size_t rows, Nanos now);

 private:
  void count_waiting(std::size_t stage);

  const Router& router_;
  std::vector<StageSituation> stages_;
  std::vector<SpellByClass> rest_;
  Nanos looked_at_ = 0;
  bool looked_ = false;
};

}  // namespace millrace
