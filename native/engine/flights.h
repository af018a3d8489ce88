// Rows of a stage that wait for an equal row. A flight is one run to be, for all rows with its key:
// the leader is the one that is queued and run, the others are attached to it.
//
//   by key     key ----> flight: leader, attached in the order in which they came
//   by leader  leader --^
//
// Every operation is O(1), but for two that are called when a leader's request was settled early:
// succeed() passes over each row it finds gone for good, followed() looks at them one by one.
//
// Used by one thread at a time. Rows are compared by address and never looked into, but for
// whether their request is settled: every row here keeps its request alive, because it is not
// resolved (request.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/cache_key.h"
#include "engine/stage_queue.h"

namespace millrace {

struct Flight {
  Key key;
  std::uint64_t generation = 0;  // of the model it was begun for, see ResultCache
  std::vector<RowRef> attached;
};

// What is to be done when a leader went without having run.
struct Succession {
  std::optional<RowRef> heir;  // leads now, and is to be queued
  std::vector<RowRef> gone;    // were attached, are wanted no more: to be resolved as not run
};

class Flights {
 public:
  // False when nobody leads for this key.
  bool attach(const KeyView& key, RowRef row);

  // The row leads from now on. Nobody did, for this key.
  void begin(const KeyView& key, RowRef leader, std::uint64_t generation);

  // Ends a flight; its attached rows are the caller's. Nothing when the row does not lead.
  std::optional<Flight> land(RowRef leader);

  // The first attached row that is still wanted leads instead. Where there is none the flight ends.
  // Nothing happens when the row does not lead.
  Succession succeed(RowRef leader);

  // Whether anybody still wants what this leader is to bring, apart from the leader.
  [[nodiscard]] bool followed(RowRef leader) const;

  // Rows that come from now on wait for none of those in flight, which go on as they are.
  void close_all() { by_key_.clear(); }

  [[nodiscard]] std::size_t size() const { return by_leader_.size(); }

 private:
  struct HashOfRow {
    std::size_t operator()(const RowRef& row) const {
      return std::hash<const void*>{}(row.request) ^ (row.row * std::size_t{0x9E3779B1});
    }
  };
  struct SameRow {
    bool operator()(const RowRef& a, const RowRef& b) const {
      return a.request == b.request && a.row == b.row;
    }
  };

  void forget_key(const Flight& flight);

  std::unordered_map<RowRef, std::unique_ptr<Flight>, HashOfRow, SameRow> by_leader_;
  std::unordered_map<KeyView, Flight*, HashOfKey> by_key_;  // keys are the flights'
};

}  // namespace millrace
