// How long batches of a stage take of late, by their size, learnt from the batches themselves.
//
//   size   1 2 3 4 5 6 7 8 10 12 14 16 20 24 28 32 40 ... max_batch     a slot each
//   slot   the last 7 service times -> their median, and when the last of them came
//
// A batch counts for the next size that has a slot. The median of seven is blind to a few outliers
// (a first run, a processor taken away) and follows a change after four batches. With fewer than
// three samples a slot knows nothing: what is not known sheds nobody, so batches run and it learns.
//
// What nobody confirms is forgotten: after a second without a batch of its size (eight service
// times, where those are longer) a slot knows nothing until the next. Hence an estimate that has
// become too long cannot refuse everything for ever: the next requests are let in and measured. If
// they show it to be still right, within a factor of two, it holds again at once; otherwise it
// starts anew.
//
// Threads: any may record and read. Everything is relaxed: no other data hangs on it, and where two
// replicas record at the same moment one of the two samples may be lost.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "batching/latency_table.h"

namespace millrace {

class ServiceTimes {
 public:
  explicit ServiceTimes(std::size_t max_batch);

  // A batch of so many rows (1 to max_batch) took so long and ended at `now`.
  void record(std::size_t batch, Nanos service, Nanos now);

  // Replaces the table's points by what is known at `now`: none where nothing is. A smaller batch
  // never takes longer than a larger one there, and those smaller than any known as much less as
  // they are smaller: rather too little than too much, so that they are tried.
  void read(Nanos now, LatencyTable& table) const;

  [[nodiscard]] std::size_t slots() const { return sizes_.size(); }

 private:
  static constexpr std::size_t kSamples = 7;
  static constexpr std::uint32_t kEnough = 3;

  struct Slot {
    std::array<std::atomic<Nanos>, kSamples> samples{};
    std::atomic<std::uint32_t> count{0};  // samples since it last started anew
    std::atomic<Nanos> median{0};         // 0: nothing known
    std::atomic<Nanos> updated{0};
  };

  [[nodiscard]] Slot& slot_of(std::size_t batch) const;
  static Nanos median_of(const Slot& slot, std::uint32_t count);
  static bool is_fresh(const Slot& slot, Nanos now);

  const std::vector<std::size_t> sizes_;  // ascending
  const std::unique_ptr<Slot[]> slots_;
};

}  // namespace millrace
