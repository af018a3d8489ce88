// What makes two rows of a stage equal: the dims and bytes (or strings) of all that its model is
// given for them, written one after the other so that no two different rows are written alike.
// Keys are compared in full; the hash only finds them.
//
// Numbers are equal when their bytes are: 0 and -0 differ, a NaN equals itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/layout.h"
#include "engine/request.h"
#include "engine/routing.h"

namespace millrace {

// A key whose bytes somebody else owns.
struct KeyView {
  std::uint64_t hash = 0;
  std::span<const std::byte> bytes;

  friend bool operator==(const KeyView& a, const KeyView& b) {
    return a.hash == b.hash && a.bytes.size() == b.bytes.size() &&
           std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
  }
};

struct HashOfKey {
  std::size_t operator()(const KeyView& key) const { return static_cast<std::size_t>(key.hash); }
};

struct Key {
  Key() = default;
  explicit Key(const KeyView& view)
      : hash(view.hash), bytes(view.bytes.begin(), view.bytes.end()) {}
  [[nodiscard]] KeyView view() const { return {hash, bytes}; }

  std::uint64_t hash = 0;
  std::vector<std::byte> bytes;
};

// Differs from process to process, so that nobody can prepare inputs that all have one hash.
std::uint64_t hash_bytes(std::span<const std::byte> bytes);

// Writes keys into memory that it uses again. One thread.
class KeyWriter {
 public:
  // The row is about to be queued at the stage. Valid until the next call.
  KeyView write(const StageInputs& stage, const Request& request, std::uint32_t row);

 private:
  void append(const void* data, std::size_t bytes);
  void append_count(std::size_t count);
  void append_strings(const RowView& view);

  std::vector<std::byte> bytes_;
};

}  // namespace millrace
