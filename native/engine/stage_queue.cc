#include "engine/stage_queue.h"

#include <algorithm>
#include <cstring>

#include "engine/routing.h"

namespace millrace {
namespace {

// Where a row of each class goes: its own ring, or else, while one batch that takes long holds that
// ring up, a lower and then a higher one.
constexpr std::array<std::array<std::uint8_t, kPriorityClasses>, kPriorityClasses> kRings{
    {{0, 1, 2}, {1, 2, 0}, {2, 1, 0}}};

}  // namespace

StageQueue::StageQueue(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
                       std::size_t capacity)
    : spec_(spec),
      stage_(stage),
      layout_(layout),
      classes_{PriorityClass(capacity), PriorityClass(capacity), PriorityClass(capacity)} {
  for (PriorityClass& one : classes_) {
    for (const std::size_t row_bytes : stage.input_row_bytes) {
      one.arenas.push_back(row_bytes == 0 ? nullptr
                                          : make_aligned_buffer(row_bytes * one.ring.capacity()));
    }
  }
}

StageQueue::Push StageQueue::push(Request& request, std::uint32_t row, Nanos now) {
  const std::uint64_t shape = stage_.fixed_inputs ? 0 : shape_of(request, row);
  for (const std::uint8_t index : kRings[request.priority]) {
    PriorityClass& one = classes_[index];
    const auto position = one.ring.try_reserve(1);
    if (!position) continue;
    const bool fits = write_inputs(request, row, one.ring.index(*position), one.arenas);
    // A reserved slot must be published; a null request tells the replica to skip it.
    one.ring.publish(*position, {now, request.deadline, shape}, {fits ? &request : nullptr, row});
    return fits ? Push::kQueued : Push::kWrongShape;
  }
  return Push::kFull;
}

bool StageQueue::write_inputs(const Request& request, std::uint32_t row, std::size_t index,
                              std::vector<AlignedBuffer>& arenas) const {
  for (std::size_t i = 0; i < arenas.size(); ++i) {
    const std::size_t row_bytes = stage_.input_row_bytes[i];
    if (row_bytes == 0) continue;
    const RowView view = StageInputs{spec_, stage_, layout_}.of(request, row, i);
    if (view.bytes != row_bytes) return false;
    std::memcpy(arenas[i].get() + index * row_bytes, view.data, row_bytes);
  }
  return true;
}

// Rows of the same shape get the same number; different shapes may collide, so who batches must
// still compare them.
std::uint64_t StageQueue::shape_of(const Request& request, std::uint32_t row) const {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a over the dimensions
  for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
    if (stage_.input_row_bytes[i] > 0) continue;
    const RowView view = StageInputs{spec_, stage_, layout_}.of(request, row, i);
    for (const std::int64_t dim : *view.dims) {
      hash = (hash ^ static_cast<std::uint64_t>(dim)) * 1099511628211ULL;
    }
    hash *= 1099511628211ULL;
  }
  return hash;
}

void StageQueue::notify(std::size_t rows) {
  if (rows <= spec_.max_batch) {
    parked.notify_one();
  } else {
    parked.notify_all();
  }
}

QueueView StageQueue::view(Nanos now) const {
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

std::size_t StageQueue::waiting() const {
  std::size_t rows = 0;
  for (const PriorityClass& one : classes_) rows += one.ring.size();
  return rows;
}

bool StageQueue::ready() const {
  SlotKey oldest;
  return std::any_of(classes_.begin(), classes_.end(),
                     [&](const PriorityClass& one) { return one.ring.peek(oldest); });
}

const std::byte* StageQueue::arena_row(std::size_t priority, std::size_t input,
                                       std::uint64_t position) const {
  const PriorityClass& one = classes_[priority];
  if (one.arenas[input] == nullptr) return nullptr;
  return one.arenas[input].get() + one.ring.index(position) * stage_.input_row_bytes[input];
}

}  // namespace millrace
