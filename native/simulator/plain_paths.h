// Paths on which a request is at each stage once at the most, and no items are made: by far the
// most common ones, for which a row needs no memory of its own. Its number is that of the request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "simulator/path_graph.h"

namespace millrace {

struct PlainPaths {
  static constexpr std::size_t kMostStages = 64;
  static constexpr std::uint8_t kEnd = 0xff;

  // A stage on a path; stages are bits.
  struct Step {
    std::uint64_t after = 0;   // that wait for it
    std::uint64_t before = 0;  // that it waits for, less those that others of them wait for
    std::uint8_t next = kEnd;  // on a chain
  };

  std::size_t stages = 0;
  bool chains = true;                  // on no path a stage waits for several, or several for it
  std::vector<Step> steps;             // [path][stage]
  std::vector<std::uint64_t> entries;  // by path
  std::vector<std::uint64_t> visited;  // by path

  [[nodiscard]] const Step& step(std::uint32_t path, std::size_t stage) const {
    return steps[path * stages + stage];
  }
};

// Nothing where one of the paths is not plain.
std::optional<PlainPaths> make_plain_paths(std::span<const PathGraph> graphs, std::size_t stages);

}  // namespace millrace
