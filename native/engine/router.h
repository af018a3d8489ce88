// Moves rows along the pipeline. When a stage is resolved for a row (it ran, was skipped, or the
// row was dropped) every stage that waited only for it starts: it is queued, or skipped in turn.
// The last resolution of a row finishes it, the last row finishes the request.
//
// Requests that were settled early (cancelled, expired, failed) go the same way, except that
// nothing is queued for them any more: so every row is resolved at every stage exactly once,
// whatever happens, and nothing leaks.
//
// The resolution of a fan-out stage also opens the scope of its items: each of them is a row that
// goes its own way (links.h says what waits for what across scopes), and its row above is finished
// only when all of them are. Where there are none, or the stage did not run, the scope is closed at
// once.
//
// One Router serves all threads; what a thread settles is collected in its own Settler and handed
// over in one piece.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/admission.h"
#include "engine/cache_key.h"
#include "engine/fallbacks.h"
#include "engine/layout.h"
#include "engine/outlook.h"
#include "engine/request.h"
#include "engine/result_cache.h"
#include "engine/stage_gauge.h"
#include "engine/stage_queue.h"
#include "queue/intrusive_stack.h"

namespace millrace {

// Settled requests on their way to the owner, and finished ones on their way back to the pool.
class SettledList {
 public:
  explicit SettledList(std::function<void()> wake) : wake_(std::move(wake)) {}

  void push_settled(Request* first, Request* last) {
    if (settled_.push_chain(first, last)) wake_();
  }
  void push_free(Request* request) {
    request->next = nullptr;
    free_.push_chain(request, request);
  }

  // Owner only.
  Request* take_settled() { return settled_.take_all(); }
  Request* take_free() { return free_.take_all(); }

 private:
  IntrusiveStack<Request> settled_;
  IntrusiveStack<Request> free_;
  std::function<void()>
      wake_;  // called from any thread, when the list was empty; coalesces wake-ups
};

class Router;

// One thread's settled requests and queued rows, since the last flush, and the moment they all
// share. Used by one thread.
class Settler {
 public:
  explicit Settler(Router& router);

  // What is settled and queued from here on happened at `now`: one reading of the clock serves a
  // whole batch.
  void set_now(Nanos now) { now_ = now; }
  [[nodiscard]] Nanos now() const { return now_; }

  // Settles the request (for items: the one they belong to) unless somebody already did. False when
  // somebody had.
  bool settle(Request& request, Outcome outcome);
  bool fail(Request& request, Outcome outcome, std::uint32_t stage, const std::string& message,
            const std::string& detail = {}, Nanos retry_after = kNever);

  // Drops a request whose deadline cannot be met any more at the stage.
  bool shed(Request& request, std::uint32_t stage);

  // Of this thread.
  Outlook& outlook() { return outlook_; }

  void count_queued(std::uint32_t stage) { ++queued_[stage]; }
  void count_finished(std::uint32_t rows) { finished_rows_ += rows; }

  // Hands over what was settled and wakes the replicas for what was queued.
  void flush();

  KeyWriter keys;  // scratch

 private:
  void append(Request& request);

  Router& router_;
  Outlook outlook_;
  Nanos now_ = 0;
  std::uint32_t finished_rows_ = 0;
  Request* first_ = nullptr;
  Request* last_ = nullptr;
  std::vector<std::size_t> queued_;  // rows queued per stage
};

class Router {
 public:
  Router(const PipelineSpec& spec, const Layout& layout, SettledList& settled,
         Admission& admission);

  // Starts every row of a prepared request at the stages that wait for nobody.
  void enter(Request& request, Settler& settler);

  // A replica of the stage is done with the row, and so, where results are shared, with those that
  // wait for it. The request may be gone when this returns.
  void resolve(Request& request, std::uint32_t row, std::uint32_t stage, bool ran,
               Settler& settler);

  // Whether anybody waits for the row's result at the stage: its own request or, where results are
  // shared, another one. A hint, as Settlement::settled() is.
  [[nodiscard]] bool wanted(RowRef row, std::uint32_t stage) const {
    return !row.request->settled() || (cache(stage) != nullptr && cache(stage)->followed(row));
  }

  // The run of a row failed, and its request was told: fails those that wait for an equal row
  // alike. Before resolve().
  void share_failure(RowRef failed, std::uint32_t stage, const Error& error, Settler& settler);

  // Drops one reference to a root; recycles the request when it was the last.
  void release(Request& request);

  StageQueue& queue(std::size_t stage) { return *queues_[stage]; }
  [[nodiscard]] const StageQueue& queue(std::size_t stage) const { return *queues_[stage]; }
  [[nodiscard]] std::size_t stages() const { return queues_.size(); }
  // Null where the stage has none.
  ResultCache* cache(std::size_t stage) { return caches_[stage].get(); }
  [[nodiscard]] const ResultCache* cache(std::size_t stage) const { return caches_[stage].get(); }
  StageGauge& gauge(std::size_t stage) { return *gauges_[stage]; }
  [[nodiscard]] const StageGauge& gauge(std::size_t stage) const { return *gauges_[stage]; }
  [[nodiscard]] const PipelineSpec& spec() const { return spec_; }
  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] const CertainPaths& certain_paths() const { return certain_paths_; }
  Fallbacks& fallbacks() { return fallbacks_; }
  [[nodiscard]] const Fallbacks& fallbacks() const { return fallbacks_; }
  SettledList& settled() { return settled_; }
  Admission& admission() { return admission_; }

  // Of a batch that somebody wants to know of. Relaxed: a number, and nothing comes with it.
  std::uint64_t next_batch() { return batches_.fetch_add(1, std::memory_order_relaxed) + 1; }

 private:
  void start(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler);
  bool gather(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler);
  bool can_be_met(Request& request, std::uint32_t stage, Settler& settler);
  bool enqueue(RowRef row, std::uint32_t stage, Settler& settler);
  void cross(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler);
  void open(Request& request, std::uint32_t row, std::uint32_t scope, Settler& settler);
  void pass(const Passage& passage, Request* items, Settler& settler);
  void drop_share(Request& request, std::uint32_t row, Settler& settler);
  void advance(Request& request, std::uint32_t row, std::uint32_t stage, bool ran,
               Settler& settler);
  void finish_row(Request& request, Settler& settler);

  // Where results are shared (router_sharing.cc).
  void start_shared(RowRef row, std::uint32_t stage, Settler& settler);
  void lead(RowRef row, std::uint32_t stage, Settler& settler);
  std::optional<RowRef> succeed(RowRef leader, std::uint32_t stage, Settler& settler);
  void share(RowRef leader, std::uint32_t stage, bool ran, Settler& settler);
  void answer(RowRef row, std::uint32_t stage, const StageResult& result, Settler& settler);

  const PipelineSpec& spec_;
  const Layout& layout_;
  SettledList& settled_;
  Admission& admission_;
  const CertainPaths certain_paths_;
  std::vector<std::unique_ptr<StageQueue>> queues_;
  std::vector<std::unique_ptr<ResultCache>> caches_;  // per stage
  std::vector<std::unique_ptr<StageGauge>> gauges_;
  Fallbacks fallbacks_;
  std::atomic<std::uint64_t> batches_{0};
};

}  // namespace millrace
