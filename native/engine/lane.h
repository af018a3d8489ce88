// Where rows of a stage wait that may share a batch: one ring a priority class, and beside each
// ring the arena its rows live in.
//
// A slot of the ring owns one row of the arena of every input whose rows have a fixed size, so n
// neighbouring slots are a batch tensor as they stand:
//
//   ring of a class    | slot 0 | slot 1 | slot 2 | ...   RowRef: whose row
//   arena of an input  | row 0  | row 1  | row 2  | ...   its bytes, there before the slot is seen
//
// A class is made when it is first used: most stages know only one. Any thread may do anything, as
// with a ring; only provide() is for one at a time.
//
// Where the stage's model has memory of its own for what waits (Model::input_memory), the arenas of
// the normal class lie there: the others are rarely used, and such memory is dear.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "batching/policy.h"
#include "engine/layout.h"
#include "engine/request.h"
#include "model/model.h"
#include "queue/ring.h"

namespace millrace {

struct RowRef {
  Request* request;
  std::uint32_t row;
  std::uint32_t visit = 0;  // its number where the request records them (visits.h)
};

class Lane {
 public:
  // `capacity` rows a class. The stage outlives the lane; `memory` may be null.
  Lane(const StageLayout& stage, std::size_t capacity,
       std::shared_ptr<HostMemory> memory = nullptr);
  ~Lane();

  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Makes the class unless it is there. One thread at a time.
  void provide(std::size_t priority);
  [[nodiscard]] bool provides(std::size_t priority) const { return find(priority) != nullptr; }

  // For limits that hold batches back, only rows that a claim could take count, as long as they do
  // not fill one: a batch is not full because of a row that is being pushed, and whoever took the
  // others without it would leave it to wait for a batch of its own.
  [[nodiscard]] QueueView view(Nanos now, const BatchingLimits& limits) const;
  [[nodiscard]] std::size_t waiting(std::size_t priority) const;
  [[nodiscard]] std::size_t waiting() const;  // of all classes
  [[nodiscard]] bool ready() const;

  // Of a class that it provides.
  [[nodiscard]] Ring<RowRef>& ring(std::size_t priority) const { return find(priority)->ring; }

  // The arena row of a slot, for whoever reserved or claimed it; null where the input's rows have
  // no fixed size.
  [[nodiscard]] std::byte* arena_row(std::size_t priority, std::size_t input,
                                     std::uint64_t position) const;

 private:
  struct PriorityClass {
    PriorityClass(const StageLayout& stage, std::size_t capacity, HostMemory* memory);
    Ring<RowRef> ring;
    std::vector<std::shared_ptr<std::byte[]>> arenas;  // per input
  };

  [[nodiscard]] PriorityClass* find(std::size_t priority) const {
    return classes_[priority].load(std::memory_order_acquire);
  }

  const StageLayout& stage_;
  const std::size_t capacity_;
  const std::shared_ptr<HostMemory> memory_;
  // Null until made; provide() releases, everybody acquires. Owned.
  std::array<std::atomic<PriorityClass*>, kPriorityClasses> classes_{};
};

}  // namespace millrace
