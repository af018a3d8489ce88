// Where rows of a stage wait that may share a batch: one ring a priority class, and beside each
// ring the arena its rows live in.
//
// A slot of the ring owns one row of the arena of every input whose rows have a fixed size, so n
// neighbouring slots are a batch tensor as they stand:
//
//   ring of a class    | slot 0 | slot 1 | slot 2 | ...   RowRef: whose row
//   arena of an input  | row 0  | row 1  | row 2  | ...   its bytes, there before the slot is seen
//
// Any thread may do anything, as with a ring.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "batching/policy.h"
#include "engine/layout.h"
#include "engine/request.h"
#include "queue/ring.h"

namespace millrace {

struct RowRef {
  Request* request;
  std::uint32_t row;
};

class Lane {
 public:
  // `capacity` rows a class. The stage outlives the lane.
  Lane(const StageLayout& stage, std::size_t capacity);

  [[nodiscard]] QueueView view(Nanos now) const;
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] bool ready() const;

  Ring<RowRef>& ring(std::size_t priority) { return classes_[priority].ring; }

  // The arena row of a slot, for whoever reserved or claimed it; null where the input's rows have
  // no fixed size.
  [[nodiscard]] std::byte* arena_row(std::size_t priority, std::size_t input,
                                     std::uint64_t position) const;

 private:
  struct PriorityClass {
    explicit PriorityClass(std::size_t capacity) : ring(capacity) {}
    Ring<RowRef> ring;
    std::vector<AlignedBuffer> arenas;  // per input
  };

  const StageLayout& stage_;
  std::array<PriorityClass, kPriorityClasses> classes_;
};

}  // namespace millrace
