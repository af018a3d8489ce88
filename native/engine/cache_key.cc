#include "engine/cache_key.h"

#include <array>
#include <cstring>

#include "engine/routing.h"

namespace millrace {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;       // 2^64 / golden ratio
constexpr std::uint64_t kOtherOdd = 0xC2B2AE3D27D4EB4FULL;  // another, with as little pattern

// Where the system loaded this: a secret where it shuffles addresses, which all do by default.
std::uint64_t seed_of_process() {
  static const char anchor = 0;
  return reinterpret_cast<std::uintptr_t>(&anchor) * kOdd;
}

// Loses nothing: for each word, no two lanes become one, and for each lane no two words do. Every
// bit of the word reaches every bit of the lane.
std::uint64_t stir(std::uint64_t lane, std::uint64_t word) {
  std::uint64_t mixed = (lane ^ word) * kOdd;
  mixed = (mixed ^ (mixed >> 32)) * kOtherOdd;
  return mixed ^ (mixed >> 29);
}

std::uint64_t word_at(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, kWord);
  return word;
}

}  // namespace

// Lanes that do not wait for each other, because a row may be an image and the event loop is what
// waits for the hash.
std::uint64_t hash_bytes(std::span<const std::byte> bytes) {
  std::array<std::uint64_t, kLanes> lanes{};
  // Far apart: of lanes that differ in few bits, one may become what another was.
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = stir(seed_of_process(), i + 1);
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kLanes * kWord; left -= kLanes * kWord) {
    for (std::uint64_t& lane : lanes) {
      lane = stir(lane, word_at(at));
      at += kWord;
    }
  }
  std::uint64_t hash = stir(seed_of_process(), bytes.size());
  for (; left >= kWord; left -= kWord, at += kWord) hash = stir(hash, word_at(at));
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  hash = stir(hash, tail);
  for (const std::uint64_t lane : lanes) hash = stir(hash, lane);
  return stir(hash, 0);
}

KeyView KeyWriter::write(const StageInputs& stage, const Request& request, std::uint32_t row) {
  bytes_.clear();
  for (std::size_t i = 0; i < stage.spec.inputs.size(); ++i) {
    const RowView view = stage.of(request, row, i);
    append_count(view.dims->size());
    append(view.dims->data(), view.dims->size() * sizeof(std::int64_t));
    if (stage.spec.model->inputs()[i].type == DataType::kString) {
      append_strings(view);
    } else {
      append_count(view.bytes);
      append(view.data, view.bytes);
    }
  }
  return {hash_bytes(bytes_), bytes_};
}

void KeyWriter::append(const void* data, std::size_t bytes) {
  if (bytes == 0) return;  // then there may be nothing to point at
  const auto* first = static_cast<const std::byte*>(data);
  bytes_.insert(bytes_.end(), first, first + bytes);
}

void KeyWriter::append_count(std::size_t count) {
  const std::uint64_t number = count;
  append(&number, sizeof number);
}

void KeyWriter::append_strings(const RowView& view) {
  std::size_t count = 1;
  for (const std::int64_t dim : *view.dims) count *= static_cast<std::size_t>(dim);
  for (std::size_t i = 0; i < count; ++i) {
    append_count(view.strings[i].size());
    append(view.strings[i].data(), view.strings[i].size());
  }
}

}  // namespace millrace
