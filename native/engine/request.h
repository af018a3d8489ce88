// One infer call on its way through the pipeline: its values, what each row has been through, and
// how it ended.
//
// Who touches it: the owner thread (the one that submits and collects) before it is shared and
// after it is collected; in between, whichever replica holds one of its rows, each writing only the
// values of its own stage for its own rows. The hand-over from the stages that write a value to
// those that read it is arrive(), and to the owner row_finished(); both are acquire-release.
//
// It is kept alive by two references: the owner's, dropped when the outcome was collected, and the
// execution's, dropped when every row has been resolved at every stage. A request that was
// cancelled or expired is thus answered at once, but its memory waits for the queues to let go of
// it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "engine/layout.h"
#include "engine/settlement.h"

namespace millrace {

// A row of a value whose size is not fixed.
struct Blob {
  std::vector<std::int64_t> dims;  // of the row
  std::vector<std::byte> bytes;
  std::vector<std::string> strings;
};

// One input of a request in the caller's memory, all rows; read during submit only.
struct CallerInput {
  const std::byte* data = nullptr;
  const std::string* strings = nullptr;
  std::size_t row_bytes = 0;
  std::size_t row_elements = 0;
  std::vector<std::int64_t> row_dims;  // where the pipeline leaves a dimension open
};

// A row of a value wherever it lives.
struct RowView {
  const std::byte* data = nullptr;
  const std::string* strings = nullptr;
  std::size_t bytes = 0;
  const std::vector<std::int64_t>* dims = nullptr;
};

class alignas(kCacheLine) Request {
 public:
  Request(const Layout& layout, std::uint32_t index);

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Owner, before the request is shared: n rows, nothing resolved yet.
  void prepare(std::uint32_t rows);

  // Owner, after prepare: copies what is kept of the inputs; the rest is read from the caller until
  // end_submit().
  void begin_submit(const CallerInput* inputs, std::size_t count);
  void end_submit() { caller_inputs_ = nullptr; }

  [[nodiscard]] RowView row(std::uint32_t value, std::uint32_t row) const;
  std::byte* record_row(std::uint32_t value, std::uint32_t row);
  Blob& blob_row(std::uint32_t value, std::uint32_t row);

  // One of the stages that `stage` waits for is resolved; true for the last of them.
  bool arrive(std::uint32_t row, std::uint32_t stage);

  void mark_ran(std::uint32_t row, std::uint32_t stage);
  [[nodiscard]] bool ran(std::uint32_t row, std::uint32_t stage) const;

  // One more stage is resolved for the row; true for the last of them all.
  bool resolve(std::uint32_t row);

  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] std::uint32_t rows() const { return rows_; }

  // What every request is touched for comes first, on one cache line: it goes to the replica's
  // processor and back.
  Settlement<> settlement;

 private:
  std::uint32_t rows_ = 0;
  struct RowState;
  RowState* row_states_ = nullptr;  // in block_
  std::byte* record_ = nullptr;     // in block_

 public:
  Request* next = nullptr;  // in the list of settled or of recycled requests

  // Written by the owner before the request is shared.
  Nanos submitted = 0;
  Nanos deadline = kNever;

  // Written by whoever settles it, before it is handed to the owner.
  Nanos settled_at = 0;

  std::uint8_t priority = 0;  // owner, before the request is shared

  // Written by whoever settles it.
  std::uint32_t failed_stage = 0;
  std::string message;
  std::string detail;  // of an error thrown by a function; see Error

  // Owner only: place in the deadline wheel.
  Request* wheel_previous = nullptr;
  Request* wheel_next = nullptr;
  std::uint32_t wheel_bucket = 0;
  bool in_wheel = false;

 private:
  struct RowState {
    std::atomic<std::uint64_t> ran{0};         // bit per stage; relaxed, ordered by arrive()
    std::atomic<std::uint32_t> unresolved{0};  // stages still to be resolved
  };

  void grow(std::uint32_t rows);
  void keep_input(std::uint32_t value, const CallerInput& input);

  const Layout& layout_;
  const std::uint32_t index_;
  std::uint32_t row_capacity_ = 0;
  const CallerInput* caller_inputs_ = nullptr;
  std::atomic<std::uint8_t>* awaited_ =
      nullptr;               // [row][stage]: predecessors not yet resolved; in block_
  std::vector<Blob> blobs_;  // [row][blob]
  AlignedBuffer block_;      // | row states | awaited | record |
};

}  // namespace millrace
