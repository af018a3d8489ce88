// What a row that comes now has before it: pure functions of a snapshot of the stages. They decide
// who is refused at the door, what a later stage need not be troubled with, and what a refused
// client is told.
//
// Nothing is said of a stage nobody has measured, or that has no replica: it counts as no time at
// all, so that what is not known never sheds anybody.
//
// Not promised: that a forecast comes true. Rows of higher classes may come, batches may be smaller
// or slower than they were; so waits are stretched (kWaitMargin) before a request is refused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "batching/latency_table.h"
#include "batching/policy.h"

namespace millrace {

// A stage at one moment.
struct StageSituation {
  std::size_t replicas = 0;
  std::size_t max_batch = 1;
  std::array<std::size_t, kPriorityClasses> waiting{};  // rows, by class
  std::vector<Nanos> free_in;  // ascending: until each replica is free; fewer than there are
                               // replicas where not all are watched
  LatencyTable latency;
};

// Time, by what it is spent on.
struct Spell {
  Nanos wait = 0;
  Nanos service = 0;

  [[nodiscard]] Nanos total() const { return wait + service; }
};

using SpellByClass = std::array<Spell, kPriorityClasses>;

// Until the batch of a row starts that has so many rows before it.
Nanos time_to_start(const StageSituation& stage, std::size_t ahead);

// The rows a row of the class finds before it.
std::size_t rows_ahead(const StageSituation& stage, std::size_t priority);

// Per stage and class: the least a row has before it once its batch there has ended. `next` names,
// for each stage, the later ones that are certain to run for a row it ran for.
void look_ahead(std::span<const StageSituation> stages,
                std::span<const std::vector<std::uint32_t>> next, std::span<SpellByClass> rest);

// What `rows` rows of a class that come to the stage now have before them, to the end of the
// pipeline.
struct Arrival {
  std::size_t rows = 1;
  std::size_t priority = 0;
};
struct Prospect {
  Spell expected;   // as things stand
  Nanos alone = 0;  // if nothing else were there
};
Prospect prospect_of(const Arrival& arrival, const StageSituation& stage, const Spell& rest);

enum class Chance : std::uint8_t {
  kGood,
  kTooBusy,    // what waits leaves too little time; later there may be enough
  kTooLittle,  // it takes longer than that even if nothing else were there
};
Chance chance_of(const Prospect& prospect, Nanos left);

// With Chance::kTooBusy: after how long the same request would have a chance.
Nanos time_to_chance(const Prospect& prospect, Nanos left);

// Until so many of the rows in the pipeline will have left its most crowded stage; nothing where
// that is not known.
std::optional<Nanos> time_to_room(std::span<const StageSituation> stages, std::size_t rows);

}  // namespace millrace
