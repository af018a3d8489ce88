// A second simulator, to check the first by: slow and written another way. Rows are objects, each
// with all stages of its scope; what a row has become of is found out by going over everything
// again and again until nothing changes, skipped stages like all others; queues are lists of rows,
// replicas are objects, and batches that slow each other down are moved on at every event.
//
// What they share is the policy, random_share() for drawing paths, and Simulation::Batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batching/policy.h"
#include "reference_cores.h"
#include "simulator/counter_random.h"
#include "simulator/simulation.h"

namespace millrace::reference {

using Chain = std::vector<std::uint32_t>;  // of fan-out stages, outermost first: whose items

// For which rows a stage runs, and where its values live.
struct Places {
  explicit Places(const std::vector<SimulatedStage>& stages) {
    for (std::uint32_t i = 0; i < stages.size(); ++i) {
      Chain deepest;
      for (const std::uint32_t from : stages[i].predecessors) {
        if (values[from].size() > deepest.size()) deepest = values[from];
      }
      runs.push_back(stages[i].gather ? runs[*stages[i].gather] : deepest);
      values.push_back(runs.back());
      if (stages[i].fan_out) values.back().push_back(i);
    }
  }
  std::vector<Chain> runs;
  std::vector<Chain> values;
};

enum class Phase : std::uint8_t { kWaits, kRuns, kResolved };

struct Row {
  std::uint32_t request = 0;
  Row* parent = nullptr;
  Chain chain;
  std::vector<std::uint32_t> position;  // which row of the request, which item, ...
  std::uint32_t path = 0;
  std::vector<Phase> phase;              // by stage; only those of its scope are used
  std::vector<std::uint32_t> rows_left;  // by stage
  std::vector<std::vector<Row*>> items;  // by fan-out stage
};

struct Request {
  Nanos arrival = 0;
  std::vector<std::unique_ptr<Row>> rows;  // of all scopes
  std::optional<Nanos> end;
};

struct Replica {
  bool busy = false;
};

struct Running {
  std::uint64_t number = 0;
  std::uint32_t stage = 0;
  std::vector<Row*> rows;
  Replica* replica = nullptr;
  Nanos start = 0;
  Nanos end = 0;          // where nothing slows it down
  long double left = -1;  // otherwise: alone it would take so much longer
  std::uint32_t threads = 0;
  std::optional<Work> work;  // on a core that it shares
};

// What the event loop does, where it shares cores.
struct Task {
  std::uint32_t request = 0;
  bool answers = false;
};

struct Waiting {
  Row* row = nullptr;
  Nanos since = 0;
};

struct Stage {
  SimulatedService service;
  std::deque<Waiting> queue;
  std::vector<std::unique_ptr<Replica>> replicas;
  std::size_t wanted = 0;  // replicas
  std::optional<Nanos> wake_at;
  std::vector<Nanos> waits;
  std::uint64_t visits = 0;
  std::uint64_t batches = 0;
  double busy = 0;
  double capacity = 0;
  std::vector<Nanos> left;  // when places became free that nobody has taken since
};

class ReferenceSimulation {
 public:
  ReferenceSimulation(const SimulatedPipeline& pipeline, std::vector<Nanos> arrivals,
                      std::uint64_t seed, const std::vector<SimulatedService>& services)
      : pipeline_(pipeline),
        places_(pipeline.stages),
        arrivals_(std::move(arrivals)),
        seed_(seed),
        stages_(services.size()),
        slowdown_(beside_loop(pipeline, arrivals_)),
        cores_(pipeline.cores, pipeline.slowdown) {
    for (std::size_t i = 0; i < services.size(); ++i) set_service(i, services[i]);
  }

  void advance(Nanos until) {
    for (;;) {
      const std::optional<Nanos> next = changed_ ? std::optional(now_) : next_instant();
      if (!next || *next > until) break;
      pass_time(*next);
      changed_ = false;
      while (live()) {
      }
    }
    if (until != kNever) pass_time(until);
  }

  void set_replicas(std::size_t stage, std::size_t count) {
    changed_ = true;
    stages_[stage].wanted = count;
    while (stages_[stage].replicas.size() < count) {
      stages_[stage].replicas.push_back(std::make_unique<Replica>());
    }
    drop_replicas(stages_[stage]);
  }

  void set_service(std::size_t stage, const SimulatedService& service) {
    stages_[stage].service = service;
    set_replicas(stage, service.replicas);
  }

  [[nodiscard]] const std::vector<Simulation::Batch>& batches() const { return batches_; }
  [[nodiscard]] const Stage& stage(std::size_t index) const { return stages_[index]; }
  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }
  [[nodiscard]] Nanos now() const { return now_; }

  [[nodiscard]] std::vector<Nanos> latencies() const {
    std::vector<Nanos> all;
    for (const Request& one : requests_) {
      if (one.end) all.push_back(*one.end - one.arrival + pipeline_.request_overhead);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  // Late by `limit`; at the end of time all that have not finished are.
  [[nodiscard]] std::uint64_t late(Nanos limit, bool at_the_end_of_time) const {
    std::uint64_t count = 0;
    for (const Request& one : requests_) {
      const Nanos end = one.end.value_or(now_);
      const bool over = end - one.arrival + pipeline_.request_overhead > limit;
      if (over || (!one.end && at_the_end_of_time)) ++count;
    }
    return count;
  }

 private:
  // Time --------------------------------------------------------------------------------------

  [[nodiscard]] std::optional<Nanos> next_instant() const {
    std::optional<Nanos> next;
    const auto consider = [&](Nanos at) { next = next ? std::min(*next, at) : at; };
    if (const auto entry = next_entry()) consider(*entry);
    for (const auto& one : running_) {
      if (!one->work) consider(end_of(*one));
    }
    if (const auto next_on_core = cores_.next(now_)) consider(*next_on_core);
    for (const Stage& stage : stages_) {
      if (stage.wake_at) consider(*stage.wake_at);
    }
    return next;
  }

  [[nodiscard]] bool contended(const Running& one) const { return one.left >= 0; }

  [[nodiscard]] Nanos end_of(const Running& one) const {
    if (!contended(one)) return one.end;
    const long double left = std::ceil(one.left * slowdown() - 1.0L / 1024);
    return now_ + std::max<Nanos>(0, static_cast<Nanos>(left));
  }

  [[nodiscard]] long double slowdown() const {
    std::size_t busy = 0;
    for (const auto& one : running_) busy += one->threads;
    const std::vector<double>& table = slowdown_;
    if (busy == 0 || table.empty()) return 1;
    if (busy <= table.size()) return table[busy - 1];
    return static_cast<double>(table.back()) * static_cast<double>(busy) /
           static_cast<double>(table.size());
  }

  void pass_time(Nanos to) {
    if (to <= now_) return;
    cores_.pass_time(to - now_);
    const long double slow = slowdown();
    for (auto& one : running_) {
      if (!contended(*one)) continue;
      one->left = std::max(0.0L, one->left - static_cast<long double>(to - now_) / slow);
    }
    const Nanos began = std::max(now_, arrivals_.empty() ? 0 : arrivals_.front());
    for (std::uint32_t i = 0; i < stages_.size() && to > began; ++i) {
      const auto span = static_cast<double>(to - began);
      const auto busy = std::count_if(running_.begin(), running_.end(),
                                      [&](const auto& one) { return one->stage == i; });
      stages_[i].busy += span * static_cast<double>(busy);
      stages_[i].capacity += span * static_cast<double>(stages_[i].replicas.size());
    }
    now_ = to;
  }

  // One instant -------------------------------------------------------------------------------

  // True when something happened, so that there may be more at the same instant.
  bool live() {
    bool happened = end_batches();
    while (next_entry().value_or(kNever) <= now_) {
      arrive();
      happened = true;
    }
    begin_task();
    for (std::uint32_t i = 0; i < stages_.size(); ++i) happened = decide_for(i) || happened;
    if (cores_.applies()) cores_.settle(now_);
    return happened;
  }

  bool end_batches() {
    std::vector<std::unique_ptr<Running>> ended;
    std::vector<bool> due;
    for (const auto& one : running_) {
      due.push_back(one->work ? cores_.is_due(&*one->work, now_) : end_of(*one) <= now_);
    }
    const bool loop_ended = loop_works_ && cores_.is_due(&loop_work_, now_);
    for (std::size_t i = 0; i < due.size(); ++i) {
      if (due[i]) ended.push_back(std::move(running_[i]));
    }
    std::erase(running_, nullptr);
    std::sort(ended.begin(), ended.end(),
              [](const auto& a, const auto& b) { return a->number < b->number; });
    for (const auto& one : ended) {
      if (one->work) cores_.end(&*one->work);
      batches_[one->number].end = now_;
      one->replica->busy = false;
      Stage& stage = stages_[one->stage];
      stage.left.push_back(now_);
      drop_replicas(stage);
      ++stage.batches;
      stage.visits += one->rows.size();
      for (Row* row : one->rows) row_ended(*row, one->stage);
    }
    if (loop_ended) end_task();
    return loop_ended || !ended.empty();
  }

  // The event loop, where it shares cores ------------------------------------------------------

  [[nodiscard]] bool loop_shares() const { return cores_.applies() && pipeline_.loop_overhead > 0; }

  void end_task() {
    cores_.end(&loop_work_);
    loop_works_ = false;
    const Task task = tasks_.front();
    tasks_.pop_front();
    if (task.answers) {
      requests_[task.request].end = now_;
    } else {
      enter(task.request);
    }
  }

  void begin_task() {
    if (loop_works_ || tasks_.empty()) return;
    loop_works_ = true;
    const Nanos answer = pipeline_.answer_overhead;
    const Nanos takes = tasks_.front().answers ? answer : pipeline_.loop_overhead - answer;
    loop_work_ = {kLoop, 1, static_cast<long double>(takes)};
    cores_.start(&loop_work_);
  }

  // While there are too many, whoever is idle leaves.
  static void drop_replicas(Stage& stage) {
    auto& all = stage.replicas;
    for (std::size_t i = all.size(); i-- > 0 && all.size() > stage.wanted;) {
      if (!all[i]->busy) all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  bool decide_for(std::uint32_t index) {
    Stage& stage = stages_[index];
    bool started = false;
    stage.wake_at.reset();
    for (auto& replica : stage.replicas) {
      if (replica->busy || stage.queue.empty()) continue;
      QueueView view;
      view.now = now_;
      view.classes[0] = {stage.queue.size(), stage.queue.front().since, kNever};
      BatchingLimits limits;
      limits.max_batch = stage.service.max_batch;
      limits.max_delay = stage.service.max_delay;
      limits.latency = &stage.service.latency;
      const Decision decision = decide(view, limits);
      if (decision.action == Decision::Action::kWait) stage.wake_at = decision.wait_until;
      if (decision.action != Decision::Action::kTake) continue;
      start(index, *replica, decision.take[0]);
      started = true;
    }
    return started;
  }

  void start(std::uint32_t index, Replica& replica, std::size_t rows) {
    Stage& stage = stages_[index];
    auto batch = std::make_unique<Running>();
    batch->number = batches_.size();
    batch->stage = index;
    batch->replica = &replica;
    batch->start = now_;
    batch->threads = stage.service.threads;
    for (std::size_t i = 0; i < rows; ++i) {
      stage.waits.push_back(now_ - stage.queue.front().since);
      batch->rows.push_back(stage.queue.front().row);
      stage.queue.pop_front();
    }
    const Nanos takes = stage.service.hop_overhead + stage.service.latency.at(rows) +
                        (wakes(stage) ? stage.service.wake_overhead : 0);
    batch->end = now_ + takes;
    const bool on_core = cores_.applies() && batch->threads > 0;
    const bool alone = !on_core && (pipeline_.slowdown.empty() || batch->threads == 0);
    if (on_core) {
      batch->work = Work{index, batch->threads, static_cast<long double>(takes)};
      cores_.start(&*batch->work);
    } else if (!alone)
      batch->left = static_cast<long double>(takes);
    batches_.push_back(
        {index, static_cast<std::uint32_t>(rows), now_, alone ? batch->end : kNever});
    replica.busy = true;
    running_.push_back(std::move(batch));
  }

  // The places that batches have had: the one that was left last is taken first.
  [[nodiscard]] bool wakes(Stage& stage) const {
    if (stage.left.empty()) return true;
    const Nanos since = stage.left.back();
    stage.left.pop_back();
    return now_ - since > kRest;
  }

  // Rows --------------------------------------------------------------------------------------

  [[nodiscard]] std::uint32_t draw(std::size_t request) const {
    double total = 0;
    for (const SimulatedPath& path : pipeline_.paths) total += path.share;
    const double drawn = random_share(seed_, request) * total;
    double sum = 0;
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < pipeline_.paths.size(); ++i) {
      if (pipeline_.paths[i].share <= 0) continue;
      last = i;
      sum += pipeline_.paths[i].share;
      if (drawn < sum) break;
    }
    return last;
  }

  // While it is busy the event loop is a thread more: on average over all requests.
  static std::vector<double> beside_loop(const SimulatedPipeline& pipeline,
                                         const std::vector<Nanos>& arrivals) {
    std::vector<double> table = pipeline.slowdown;
    if (table.empty() || arrivals.empty() || pipeline.loop_overhead == 0) return table;
    Nanos free = 0;
    for (const Nanos arrival : arrivals) free = std::max(free, arrival) + pipeline.loop_overhead;
    const auto takes =
        static_cast<double>(pipeline.loop_overhead) * static_cast<double>(arrivals.size());
    const double share = takes / static_cast<double>(free - arrivals.front());
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto threads = static_cast<double>(i + 1);
      const bool last = i + 1 == table.size();
      const double next = last ? table[i] * (threads + 1) / threads : table[i + 1];
      table[i] += share * (next - table[i]);
    }
    return table;
  }

  // The event loop takes one request after the other.
  [[nodiscard]] std::optional<Nanos> next_entry() const {
    if (requests_.size() == arrivals_.size()) return std::nullopt;
    if (loop_shares()) return arrivals_[requests_.size()];
    return std::max(loop_free_, arrivals_[requests_.size()]) + pipeline_.loop_overhead;
  }

  void arrive() {
    const auto number = static_cast<std::uint32_t>(requests_.size());
    requests_.emplace_back();
    requests_.back().arrival = arrivals_[number];
    loop_free_ = now_;
    if (loop_shares()) {
      tasks_.push_back({number, false});
    } else {
      enter(number);
    }
  }

  void enter(std::uint32_t number) {
    const std::uint32_t path = draw(number);
    add_row(number, nullptr, {}, {0}, path);
    std::uint32_t rows = 1;
    for (const SimulatedItems& items : pipeline_.paths[path].items) {
      if (items.opener != SimulatedItems::kRequest) continue;
      for (std::uint32_t i = 0; i < items.times; ++i) {
        add_row(number, nullptr, {}, {rows++}, items.path);
      }
    }
    settle(number);
  }

  Row& add_row(std::uint32_t request, Row* parent, Chain chain, std::vector<std::uint32_t> position,
               std::uint32_t path) {
    auto row = std::make_unique<Row>();
    row->request = request;
    row->parent = parent;
    row->chain = std::move(chain);
    row->position = std::move(position);
    row->path = path;
    row->phase.resize(stages_.size(), Phase::kWaits);
    row->rows_left.resize(stages_.size());
    row->items.resize(stages_.size());
    requests_[request].rows.push_back(std::move(row));
    return *requests_[request].rows.back();
  }

  void row_ended(Row& row, std::uint32_t stage) {
    if (--row.rows_left[stage] > 0) return;
    row.phase[stage] = Phase::kResolved;
    if (pipeline_.stages[stage].fan_out) open(row, stage);
    settle(row.request);
  }

  void open(Row& row, std::uint32_t stage) {
    for (const SimulatedItems& items : pipeline_.paths[row.path].items) {
      if (items.opener != stage) continue;
      for (std::uint32_t i = 0; i < items.times; ++i) {
        std::vector<std::uint32_t> position = row.position;
        position.push_back(static_cast<std::uint32_t>(row.items[stage].size()));
        row.items[stage].push_back(
            &add_row(row.request, &row, places_.values[stage], position, items.path));
      }
    }
  }

  // Goes over all rows and stages until nothing changes, then queues what may run.
  void settle(std::uint32_t request) {
    std::vector<std::pair<std::uint32_t, Row*>> started;
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto& row : requests_[request].rows) {
        for (std::uint32_t stage = 0; stage < stages_.size(); ++stage) {
          if (places_.runs[stage] != row->chain || row->phase[stage] != Phase::kWaits) continue;
          if (!may_start(*row, stage)) continue;
          changed = true;
          row->rows_left[stage] = rows_visited(*row, stage);
          row->phase[stage] = row->rows_left[stage] > 0 ? Phase::kRuns : Phase::kResolved;
          if (row->rows_left[stage] > 0) started.emplace_back(stage, row.get());
        }
      }
    }
    std::sort(started.begin(), started.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first, a.second->position) < std::pair(b.first, b.second->position);
    });
    for (const auto& [stage, row] : started) {
      for (std::uint32_t i = 0; i < row->rows_left[stage]; ++i) {
        stages_[stage].queue.push_back({row, now_});
      }
    }
    if (!is_over(request)) return;
    if (loop_shares()) {
      tasks_.push_back({request, true});
    } else {
      requests_[request].end = now_;
    }
  }

  [[nodiscard]] std::uint32_t rows_visited(const Row& row, std::uint32_t stage) const {
    for (const SimulatedVisit& visit : pipeline_.paths[row.path].visits) {
      if (visit.stage == stage) return visit.times;
    }
    return 0;
  }

  [[nodiscard]] bool may_start(const Row& row, std::uint32_t stage) const {
    const std::optional<std::uint32_t>& gather = pipeline_.stages[stage].gather;
    if (gather && row.phase[*gather] != Phase::kResolved) return false;
    for (const std::uint32_t from : pipeline_.stages[stage].predecessors) {
      if (gather && places_.runs[from] == places_.values[*gather]) {
        for (const Row* item : row.items[*gather]) {
          if (item->phase[from] != Phase::kResolved) return false;
        }
        continue;
      }
      const Row* above = &row;
      while (above->chain != places_.runs[from]) above = above->parent;
      if (above->phase[from] != Phase::kResolved) return false;
    }
    return true;
  }

  [[nodiscard]] bool is_over(std::uint32_t request) const {
    for (const auto& row : requests_[request].rows) {
      for (std::uint32_t stage = 0; stage < stages_.size(); ++stage) {
        if (places_.runs[stage] == row->chain && row->phase[stage] != Phase::kResolved) {
          return false;
        }
      }
    }
    return true;
  }

  const SimulatedPipeline pipeline_;
  const Places places_;
  const std::vector<Nanos> arrivals_;
  Nanos loop_free_ = 0;
  const std::uint64_t seed_;
  Nanos now_ = 0;
  bool changed_ = true;
  std::vector<Stage> stages_;
  const std::vector<double> slowdown_;
  std::vector<Request> requests_;
  std::vector<std::unique_ptr<Running>> running_;
  std::vector<Simulation::Batch> batches_;
  static constexpr std::uint32_t kLoop = ~std::uint32_t{0};
  SharedCores cores_;
  std::deque<Task> tasks_;  // the first is what the loop does, while it works
  bool loop_works_ = false;
  Work loop_work_;
};

}  // namespace millrace::reference
