// The replicas of an engine and what they are made with: how many serve a stage, with which model,
// and in what batches. All of it changes while the engine serves.
//
// Threads
//   control   scale, reconfigure, stop: any thread but a replica's, one call at a time (others
//             wait). They block: for a model to load, for zeros to run, for a batch to end.
//   owner     look
//   any       waiting_replicas, stage statistics
//
// Promises
//   - reconfigure() does everything or nothing: whatever can fail is done beside the replicas that
//     serve, before the first of them is replaced.
//   - A stage that is served stays served: a new replica takes rows before an old one is told to
//     end. No row is lost or failed by a change.
//   - A model that serves no more is let go of when its last batch ended.
// Not promised
//   - That old and new do not answer at the same time, for a batch.
//   - That a change ends before a batch in progress does.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/layout.h"
#include "engine/pipeline_spec.h"
#include "engine/router.h"
#include "engine/seats.h"
#include "engine/stats.h"

namespace millrace {

// What is left out stays as it is. A model must declare what the one before it did, as far as the
// pipeline relies on it.
struct StageChange {
  std::size_t stage = 0;
  std::shared_ptr<Model> model;
  std::optional<std::size_t> replicas;
  std::optional<std::size_t> max_batch;
  std::optional<Nanos> max_delay;
  std::optional<std::uint32_t> threads;  // of the model
};

// Where an engine's staff works; everything outlives it.
struct Workplace {
  const PipelineSpec& spec;
  const Layout& layout;
  Router& router;
  const Clock& clock;
};

class Staff {
 public:
  // Models by stage. Nobody serves yet.
  Staff(const Workplace& workplace, std::vector<std::shared_ptr<Model>> models);
  ~Staff();  // stops, and terminates what runs

  Staff(const Staff&) = delete;
  Staff& operator=(const Staff&) = delete;

  // Control --------------------------------------------------------------------------------------

  // Returns when the stage has that many replicas; those removed have finished their batch. On
  // failure it has as many as could be made; kClosed once stop() was called.
  Status scale(std::size_t stage, std::size_t replicas);

  // Returns when nothing of what is replaced serves any more. A stage is named once. On failure
  // nothing has changed; kClosed once stop() was called.
  Status reconfigure(std::span<const StageChange> changes);

  // Ends all replicas: after the batches in progress, or at once where `terminate` (they fail). A
  // change in progress gives up at its next step. May be called again, also to terminate what
  // another call waits for.
  void stop(bool terminate);

  // Owner: interrupts the runs that nobody wants.
  void look() { seats_.look(); }

  // Any thread.
  [[nodiscard]] StageStats stage_stats(std::size_t stage) const;
  [[nodiscard]] StageHistograms stage_histograms(std::size_t stage,
                                                 const HistogramBounds& bounds) const;

 private:
  // What the replicas of a stage are made with.
  struct Service {
    std::shared_ptr<Model> model;
    std::size_t max_batch = 1;
    Nanos max_delay = 0;
    std::uint32_t threads = 1;
    std::size_t warm_rows = 0;   // the model was run with zeros up to here
    bool refuses_zeros = false;  // and did not like them
  };

  // A change, worked out: replicas made with `service` come, `leaving` go.
  struct Change {
    std::size_t stage = 0;
    Service service;
    bool new_model = false;
    std::size_t hires = 0;
    std::vector<Seat*> hired;  // made, warm and started; they wait to be opened
    std::vector<Seat*> leaving;
  };

  [[nodiscard]] Change plan(const StageChange& wanted) const;
  Status prepare(Change& change);
  Status hire(Change& change);
  [[nodiscard]] Result<std::unique_ptr<Runner>> make_runner(std::size_t stage,
                                                            const Service& service) const;
  Status warm(Change& change, Runner& runner);
  [[nodiscard]] std::size_t warm_rows_of(const Service& service) const;
  Status commit(Change& change);
  void tell_fallback(const Change& change);
  void discard(Change& change);
  [[nodiscard]] Status closed() const;

  const Workplace at_;
  std::mutex control_;             // held by a change for as long as it takes
  std::vector<Service> services_;  // per stage; control only
  Seats seats_;
  std::atomic<bool> stopping_{false};  // written by stop(), before it waits for control_; relaxed:
                                       // it comes too late or a step later
};

}  // namespace millrace
