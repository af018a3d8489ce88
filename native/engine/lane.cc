#include "engine/lane.h"

#include <algorithm>

namespace millrace {

Lane::Lane(const StageLayout& stage, std::size_t capacity)
    : stage_(stage),
      classes_{PriorityClass(capacity), PriorityClass(capacity), PriorityClass(capacity)} {
  for (PriorityClass& one : classes_) {
    for (const std::size_t row_bytes : stage.input_row_bytes) {
      one.arenas.push_back(row_bytes == 0 ? nullptr
                                          : make_aligned_buffer(row_bytes * one.ring.capacity()));
    }
  }
}

QueueView Lane::view(Nanos now) const {
  QueueView view;
  view.now = now;
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    const Ring<RowRef>& ring = classes_[i].ring;
    SlotKey oldest;
    if (ring.size() == 0 || !ring.peek(oldest)) continue;
    view.classes[i] = {ring.size(), oldest.enqueued, oldest.deadline};
  }
  return view;
}

std::size_t Lane::waiting() const {
  std::size_t rows = 0;
  for (const PriorityClass& one : classes_) rows += one.ring.size();
  return rows;
}

bool Lane::ready() const {
  SlotKey oldest;
  return std::any_of(classes_.begin(), classes_.end(),
                     [&](const PriorityClass& one) { return one.ring.peek(oldest); });
}

std::byte* Lane::arena_row(std::size_t priority, std::size_t input, std::uint64_t position) const {
  const PriorityClass& one = classes_[priority];
  if (one.arenas[input] == nullptr) return nullptr;
  return one.arenas[input].get() + one.ring.index(position) * stage_.input_row_bytes[input];
}

}  // namespace millrace
