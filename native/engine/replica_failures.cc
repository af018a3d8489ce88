// The part of a replica that deals with batches that failed: runs them again in halves where that
// may help, and fails the rows where it does not.
#include <algorithm>

#include "engine/replica.h"

namespace millrace {

// Whether the row has left, or come too late, while others ran.
bool Replica::drop(const ClaimedRow& row) {
  const JudgedRow judged{row.request->deadline, row.priority};
  if (row.request->settled()) {
    if (context_.router.wanted({row.request, row.row}, context_.stage)) return false;
    skip(row);
  } else if (judge(settler_.now(), judged, 1, limits_) == Verdict::kShed) {
    shed(row);
  } else {
    return false;
  }
  return true;
}

void Replica::run_again(std::span<ClaimedRow> rows) {
  const auto end =
      std::remove_if(rows.begin(), rows.end(), [this](const ClaimedRow& row) { return drop(row); });
  const auto left = rows.first(static_cast<std::size_t>(end - rows.begin()));
  if (!left.empty()) run_rows(left);
}

void Replica::split(std::span<ClaimedRow> rows, const Error& error) {
  const bool too_large = error.code == ErrorCode::kOutOfMemory;
  const bool for_good = error.code == ErrorCode::kCancelled || error.code == ErrorCode::kDeviceLost;
  // Before its requests are answered.
  if (error.code == ErrorCode::kDeviceLost)
    context_.router.fallbacks().note(context_.stage, runner_->replaced());
  if (rows.size() == 1 || for_good || !(too_large || context_.spec.isolate)) {
    for (const ClaimedRow& row : rows) fail_row(row, error);
    return;
  }
  if (too_large) shrink(rows.size());
  context_.stats.retries.add(1);
  const std::size_t half = rows.size() / 2;
  run_again(rows.first(half));
  run_again(rows.subspan(half));
}

// Batches of so many rows do not fit the device: none shall be larger than half of it.
void Replica::shrink(std::size_t rows) {
  if (limits_.max_batch <= rows / 2) return;
  limits_.max_batch = rows / 2;
  gauge_.set_max_batch(limits_.max_batch);
  context_.stats.shrunk.add(1);
}

void Replica::fail_row(const ClaimedRow& row, const Error& error) {
  const bool cancelled = error.code == ErrorCode::kCancelled;
  context_.stats.failed.add(1);
  end_visit(row, VisitState::kFailed, run_);
  settler_.fail(*row.request, cancelled ? Outcome::kClosed : Outcome::kFailed, context_.stage,
                error.message, error.detail);
  if (!cancelled) {
    context_.router.share_failure({row.request, row.row}, context_.stage, error, settler_);
  }
  dropped_.push_back({row.request, row.row});
}

}  // namespace millrace
