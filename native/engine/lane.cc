#include "engine/lane.h"

#include <algorithm>
#include <utility>

#include "base/aligned_buffer.h"

namespace millrace {
namespace {

constexpr std::size_t kNormal = 1;

}  // namespace

Lane::PriorityClass::PriorityClass(const StageLayout& stage, std::size_t capacity,
                                   HostMemory* memory)
    : ring(capacity) {
  for (std::size_t i = 0; i < stage.input_row_bytes.size(); ++i) {
    const std::size_t bytes = stage.input_row_bytes[i] * ring.capacity();
    // Handles are read by the processor.
    const bool reached = memory != nullptr && !stage.handed_inputs[i];
    std::shared_ptr<std::byte[]> arena;
    if (bytes > 0 && reached) arena = memory->allocate(bytes);
    if (bytes > 0 && arena == nullptr) arena = make_aligned_buffer(bytes);
    arenas.push_back(std::move(arena));
  }
}

Lane::Lane(const StageLayout& stage, std::size_t capacity, std::shared_ptr<HostMemory> memory)
    : stage_(stage), capacity_(capacity), memory_(std::move(memory)) {}

Lane::~Lane() {
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    const std::unique_ptr<PriorityClass> owned(find(i));
  }
}

void Lane::provide(std::size_t priority) {
  if (provides(priority)) return;
  auto made = std::make_unique<PriorityClass>(stage_, capacity_,
                                              priority == kNormal ? memory_.get() : nullptr);
  classes_[priority].store(made.release(), std::memory_order_release);
}

QueueView Lane::view(Nanos now, const BatchingLimits& limits) const {
  QueueView view;
  view.now = now;
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    const PriorityClass* const one = find(i);
    SlotKey oldest;
    if (one == nullptr || one->ring.size() == 0 || !one->ring.peek(oldest)) continue;
    std::size_t waiting = one->ring.size();
    if (limits.max_delay > 0) {
      const std::size_t published = one->ring.published(limits.max_batch);
      if (published == 0) continue;  // others were faster
      if (published < limits.max_batch) waiting = published;
    }
    view.classes[i] = {waiting, oldest.enqueued, oldest.deadline};
  }
  return view;
}

std::size_t Lane::waiting(std::size_t priority) const {
  const PriorityClass* const one = find(priority);
  return one == nullptr ? 0 : one->ring.size();
}

std::size_t Lane::waiting() const {
  std::size_t rows = 0;
  for (std::size_t i = 0; i < kPriorityClasses; ++i) rows += waiting(i);
  return rows;
}

bool Lane::ready() const {
  SlotKey oldest;
  return std::ranges::any_of(classes_, [&](const auto& held) {
    const PriorityClass* const one = held.load(std::memory_order_acquire);
    return one != nullptr && one->ring.peek(oldest);
  });
}

std::byte* Lane::arena_row(std::size_t priority, std::size_t input, std::uint64_t position) const {
  const PriorityClass& one = *find(priority);
  if (one.arenas[input] == nullptr) return nullptr;
  return one.arenas[input].get() + one.ring.index(position) * stage_.input_row_bytes[input];
}

}  // namespace millrace
