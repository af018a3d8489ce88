// The results of one stage: those kept, and those on their way. A row that asks for what is kept is
// answered, one whose equal is on its way is attached to it, and any other leads: it is queued and
// run, for itself and all that attach meanwhile.
//
// Whoever is told that a row leads owes the cache exactly one of complete(), fail() and succeed()
// for it, before the row is resolved; and whoever is given attached rows owes each its resolution.
// So a row is in one place at a time, the queue or a flight, and is resolved once.
//
// A failed run is the input's: equal rows fail alike. A leader that was not run (cancelled,
// expired, shed, no room in the queue, the engine stops) says nothing about it, and another row
// leads.
//
// Rows that are attached keep the priority and the place in the queue of their leader. Memory of
// those in flight is not in max_bytes: it is bounded by the rows admitted.
//
// Any thread; one mutex, held for a look-up and the comparison or copy of one key. A key as large
// as an image makes that tens of microseconds. Not sharded: bytes and order of use are of the
// whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "engine/flights.h"
#include "engine/pipeline_spec.h"
#include "engine/result_store.h"

namespace millrace {

// Counts of rows are since the start.
struct CacheStats {
  std::uint64_t hits = 0;    // answered with what was kept
  std::uint64_t shared = 0;  // attached to an equal row in flight
  std::uint64_t misses = 0;  // queued, to be run
  std::size_t bytes = 0;     // kept now, of at most max_bytes
  std::size_t entries = 0;
  std::uint64_t evictions = 0;  // results that went for want of room
};

class ResultCache {
 public:
  struct Answer {
    enum class Kind : std::uint8_t { kHit, kAttached, kLeads };
    Kind kind;
    SharedResult result;  // of a hit
  };

  explicit ResultCache(const CacheSpec& limits) : store_(limits) {}

  // The row is about to be queued. Where it is attached it is the cache's: somebody may resolve it
  // at once.
  Answer ask(const KeyView& key, RowRef row, Nanos now);

  // The leader ran. Returns the rows that were attached to it, to be given the same.
  std::vector<RowRef> complete(RowRef leader, SharedResult result, Nanos now);

  // The leader's run failed. Returns the rows that were attached to it, to fail alike.
  std::vector<RowRef> fail(RowRef leader);

  // The leader left and was not run. Nothing to do for a row that does not lead (any more).
  Succession succeed(RowRef leader);

  // Whether a row that still wants the leader's result is attached to it. A hint: false may be out
  // of date, and succeed() then finds the row.
  [[nodiscard]] bool followed(RowRef leader) const;

  // The stage's results are no longer what its model would say: nothing kept is served any more,
  // and the result of no run whose row was queued before is kept or shared with rows to come. Rows
  // already attached to such a run still get its result.
  void clear();

  [[nodiscard]] CacheStats stats() const;

 private:
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  ResultStore store_;
  Flights flights_;
  std::uint64_t generation_ = 0;  // counts clear()
  std::uint64_t hits_ = 0;
  std::uint64_t shared_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace millrace
