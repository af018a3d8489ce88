#include "engine/stage_queue.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/routing.h"

namespace millrace {
namespace {

// Where a row of each class goes in the common lane: its own ring, or else, while one batch that
// takes long holds that ring up, a lower and then a higher one.
constexpr std::array<std::array<std::uint8_t, kPriorityClasses>, kPriorityClasses> kRings{
    {{0, 1, 2}, {1, 2, 0}, {2, 1, 0}}};

// A lane has room for all rows that may wait, unless that costs too much: slots are a cache line
// each, and those that have been used keep the memory of their arena rows.
std::size_t capacity_of_shape_lane(const StageLayout& stage, std::size_t common) {
  constexpr std::size_t kLeast = 64;
  constexpr std::size_t kMost = 4096;
  constexpr std::size_t kMostArenaBytes = std::size_t{16} << 20;
  const std::size_t row_bytes =
      std::accumulate(stage.input_row_bytes.begin(), stage.input_row_bytes.end(), std::size_t{1});
  return std::min({common / 2, kMost, std::max(kLeast, kMostArenaBytes / row_bytes)});
}

}  // namespace

StageQueue::StageQueue(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
                       std::size_t capacity)
    : spec_(spec),
      stage_(stage),
      layout_(layout),
      shapes_(spec, stage),
      shape_lane_capacity_(capacity_of_shape_lane(stage, capacity)) {
  lanes_[kCommonLane].lane = std::make_unique<Lane>(stage, capacity, spec.model->input_memory());
  for (std::size_t i = 0; i < kPriorityClasses; ++i) lanes_[kCommonLane].lane->provide(i);
  lanes_made_.store(1, std::memory_order_release);
}

StageQueue::Push StageQueue::push(const RowRef& ref, Nanos now) {
  const Request& request = *ref.request;
  const SlotKey key{now, request.deadline, stage_.fixed_inputs ? 0 : shape_of(request, ref.row)};
  if (shapes_.laned()) {
    const std::size_t lane = lane_for(key.shape, request.priority);
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
  const Lane& into = *lanes_[lane].lane;
  const auto position = into.ring(priority).try_reserve(1);
  if (!position) return std::nullopt;
  const bool fits = write_inputs(row, into, priority, *position);
  // A reserved slot must be published; a null request tells the replica to skip it.
  into.ring(priority).publish(*position, key, {fits ? row.request : nullptr, row.row, row.visit});
  return fits ? Push::kQueued : Push::kWrongShape;
}

std::size_t StageQueue::find_lane(std::uint64_t shape) const {
  const std::size_t made = lanes();
  for (std::size_t i = kCommonLane + 1; i < made; ++i) {
    if (lanes_[i].shape.load(std::memory_order_relaxed) == shape) return i;
  }
  return kCommonLane;
}

// The lane of a shape, with the class; the common one where none can be had without waiting.
std::size_t StageQueue::lane_for(std::uint64_t shape, std::size_t priority) {
  const std::size_t found = find_lane(shape);
  if (lanes_[found].lane->provides(priority) && found != kCommonLane) return found;
  const std::unique_lock lock(lanes_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return kCommonLane;
  const std::size_t again = find_lane(shape);
  const std::size_t lane = again == kCommonLane ? give_lane(shape) : again;
  lanes_[lane].lane->provide(priority);
  return lane;
}

// With lanes_mutex_: a new lane, or one in which nothing waits, or else the common one.
std::size_t StageQueue::give_lane(std::uint64_t shape) {
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

bool StageQueue::write_inputs(const RowRef& row, const Lane& lane, std::size_t priority,
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

void StageQueue::view(Nanos now, const BatchingLimits& limits,
                      std::vector<QueueView>& views) const {
  const std::size_t made = lanes();
  views.clear();
  for (std::size_t i = 0; i < made; ++i) views.push_back(lanes_[i].lane->view(now, limits));
}

std::size_t StageQueue::waiting(std::size_t priority) const {
  const std::size_t made = lanes();
  std::size_t rows = 0;
  for (std::size_t i = 0; i < made; ++i) rows += lanes_[i].lane->waiting(priority);
  return rows;
}

std::size_t StageQueue::waiting() const {
  std::size_t rows = 0;
  for (std::size_t i = 0; i < kPriorityClasses; ++i) rows += waiting(i);
  return rows;
}

bool StageQueue::ready() const {
  const std::size_t made = lanes();
  return std::any_of(lanes_.begin(), lanes_.begin() + static_cast<std::ptrdiff_t>(made),
                     [](const LaneEntry& entry) { return entry.lane->ready(); });
}

}  // namespace millrace
