#include "batching/forecast.h"

#include <algorithm>

namespace millrace {
namespace {

// A wait is a guess, and under overload every request is admitted on the edge of what the guess
// allows: without a margin half of them would wait in vain.
constexpr Nanos kWaitMargin = 4;  // a quarter

Nanos stretched(Nanos wait) {
  return wait + wait / kWaitMargin;
}

bool is_known(const StageSituation& stage) {
  return stage.replicas > 0 && !stage.latency.empty();
}

Nanos full_batch(const StageSituation& stage) {
  return stage.latency.at(stage.max_batch);
}

// For so many full batches to have been started, counted from when a replica is free.
Nanos time_for(std::size_t batches, const StageSituation& stage) {
  if (!is_known(stage)) return 0;
  return static_cast<Nanos>(batches) * full_batch(stage) / static_cast<Nanos>(stage.replicas);
}

std::size_t all_waiting(const StageSituation& stage) {
  return rows_ahead(stage, kPriorityClasses - 1);
}

// What the stage hands on at once.
std::size_t likely_batch(const StageSituation& stage) {
  return std::min(stage.max_batch, std::max<std::size_t>(all_waiting(stage), 1));
}

// Of a row that comes with a batch of `along`. A replica that is busy now will be free by then, or
// so we hope: what remains of its batch is no certain wait.
Spell passage(const StageSituation& stage, std::size_t priority, std::size_t along) {
  const std::size_t ahead = rows_ahead(stage, priority);
  return {time_for(ahead / stage.max_batch, stage),
          is_known(stage) ? stage.latency.at(std::min(stage.max_batch, ahead + along)) : 0};
}

}  // namespace

std::size_t rows_ahead(const StageSituation& stage, std::size_t priority) {
  std::size_t rows = 0;
  for (std::size_t i = 0; i <= priority; ++i) rows += stage.waiting[i];
  return rows;
}

// Replicas take full batches in the order in which they become free, and again after each.
Nanos time_to_start(const StageSituation& stage, std::size_t ahead) {
  if (!is_known(stage)) return 0;
  const std::size_t batches = ahead / stage.max_batch;
  const std::size_t watched = stage.free_in.size();
  if (watched == 0) return time_for(batches, stage);
  if (watched < stage.replicas) return stage.free_in.front() + time_for(batches, stage);
  const auto rounds = static_cast<Nanos>(batches / watched);
  return stage.free_in[batches % watched] + rounds * full_batch(stage);
}

void look_ahead(std::span<const StageSituation> stages,
                std::span<const std::vector<std::uint32_t>> next, std::span<SpellByClass> rest) {
  for (std::size_t s = stages.size(); s-- > 0;) {
    rest[s] = {};
    for (std::size_t priority = 0; priority < kPriorityClasses; ++priority) {
      Spell& longest = rest[s][priority];
      for (const std::uint32_t n : next[s]) {
        const Spell here = passage(stages[n], priority, likely_batch(stages[s]));
        const Spell& then = rest[n][priority];
        const Spell path{here.wait + then.wait, here.service + then.service};
        if (path.total() > longest.total()) longest = path;
      }
    }
  }
}

Prospect prospect_of(const Arrival& arrival, const StageSituation& stage, const Spell& rest) {
  if (!is_known(stage)) return {rest, rest.service};
  const std::size_t ahead = rows_ahead(stage, arrival.priority);
  const std::size_t batch = std::min(stage.max_batch, ahead + arrival.rows);
  const std::size_t own_batch = std::min(stage.max_batch, arrival.rows);
  const Nanos own_turns = time_for((arrival.rows - 1) / stage.max_batch, stage);
  return {{time_to_start(stage, ahead + arrival.rows - 1) + rest.wait,
           stage.latency.at(batch) + rest.service},
          own_turns + stage.latency.at(own_batch) + rest.service};
}

Chance chance_of(const Prospect& prospect, Nanos left) {
  if (prospect.alone >= left) return Chance::kTooLittle;
  return time_to_chance(prospect, left) > 0 ? Chance::kTooBusy : Chance::kGood;
}

Nanos time_to_chance(const Prospect& prospect, Nanos left) {
  return std::max<Nanos>(stretched(prospect.expected.wait) + prospect.expected.service - left + 1,
                         0);
}

std::optional<Nanos> time_to_room(std::span<const StageSituation> stages, std::size_t rows) {
  const auto crowded = std::max_element(stages.begin(), stages.end(),
                                        [](const StageSituation& a, const StageSituation& b) {
                                          return all_waiting(a) < all_waiting(b);
                                        });
  if (crowded == stages.end() || !is_known(*crowded)) return std::nullopt;
  return time_to_start(*crowded, rows - 1);
}

}  // namespace millrace
