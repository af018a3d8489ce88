// Keys and results by number, for tests of what keeps them.
#pragma once

#include <cstring>
#include <memory>

#include "engine/result_store.h"

namespace millrace {

inline constexpr std::size_t kPlenty = 1 << 20;

// Keys by number. Some share their hash, so that comparing them in full is what tells them apart.
inline Key key_of(int number, std::size_t bytes = 8) {
  Key key;
  key.hash = static_cast<std::uint64_t>(number % 3);
  key.bytes.assign(bytes, std::byte{0});
  std::memcpy(key.bytes.data(), &number, sizeof number);
  return key;
}

inline SharedResult result_of(int number, std::size_t bytes = 8) {
  auto result = std::make_shared<StageResult>();
  result->fixed.assign(bytes, std::byte{0});
  std::memcpy(result->fixed.data(), &number, sizeof number);
  return result;
}

// -1 for none.
inline int number_of(const SharedResult& result) {
  if (result == nullptr) return -1;
  int number = 0;
  std::memcpy(&number, result->fixed.data(), sizeof number);
  return number;
}

// What one entry takes.
inline std::size_t entry_bytes(std::size_t key_bytes = 8, std::size_t result_bytes = 8) {
  ResultStore store({kPlenty, kNever});
  store.insert(key_of(0, key_bytes), result_of(0, result_bytes), 0);
  return store.bytes();
}

}  // namespace millrace
