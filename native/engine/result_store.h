// Results by key, as many as fit into a number of bytes, each for a limited time. Where room is
// needed, the one not asked for the longest goes (least recently used).
//
//   by use   oldest use  <-> ... <-> latest use      who goes next when room is needed
//   by age   first to expire <-> ... <-> last        who goes next when time passes
//
// Every entry is in both lists and in the index. All have the same time to live and come in the
// order of their completion, so the list by age is in order of expiry, up to what clocks of
// replicas differ. find() and insert() are O(1) in the number of entries (a key is compared byte by
// byte): each also reclaims a few expired ones, more than one insert() can add.
//
// Promises
//   - bytes() never exceeds max_bytes: keys, values and an estimate of what keeping them takes.
//   - What find() returns has not expired, and stays whole after the entry is gone.
// Not promised
//   - That expired entries are gone while nobody calls; they still count in bytes() then.
//
// Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "engine/cache_key.h"
#include "engine/pipeline_spec.h"
#include "engine/stage_result.h"

namespace millrace {

class ResultStore {
 public:
  explicit ResultStore(const CacheSpec& limits) : limits_(limits) {}

  ResultStore(const ResultStore&) = delete;
  ResultStore& operator=(const ResultStore&) = delete;

  // Null when it is not there; otherwise it is now the last to go.
  SharedResult find(const KeyView& key, Nanos now);

  // Kept from `now` on, instead of what was there; not at all when it is larger than max_bytes.
  void insert(Key key, SharedResult result, Nanos now);

  void clear();

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t entries() const { return index_.size(); }

  // Entries that went for want of room.
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

 private:
  struct Entry;
  struct Links {
    Entry* before = nullptr;
    Entry* after = nullptr;
  };
  struct Entry {
    Key key;
    SharedResult result;
    std::size_t bytes = 0;
    Nanos expires = kNever;  // the first moment at which it is not served
    Links by_use;
    Links by_age;
  };

  // A list through one of the links of its entries.
  template <Links Entry::*kLinks>
  struct List {
    void push_back(Entry& entry);
    void remove(Entry& entry);
    Entry* first = nullptr;
    Entry* last = nullptr;
  };

  void make_room(std::size_t bytes);
  void reclaim(Nanos now);
  void remove(Entry& entry);

  const CacheSpec limits_;
  std::unordered_map<KeyView, std::unique_ptr<Entry>, HashOfKey> index_;  // keys are the entries'
  List<&Entry::by_use> by_use_;
  List<&Entry::by_age> by_age_;
  std::size_t bytes_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace millrace
