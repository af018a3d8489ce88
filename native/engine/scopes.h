// Scopes: the rows of the request are scope 0; the items that a fan-out stage makes of a row are a
// scope of their own, below the one the stage runs in.
//
//   stages         decode -> segment (fan-out) -> classify -> join (gathers segment)
//   runs in scope    0           0                   1            0
//   values live in   0           1                   1            0
//
// A stage runs in the deepest scope that it reads from, and reads what lies above it as it is: every
// item sees its row's value. A stage that gathers runs where the fan-out stage does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/pipeline_spec.h"

namespace millrace {

struct Scope {
  std::uint32_t parent = 0;
  std::uint32_t opener = 0;    // the fan-out stage whose items it holds; not for scope 0
  std::uint32_t depth = 0;     // 0 for scope 0 alone
  std::uint32_t slot = 0;      // place among those opened from its parent
  std::uint32_t children = 0;  // scopes opened from it
};

struct Scopes {
  explicit Scopes(const PipelineSpec& spec);

  // Where the value lives.
  [[nodiscard]] std::uint32_t of(const Source& source) const;

  // Whether an input with these candidates is given the values of all items of a row at once.
  [[nodiscard]] bool gathers(const StageSpec& stage, const std::vector<Source>& candidates) const;

  // The scope opened from `outer` that is, or leads down to, `inner`, which lies below it.
  [[nodiscard]] std::uint32_t step_down(std::uint32_t outer, std::uint32_t inner) const;

  std::vector<Scope> all{Scope{}};
  std::vector<std::uint32_t> of_stage;  // where it runs
  std::vector<std::uint32_t> items_of;  // per stage: the scope it opens; 0 for none

 private:
  [[nodiscard]] std::uint32_t place(const StageSpec& stage) const;
  void open(std::uint32_t stage);
};

}  // namespace millrace
