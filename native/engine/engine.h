// The serving core: submits requests to a pipeline of stages, each served by replicas on native
// threads, and collects what became of them.
//
// Threads
//   owner     the one thread that submits, cancels, expires and collects (in Node, the event loop).
//             Never blocks.
//   control   any thread but a replica's: scales, reconfigures and stops, one call at a time
//             (others wait). May block: for a batch to end, for a model to load.
//   replicas  one a replica, inside.
//   stats() and histograms() may be called from any thread.
//
// Promises
//   - Every accepted request is collected or cancelled exactly once: completed, failed, expired,
//     cancelled or closed.
//   - wake() is called (from any thread) whenever collect() has something new after it had nothing.
//   - A request's inputs are copied before submit() returns.
//   - A request that was settled before its rows got to run is never given to a model, unless
//     another one waits for an equal row's result.
//   - A batch none of whose requests is waited for any more is interrupted, where its model can be.
// Not promised
//   - Order: requests are collected in the order in which they were settled.
//   - A cancelled request's batch runs on for the others in it; the result is dropped.
//   - An index names a request until it was collected or cancelled; after that, perhaps another.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/admission.h"
#include "engine/deadline_wheel.h"
#include "engine/layout.h"
#include "engine/pipeline_spec.h"
#include "engine/request_pool.h"
#include "engine/router.h"
#include "engine/staff.h"
#include "engine/stats.h"

namespace millrace {

struct SubmitOptions {
  std::uint32_t rows = 1;
  std::uint8_t priority = 1;  // class, 0 is served first
  Nanos deadline = kNever;    // absolute
  bool record_visits = false;
};

// What became of a submit: the handle of a pending request, or the reason it was refused.
struct SubmitResult {
  enum class Refusal : std::uint8_t {
    kNone,
    kQueueFull,
    kDeadlinePassed,
    kClosed,
    kTooBusy,    // what waits leaves too little time for its deadline
    kTooLittle,  // its deadline is nearer than the work takes
  };
  Refusal refusal = Refusal::kNone;
  std::uint32_t index = 0;

  Nanos retry_after = kNever;  // until a retry has a chance; kNever where that is not known
  Prospect prospect;           // with kTooBusy and kTooLittle
};

class Engine {
 public:
  // The spec has passed the checks of src/pipeline; its stages start with their `replicas`. Control
  // thread: may load models. `clock` outlives the engine.
  static Result<std::unique_ptr<Engine>> create(PipelineSpec spec, const Clock& clock,
                                                std::function<void()> wake);

  // Stops, then frees everything. Nothing may be in progress on any other thread.
  ~Engine();

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Owner ----------------------------------------------------------------------------------------

  // One CallerInput for each input of the spec, with `rows` rows each. At least one row; a priority
  // below kPriorityClasses.
  SubmitResult submit(const SubmitOptions& options, std::span<const CallerInput> inputs);

  // True: it is settled as cancelled and will not be collected. False: it was settled before, and
  // will be (or was).
  bool cancel(std::uint32_t index);

  // Settles what is past its deadline; returns the next moment to call it at, kNever when no
  // request has a deadline.
  Nanos expire();

  // What a request was through so far, where it records that; null where it does not, and for an
  // index never handed out. Valid until the request is recycled or cancelled.
  [[nodiscard]] const Request* recorded(std::uint32_t index) const;

  // Requests settled since the last call, linked through Request::next, oldest first; null when
  // there are none. Each must be given back with recycle() after it was read, and after its `next`
  // was: a replica may hand on what was recycled, at once.
  Request* collect();
  void recycle(Request& request);

  // After stop(): refuses every further submit and settles everything that is left as closed;
  // collect() then returns it.
  void abandon();

  // Stages that moved to their fallback since the last call, where the device of their model is
  // lost. A look where there are none.
  std::vector<Fallbacks::Move> take_fallbacks() { return router_.fallbacks().take(); }

  // Refuses every further submit.
  void refuse() { refusing_ = true; }

  // Accepted and neither collected nor cancelled. Exact for the owner, close for any other thread.
  [[nodiscard]] std::size_t pending() const {
    const std::uint64_t answered = answered_.get();
    const std::uint64_t submitted = submitted_.get();
    return submitted > answered ? static_cast<std::size_t>(submitted - answered) : 0;
  }

  // Control --------------------------------------------------------------------------------------

  // See staff.h.
  Status scale(std::size_t stage, std::size_t replicas) { return staff_.scale(stage, replicas); }
  Status reconfigure(std::span<const StageChange> changes) { return staff_.reconfigure(changes); }
  void stop(bool terminate) { staff_.stop(terminate); }

  // Any thread -----------------------------------------------------------------------------------

  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] EngineHistograms histograms(const HistogramBounds& bounds) const;

  // Its models declare and do not run: those that serve change.
  [[nodiscard]] const PipelineSpec& spec() const { return spec_; }
  [[nodiscard]] const Layout& layout() const { return layout_; }

 private:
  Engine(PipelineSpec spec, std::vector<std::shared_ptr<Model>> models, const Clock& clock,
         std::function<void()> wake);

  SubmitResult shed_at_the_door(const SubmitOptions& options, Nanos now);
  void count(Request& request);

  const PipelineSpec spec_;
  const Layout layout_;
  const Clock& clock_;

  Admission admission_;
  SettledList settled_;
  Router router_;

  // Owner only.
  RequestPool pool_;
  DeadlineWheel wheel_;
  Settler settler_;
  bool refusing_ = false;

  // Written by the owner, read by stats().
  Counter submitted_;
  Counter answered_;  // collected or cancelled
  std::array<Counter, kOutcomes> outcomes_;
  Counter shed_;              // refused because their deadline could not be met
  Counter within_objective_;  // completed in time
  Histogram latency_ns_;

  Staff staff_;  // last: its replicas work with everything above
};

}  // namespace millrace
