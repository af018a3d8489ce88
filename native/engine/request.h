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
//
// The items that a fan-out stage made of one row are a request of their own kind below it, with the
// items for rows and the values of their scope only:
//
//   root (2 rows) -- row 0 -- items (3 rows) -- row 1 -- items of a fan-out among items ...
//                 '- row 1 -- items (0 rows)
//
// It is made by the replica that ran the stage for the row, before the row is resolved there, and
// lives until the root is used again. What is above is seen through it; how the whole ends, and its
// lifetime, belong to the root. Its `settlement` only counts its rows: ask settled(), or root().
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
#include "engine/visits.h"
#include "model/row_block.h"

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

// Adds the row's elements behind those of the blob; its dims are left alone.
void append(Blob& blob, const RowView& row, DataType type);

class alignas(kCacheLine) Request {
 public:
  Request(const Layout& layout, std::uint32_t index);
  Request(Request& parent, std::uint32_t parent_row, std::uint32_t scope);  // items

  ~Request();

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Owner, before the request is shared: n rows, nothing resolved yet.
  void prepare(std::uint32_t rows);

  // Owner, after prepare: whether the visits of its rows are written down.
  void record_visits(bool wanted) {
    visits = nullptr;
    if (wanted) start_visits();
  }

  // The row is about to be queued at the stage. The number of its visit; 0 where it is not written
  // down.
  std::uint32_t add_visit(std::uint32_t row, std::uint32_t stage, Nanos now) {
    return visits == nullptr ? 0 : note_visit(row, stage, now);
  }

  // Nothing for a visit of number 0. Before the row is resolved.
  void end_visit(std::uint32_t visit, Nanos now, VisitState state) {
    if (visit != 0) visits->end(visit, now, state);
  }

  // Owner, after prepare: copies what is kept of the inputs; the rest is read from the caller until
  // end_submit().
  void begin_submit(const CallerInput* inputs, std::size_t count);
  void end_submit() { caller_inputs_ = nullptr; }

  // The replica that ran the stage which opens `scope` for the row, before it resolves the row:
  // room for its items.
  Request& make_items(std::uint32_t row, std::uint32_t scope, std::uint32_t count);

  // Once that stage is resolved for the row: its items, of which there may be none; null where it
  // did not run.
  [[nodiscard]] Request* items(std::uint32_t row, std::uint32_t scope) const;

  // Of a value of its own scope, or of one above, which all items see alike.
  [[nodiscard]] RowView row(std::uint32_t value, std::uint32_t row) const;

  // Of values of its own scope.
  std::byte* record_row(std::uint32_t value, std::uint32_t row);
  Blob& blob_row(std::uint32_t value, std::uint32_t row);

  // The same, of a value that is handed on: keeps the handle, and holds its block until every stage
  // that reads it has let go of it. Where they never will (the engine ended), until this ends.
  void hold_row(std::uint32_t value, std::uint32_t row, const RowHandle& handle);

  // Whoever resolves a stage that the value is handed to, for a row whose value nobody reads for
  // that stage any more. Nothing where there is no value.
  void let_go(std::uint32_t value, std::uint32_t row);

  // One of those that the stage (or the relay, by Layout::counter_of) waits for has come; true for
  // the last of them.
  bool arrive(std::uint32_t row, std::uint32_t counter);

  // Items: one more stage is resolved for one of them that the gathering reads; true for the last
  // of them all.
  bool arrive_gathered(std::uint32_t gathering);

  void mark_ran(std::uint32_t row, std::uint32_t stage);
  [[nodiscard]] bool ran(std::uint32_t row, std::uint32_t stage) const;

  // One more stage, or scope below, is resolved for the row; true for the last of them all.
  bool resolve(std::uint32_t row);

  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  [[nodiscard]] std::uint32_t scope() const { return scope_; }
  [[nodiscard]] Request& root() const { return *root_; }
  [[nodiscard]] bool is_root() const { return root_ == this; }
  [[nodiscard]] Request* parent() const { return parent_; }  // null for a root
  [[nodiscard]] std::uint32_t parent_row() const { return parent_row_; }

  // Whether nobody waits for it any more; a hint, as Settlement::settled() is.
  [[nodiscard]] bool settled() const { return root_->settlement.settled(); }

  // What every request is touched for comes first, on one cache line: it goes to the replica's
  // processor and back.
  Settlement<> settlement;

 private:
  std::uint32_t rows_ = 0;
  struct RowState;
  RowState* row_states_ = nullptr;  // in block_
  std::byte* record_ = nullptr;     // in block_
  Request* const root_;             // itself, unless it is items

 public:
  Request* next = nullptr;  // in the list of settled or of recycled requests

  // Written by the owner before the request is shared; items have those of their root.
  Nanos deadline = kNever;

  // Written by whoever settles it, before it is handed to the owner.
  Nanos settled_at = 0;

  // As the deadline.
  Nanos submitted = 0;
  std::uint8_t priority = 0;
  Visits* visits = nullptr;  // null unless they are recorded

  // Written by whoever settles it.
  std::uint32_t failed_stage = 0;
  Nanos retry_after = kNever;  // after which a retry may succeed; kNever where that is not known
  std::string message;
  std::string detail;  // of Error

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

  // A row that is handed on. The handle is written by the replica that ran its stage, and taken out
  // by the last who lets go of it.
  struct HeldRow {
    RowHandle handle;
    std::atomic<std::uint32_t> readers{0};  // have still to let go; acquire-release
  };

  void grow(std::uint32_t rows);
  void drop_held();
  [[nodiscard]] HeldRow& held_row(std::uint32_t value, std::uint32_t row) const;
  void start_visits();
  std::uint32_t note_visit(std::uint32_t row, std::uint32_t stage, Nanos now);
  void keep_input(std::uint32_t value, const CallerInput& input);

  const Layout& layout_;
  const std::uint32_t index_;
  const std::uint32_t scope_ = 0;
  Request* const parent_ = nullptr;
  const std::uint32_t parent_row_ = 0;
  std::uint32_t row_capacity_ = 0;
  const CallerInput* caller_inputs_ = nullptr;
  std::atomic<std::uint8_t>* awaited_ = nullptr;  // [row][stage or relay]: not yet come; in block_
  std::vector<Blob> blobs_;                       // [row][blob]
  std::unique_ptr<HeldRow[]> held_;               // [row][handle]; null where nothing is handed on
  AlignedBuffer block_;                           // | row states | awaited | record |

  // Written by whoever makes the items of the row; [row][slot of the scope]. Kept for the next use.
  std::vector<std::unique_ptr<Request>> items_;
  std::vector<std::atomic<std::uint32_t>> gathered_;  // per gathering of its scope: left to come

  std::unique_ptr<Visits> own_visits_;  // of a root that ever recorded them
};

}  // namespace millrace
