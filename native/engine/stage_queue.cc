#include "engine/stage_queue.h"

#include <algorithm>
#include <cstring>

#include "engine/routing.h"

namespace millrace {
namespace {

// Where a row of each class goes in the common lane: its own ring, or else, while one batch that
// takes long holds that ring up, a lower and then a higher one.
constexpr std::array<std::array<std::uint8_t, kPriorityClasses>, kPriorityClasses> kRings{
    {{0, 1, 2}, {1, 2, 0}, {2, 1, 0}}};

// Room for some batches, for each of three classes; what does not fit goes to the common lane, and
// from there into the same batches.
std::size_t capacity_of_shape_lane(std::size_t max_batch, std::size_t capacity) {
  constexpr std::size_t kLeast = 64;
  constexpr std::size_t kBatches = 8;
  return std::min(capacity, std::max(kLeast, kBatches * max_batch));
}

}  // namespace

StageQueue::StageQueue(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
                       std::size_t capacity)
    : spec_(spec),
      stage_(stage),
      layout_(layout),
      shapes_(spec, stage),
      shape_lane_capacity_(capacity_of_shape_lane(spec.max_batch, capacity)) {
  lanes_[kCommonLane].lane = std::make_unique<Lane>(stage, capacity);
  lanes_made_.store(1, std::memory_order_release);
}

StageQueue::Push StageQueue::push(Request& request, std::uint32_t row, Nanos now) {
  const SlotKey key{now, request.deadline, stage_.fixed_inputs ? 0 : shape_of(request, row)};
  const RowRef ref{&request, row};
  if (shapes_.laned()) {
    std::size_t lane = lane_of(key.shape);
    if (lane == kCommonLane) lane = provide_lane(key.shape);
    if (lane != kCommonLane) {
      if (const auto pushed = push_to(lane, request.priority, key, ref)) return *pushed;
    }
  }
  for (const std::uint8_t index : kRings[request.priority]) {
    if (const auto pushed = push_to(kCommonLane, index, key, ref)) return *pushed;
  }
  return Push::kFull;
}

// Nothing where the ring has no room.
std::optional<StageQueue::Push> StageQueue::push_to(std::size_t lane, std::size_t priority,
                                                    const SlotKey& key, const RowRef& row) {
  Lane& into = *lanes_[lane].lane;
  const auto position = into.ring(priority).try_reserve(1);
  if (!position) return std::nullopt;
  const bool fits = write_inputs(row, into, priority, *position);
  // A reserved slot must be published; a null request tells the replica to skip it.
  into.ring(priority).publish(*position, key, {fits ? row.request : nullptr, row.row});
  return fits ? Push::kQueued : Push::kWrongShape;
}

std::size_t StageQueue::lane_of(std::uint64_t shape) const {
  const std::size_t made = lanes();
  for (std::size_t i = kCommonLane + 1; i < made; ++i) {
    if (lanes_[i].shape.load(std::memory_order_relaxed) == shape) return i;
  }
  return kCommonLane;
}

// Makes a lane for the shape, or gives it one in which nothing waits. The common lane where there
// is none, or where another thread is at it.
std::size_t StageQueue::provide_lane(std::uint64_t shape) {
  const std::unique_lock lock(lanes_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return kCommonLane;
  if (const std::size_t lane = lane_of(shape); lane != kCommonLane) return lane;
  const std::size_t made = lanes();
  if (made < lanes_.size()) {
    lanes_[made].lane = std::make_unique<Lane>(stage_, shape_lane_capacity_);
    lanes_[made].shape.store(shape, std::memory_order_relaxed);
    lanes_made_.store(made + 1, std::memory_order_release);
    return made;
  }
  for (std::size_t tries = 0; tries < kShapeLanes; ++tries) {
    const std::size_t lane = next_given_;
    next_given_ = next_given_ == kShapeLanes ? kCommonLane + 1 : next_given_ + 1;
    if (lanes_[lane].lane->waiting() > 0) continue;
    lanes_[lane].shape.store(shape, std::memory_order_relaxed);
    return lane;
  }
  return kCommonLane;
}

bool StageQueue::write_inputs(const RowRef& row, Lane& lane, std::size_t priority,
                              std::uint64_t position) const {
  for (std::size_t i = 0; i < stage_.input_row_bytes.size(); ++i) {
    const std::size_t row_bytes = stage_.input_row_bytes[i];
    if (row_bytes == 0) continue;
    const RowView view = StageInputs{spec_, stage_, layout_}.of(*row.request, row.row, i);
    if (view.bytes != row_bytes) return false;
    std::memcpy(lane.arena_row(priority, i, position), view.data, row_bytes);
  }
  return true;
}

// Rows that may share a batch get the same number; others may, too.
std::uint64_t StageQueue::shape_of(const Request& request, std::uint32_t row) const {
  std::uint64_t shape = 0;
  if (shapes_.ragged()) return shape;
  for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
    if (stage_.input_row_bytes[i] > 0) continue;
    const RowView view = StageInputs{spec_, stage_, layout_}.of(request, row, i);
    shape = shapes_.mix(shape, i, shapes_.row_dims(i, *view.dims));
  }
  return shape;
}

void StageQueue::notify(std::size_t rows) {
  if (rows <= spec_.max_batch) {
    parked.notify_one();
  } else {
    parked.notify_all();
  }
}

void StageQueue::view(Nanos now, std::vector<QueueView>& views) const {
  const std::size_t made = lanes();
  views.clear();
  for (std::size_t i = 0; i < made; ++i) views.push_back(lanes_[i].lane->view(now));
}

std::size_t StageQueue::waiting() const {
  const std::size_t made = lanes();
  std::size_t rows = 0;
  for (std::size_t i = 0; i < made; ++i) rows += lanes_[i].lane->waiting();
  return rows;
}

bool StageQueue::ready() const {
  const std::size_t made = lanes();
  return std::any_of(lanes_.begin(), lanes_.begin() + static_cast<std::ptrdiff_t>(made),
                     [](const LaneEntry& entry) { return entry.lane->ready(); });
}

}  // namespace millrace
