#include "simulator/cores.h"

#include <algorithm>
#include <cmath>

namespace millrace {
namespace {

// What is due within so much of a nanosecond is due: see contention.h.
constexpr double kDue = 0x1p-10;

}  // namespace

void Cores::start(const RunningBatch& batch, std::uint32_t cores, Nanos service, Nanos now) {
  go_to(now);
  const auto work = static_cast<double>(service);
  const std::uint32_t taken = std::min(cores, count_);
  for (Thread& thread : running_) {
    const RunningBatch& before = thread.batch;
    const bool same = before.stage == batch.stage && before.seat == batch.seat;
    if (thread.works || !same || thread.cores != taken) continue;
    thread.batch = batch;
    thread.works = true;
    thread.end = virtual_now_ + work;
    return;
  }
  line_.push_back({batch, taken, true, work, 0});
}

void Cores::take_ended(Nanos now, std::vector<RunningBatch>& ended) {
  if (next_ > now) return;
  go_to(now);
  for (Thread& thread : running_) {
    if (!thread.works || real_end(thread.end) > now) continue;
    ended.push_back(thread.batch);
    thread.works = false;
  }
}

void Cores::settle(Nanos now) {
  go_to(now);
  leave_idle();
  while (!line_.empty()) {
    const Thread& first = line_.front();
    if (first.cores > free_) {
      if (!preempt(now)) break;
      continue;
    }
    free_ -= first.cores;
    running_.push_back({first.batch, first.cores, true, virtual_now_ + first.end, now});
    line_.pop_front();
  }
  if (running_.empty()) virtual_now_ = 0;  // nobody is told by it, and small numbers are exact
  look_ahead();
}

void Cores::leave_idle() {
  std::erase_if(running_, [this](const Thread& thread) {
    if (!thread.works) free_ += thread.cores;
    return !thread.works;
  });
}

// Whoever has been on its core longest goes to the end of the line, if its slice is over. Of those
// that came at once the one that came first.
bool Cores::preempt(Nanos now) {
  const auto longest = std::ranges::min_element(running_, {}, &Thread::since);
  if (longest == running_.end() || now - longest->since < slice_) return false;
  longest->end -= virtual_now_;
  free_ += longest->cores;
  line_.push_back(*longest);
  running_.erase(longest);
  return true;
}

void Cores::go_to(Nanos now) {
  if (now == real_now_) return;
  virtual_now_ += static_cast<double>(now - real_now_) / slow_;
  real_now_ = now;
}

void Cores::look_ahead() {
  slow_ = slowdown(count_ - free_);
  next_ = kNever;
  for (const Thread& thread : running_) {
    next_ = std::min(next_, real_end(thread.end));
    if (!line_.empty()) next_ = std::min(next_, thread.since + slice_);
  }
}

Nanos Cores::real_end(double end) const {
  const double left = std::ceil((end - virtual_now_) * slow_ - kDue);
  if (left >= 0x1p62) return kNever;
  return real_now_ + std::max<Nanos>(0, static_cast<Nanos>(left));
}

double Cores::slowdown(std::uint32_t busy) const {
  if (busy == 0 || slowdown_.empty()) return 1;
  return slowdown_[std::min<std::size_t>(busy, slowdown_.size()) - 1];
}

}  // namespace millrace
