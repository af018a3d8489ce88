// All stages of a simulation, and which of them have something to decide.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/stage_line.h"

namespace millrace {

struct StageLines {
  std::vector<StageLine> all;
  std::vector<std::uint64_t> changed;  // a bit a stage: something came, or a replica is free

  // Room for 64 stages.
  static constexpr std::size_t kBits = 64;

  void mark(std::size_t stage) { changed[stage / kBits] |= std::uint64_t{1} << (stage % kBits); }

  void push(std::uint32_t stage, std::uint32_t row, Nanos now) {
    all[stage].push(row, now);
    mark(stage);
  }
};

}  // namespace millrace
