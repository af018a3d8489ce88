#include "simulator/simulation.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "simulator/contention.h"
#include "simulator/cores.h"
#include "simulator/event_heap.h"
#include "simulator/event_loop.h"
#include "simulator/graph_flow.h"
#include "simulator/outcomes.h"
#include "simulator/plain_flow.h"
#include "simulator/stage_lines.h"
#include "simulator/traffic.h"

namespace millrace {
namespace {

// Instants between two looks at whether a count is over.
constexpr std::uint64_t kInstantsPerLook = 2048;

constexpr std::uint64_t kMost = ~std::uint64_t{0};

Nanos first_arrival(const Traffic& traffic) {
  return traffic.arrivals().empty() ? 0 : traffic.arrivals().front();
}

// That of the CPU, unless threads share cores, then those of the devices.
std::vector<Contention> make_contentions(const Traffic& traffic) {
  const bool shared = traffic.pipeline().cores.count > 0;
  std::vector<Contention> contentions;
  contentions.emplace_back(shared ? std::vector<double>{} : traffic.slowdown());
  for (const std::vector<double>& slowdown : traffic.pipeline().device_slowdowns)
    contentions.emplace_back(slowdown);
  return contentions;
}

}  // namespace

class Simulation::State {
 public:
  State(std::shared_ptr<const Traffic> traffic, const std::vector<SimulatedService>& services,
        const SimulationOptions& options);

  // Up to `until`, but no more than so many instants.
  void run(Nanos until, std::uint64_t most);

  // kNever: nothing is left to happen.
  [[nodiscard]] Nanos next_instant() const;

  // After run(): it is `until`, or the end of time.
  void rest_at(Nanos until) {
    if (until == kNever) {
      ended_ = true;
    } else {
      now_ = std::max(now_, until);
    }
  }

  [[nodiscard]] Nanos now() const { return now_; }
  // For judging who is late.
  [[nodiscard]] Nanos age() const { return ended_ ? kNever : now_; }
  [[nodiscard]] std::size_t entered() const { return next_entry_; }

  StageLine& change(std::size_t stage) {
    lines_.mark(stage);
    undecided_ = true;
    ended_ = false;
    return lines_.all[stage];
  }

  [[nodiscard]] const StageLine& line(std::size_t stage) const { return lines_.all[stage]; }
  [[nodiscard]] SimulationReport report(Nanos limit) const;

  Outcomes& outcomes() { return outcomes_; }
  void record() { recording_ = true; }
  [[nodiscard]] std::span<const Batch> records() const { return records_; }

 private:
  [[nodiscard]] bool ends_now() const {
    return next_contended_end() <= now_ || cores_.next() <= now_ ||
           (!ends_.empty() && ends_.top().time <= now_);
  }
  [[nodiscard]] Nanos next_contended_end() const;
  void live_instant();
  void end_batches();
  void end_batch(const RunningBatch& batch, bool contended);
  void move_rows(std::uint32_t stage, const StageLine::Batch& batch);
  void admit();
  void arrive(std::uint32_t request);
  void queue_answers();
  void wake_stages();
  void decide_changed();
  void decide(std::uint32_t stage);
  void start_batch(std::uint32_t stage, std::size_t rows);
  void set_alarm(StageLine& line, Nanos at);

  const std::shared_ptr<const Traffic> traffic_;
  Nanos now_ = 0;
  bool ended_ = false;      // nothing can happen any more, and all time has passed
  bool undecided_ = false;  // something was changed from outside
  std::size_t next_entry_ = 0;
  StageLines lines_;
  Outcomes outcomes_;
  std::unique_ptr<PlainFlow> plain_flow_;  // one of the two
  std::unique_ptr<GraphFlow> graph_flow_;
  EventHeap<Nanos> ends_;                // of batches that nothing slows down
  std::vector<Contention> contentions_;  // of the CPU, then of each device
  Cores cores_;
  std::optional<EventLoop> loop_;  // where it shares cores with others
  bool contended_ = false;         // whether the end of any batch may change
  Nanos next_alarm_ = kNever;      // the least wake_at
  std::uint64_t batches_ = 0;      // started
  std::vector<RunningBatch> ended_batches_;
  bool recording_ = false;
  std::vector<Batch> records_;
};

Simulation::State::State(std::shared_ptr<const Traffic> traffic,
                         const std::vector<SimulatedService>& services,
                         const SimulationOptions& options)
    : traffic_(std::move(traffic)),
      outcomes_(traffic_->arrivals(), traffic_->pipeline().request_overhead),
      contentions_(make_contentions(*traffic_)),
      cores_(traffic_->pipeline().cores, traffic_->slowdown()),
      contended_(cores_.applies() || std::ranges::any_of(contentions_, &Contention::applies)) {
  const SimulatedPipeline& pipeline = traffic_->pipeline();
  if (cores_.applies() && pipeline.loop_overhead > 0) {
    loop_.emplace(pipeline.loop_overhead - pipeline.answer_overhead, pipeline.answer_overhead);
    outcomes_.wait_for_answers();
  }
  for (std::uint32_t stage = 0; stage < services.size(); ++stage) {
    lines_.all.emplace_back(services[stage], options, stage, first_arrival(*traffic_));
  }
  lines_.changed.resize((services.size() + StageLines::kBits - 1) / StageLines::kBits);
  if (traffic_->plain()) {
    plain_flow_ = std::make_unique<PlainFlow>(*traffic_, lines_, outcomes_);
  } else {
    graph_flow_ = std::make_unique<GraphFlow>(*traffic_, lines_, outcomes_);
  }
}

Nanos Simulation::State::next_contended_end() const {
  Nanos next = kNever;
  for (const Contention& contention : contentions_) next = std::min(next, contention.next_end());
  return next;
}

Nanos Simulation::State::next_instant() const {
  if (undecided_) return now_;
  const std::vector<Nanos>& entries = traffic_->entries();
  Nanos next = std::min({next_contended_end(), cores_.next(), next_alarm_});
  if (!ends_.empty()) next = std::min(next, ends_.top().time);
  if (next_entry_ < entries.size()) next = std::min(next, entries[next_entry_]);
  return next;
}

void Simulation::State::run(Nanos until, std::uint64_t most) {
  for (; most > 0; --most) {
    const Nanos next = next_instant();
    if (next > until || next == kNever) return;
    now_ = next;
    live_instant();
  }
}

void Simulation::State::live_instant() {
  undecided_ = false;
  wake_stages();
  do {
    end_batches();
    if (loop_) queue_answers();
    admit();
    if (loop_ && loop_->may_start()) cores_.start(EventLoop::kBatch, 1, loop_->begin(), now_);
    decide_changed();
    if (cores_.applies()) cores_.settle(now_);
  } while (ends_now());
}

void Simulation::State::end_batches() {
  if (!contended_) {
    while (!ends_.empty() && ends_.top().time <= now_) {
      const RunningBatch batch = ends_.top().batch;
      ends_.pop();
      end_batch(batch, false);
    }
    return;
  }
  cores_.take_ended(now_, ended_batches_);
  for (Contention& contention : contentions_) contention.take_ended(now_, ended_batches_);
  while (!ends_.empty() && ends_.top().time <= now_) {
    ended_batches_.push_back(ends_.top().batch);
    ends_.pop();
  }
  std::ranges::sort(ended_batches_, {}, &RunningBatch::sequence);
  for (const RunningBatch& batch : ended_batches_) end_batch(batch, true);
  ended_batches_.clear();
}

void Simulation::State::end_batch(const RunningBatch& running, bool contended) {
  if (running.stage == EventLoop::kBatch.stage) {
    const EventLoop::Task task = loop_->end();
    return task.answers ? outcomes_.answer(task.request, now_) : arrive(task.request);
  }
  StageLine& line = lines_.all[running.stage];
  const StageLine::Batch batch = line.batch(running.seat);
  if (contended && batch.threads > 0) {
    Contention& contention = contentions_[batch.device];
    if (contention.applies()) contention.release(batch.threads, now_);
  }
  if (recording_) records_[static_cast<std::size_t>(running.sequence)].end = now_;
  line.end(running.seat, now_);
  lines_.mark(running.stage);
  move_rows(running.stage, batch);
}

void Simulation::State::move_rows(std::uint32_t stage, const StageLine::Batch& batch) {
  const StageLine& line = lines_.all[stage];
  for (std::uint32_t i = 0; i < batch.rows; ++i) {
    // Still there: rows only move on to later stages, and nothing has come to this one.
    const std::uint32_t row = line.row(batch, i);
    if (plain_flow_) {
      plain_flow_->row_ended(stage, row, now_);
    } else {
      graph_flow_->row_ended(row, now_);
    }
  }
}

void Simulation::State::admit() {
  const std::vector<Nanos>& entries = traffic_->entries();
  while (next_entry_ < entries.size() && entries[next_entry_] <= now_) {
    const auto request = static_cast<std::uint32_t>(next_entry_++);
    if (loop_) {
      loop_->push({request, false});
    } else {
      arrive(request);
    }
  }
}

void Simulation::State::arrive(std::uint32_t request) {
  if (plain_flow_) {
    plain_flow_->arrive(request, now_);
  } else {
    graph_flow_->arrive(request, now_);
  }
}

void Simulation::State::queue_answers() {
  for (const std::uint32_t request : outcomes_.unanswered()) loop_->push({request, true});
  outcomes_.unanswered().clear();
}

// Those whose batch has been held back for long enough.
void Simulation::State::wake_stages() {
  if (next_alarm_ > now_) return;
  for (std::size_t stage = 0; stage < lines_.all.size(); ++stage) {
    if (lines_.all[stage].wake_at <= now_) {
      set_alarm(lines_.all[stage], kNever);
      lines_.mark(stage);
    }
  }
}

void Simulation::State::set_alarm(StageLine& line, Nanos at) {
  const Nanos before = std::exchange(line.wake_at, at);
  if (at <= next_alarm_) {
    next_alarm_ = at;
  } else if (before == next_alarm_) {
    next_alarm_ = kNever;
    for (const StageLine& one : lines_.all) next_alarm_ = std::min(next_alarm_, one.wake_at);
  }
}

void Simulation::State::decide_changed() {
  for (std::size_t word = 0; word < lines_.changed.size(); ++word) {
    std::uint64_t left = std::exchange(lines_.changed[word], 0);
    for (; left != 0; left &= left - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(left));
      decide(static_cast<std::uint32_t>(word * StageLines::kBits + bit));
    }
  }
}

void Simulation::State::decide(std::uint32_t stage) {
  StageLine& line = lines_.all[stage];
  Nanos wake_at = kNever;
  while (line.may_start()) {
    const Decision decision = line.decide_now(now_);
    if (decision.action != Decision::Action::kTake) {
      wake_at = decision.wait_until;
      break;
    }
    start_batch(stage, StageLine::taken(decision));
  }
  if (wake_at != line.wake_at) set_alarm(line, wake_at);
}

void Simulation::State::start_batch(std::uint32_t stage, std::size_t rows) {
  StageLine& line = lines_.all[stage];
  const std::uint32_t seat = line.begin(rows, now_);
  const Nanos service = line.service_time(rows);
  const RunningBatch batch{batches_++, stage, seat};
  Contention& contention = contentions_[line.device()];
  const bool on_core = cores_.applies() && line.device() == 0 && line.threads() > 0;
  const bool contended = on_core || (contention.applies() && line.threads() > 0);
  if (on_core) {
    cores_.start(batch, line.threads(), service, now_);
  } else if (contended) {
    contention.start(batch, line.threads(), service, now_);
  } else {
    ends_.push({now_ + service, batch});
  }
  if (!recording_) return;
  const Nanos end = contended ? kNever : now_ + service;
  records_.push_back({stage, static_cast<std::uint32_t>(rows), now_, end});
}

SimulationReport Simulation::State::report(Nanos limit) const {
  SimulationReport report = outcomes_.report(limit, next_entry_, age());
  for (const StageLine& line : lines_.all) report.stages.push_back(line.report(now_));
  return report;
}

Simulation::Simulation(std::shared_ptr<const Traffic> traffic,
                       const std::vector<SimulatedService>& services,
                       const SimulationOptions& options)
    : state_(std::make_unique<State>(std::move(traffic), services, options)) {}

Simulation::~Simulation() = default;

bool Simulation::advance(Nanos until) {
  state_->run(until, kMost);
  state_->rest_at(until);
  return state_->next_instant() != kNever;
}

std::uint64_t Simulation::count_late(Nanos limit, std::uint64_t enough,
                                     const std::atomic<bool>& cancelled) {
  Outcomes& outcomes = state_->outcomes();
  outcomes.only_count(limit);
  std::uint64_t late = 0;
  while (late <= enough && !cancelled.load(std::memory_order_relaxed)) {
    if (state_->next_instant() == kNever) {
      late = outcomes.count_late(state_->entered(), kNever);
      break;
    }
    state_->run(kNever, kInstantsPerLook);
    late = outcomes.count_late(state_->entered(), state_->now());
  }
  return std::min(late, enough == kMost ? enough : enough + 1);
}

void Simulation::run_to_end(const std::atomic<bool>& cancelled) {
  while (!cancelled.load(std::memory_order_relaxed)) {
    if (state_->next_instant() == kNever) {
      state_->rest_at(kNever);
      return;
    }
    state_->run(kNever, kInstantsPerLook);
  }
}

Nanos Simulation::now() const {
  return state_->now();
}

std::size_t Simulation::largest_batch(std::size_t stage) const {
  return state_->line(stage).largest_batch();
}

void Simulation::set_replicas(std::size_t stage, std::size_t replicas) {
  state_->change(stage).set_replicas(replicas, state_->now());
}

void Simulation::set_service(std::size_t stage, const SimulatedService& service) {
  state_->change(stage).set_service(service, state_->now());
}

SimulationReport Simulation::report(Nanos limit) const {
  return state_->report(limit);
}

void Simulation::record_batches() {
  state_->record();
}

std::span<const Simulation::Batch> Simulation::batches() const {
  return state_->records();
}

}  // namespace millrace
