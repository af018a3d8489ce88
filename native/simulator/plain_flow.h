// Moves the rows of plain paths (plain_paths.h). A row is known by the number of its request.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "simulator/outcomes.h"
#include "simulator/stage_lines.h"
#include "simulator/traffic.h"

namespace millrace {

class PlainFlow {
 public:
  // traffic.plain() has a value.
  PlainFlow(const Traffic& traffic, StageLines& lines, Outcomes& outcomes)
      : traffic_(traffic), paths_(*traffic.plain()), lines_(lines), outcomes_(outcomes) {
    if (!paths_.chains) done_.resize(traffic.arrivals().size());
  }

  void arrive(std::uint32_t request, Nanos now) {
    const std::uint64_t entries = paths_.entries[traffic_.path(request)];
    if (entries == 0) outcomes_.finish(request, now);
    for (std::uint64_t left = entries; left != 0; left &= left - 1) {
      lines_.push(first_of(left), request, now);
    }
  }

  void row_ended(std::uint32_t stage, std::uint32_t request, Nanos now) {
    const std::uint32_t path = traffic_.path(request);
    const PlainPaths::Step& step = paths_.step(path, stage);
    if (!paths_.chains) return branch(step, path, stage, request, now);
    if (step.next != PlainPaths::kEnd) {
      lines_.push(step.next, request, now);
    } else {
      outcomes_.finish(request, now);
    }
  }

 private:
  static std::uint32_t first_of(std::uint64_t stages) {
    return static_cast<std::uint32_t>(std::countr_zero(stages));
  }

  void branch(const PlainPaths::Step& step, std::uint32_t path, std::uint32_t stage,
              std::uint32_t request, Nanos now) {
    const std::uint64_t done = done_[request] |= std::uint64_t{1} << stage;
    for (std::uint64_t left = step.after; left != 0; left &= left - 1) {
      const std::uint32_t next = first_of(left);
      if ((paths_.step(path, next).before & ~done) == 0) lines_.push(next, request, now);
    }
    if (done == paths_.visited[path]) outcomes_.finish(request, now);
  }

  const Traffic& traffic_;
  const PlainPaths& paths_;
  StageLines& lines_;
  Outcomes& outcomes_;
  std::vector<std::uint64_t> done_;  // by request: stages
};

}  // namespace millrace
