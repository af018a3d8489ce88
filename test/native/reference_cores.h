// Cores that threads share, for the second simulator: places with whoever is on them, and a line.
// Who is asked how far it has come is found by going over everything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "simulator/simulated_pipeline.h"

namespace millrace::reference {

struct Work {
  std::uint32_t stage = 0;
  std::uint32_t cores = 1;
  long double left = 0;
};

class SharedCores {
 public:
  SharedCores(const SimulatedCores& cores, std::vector<double> slowdown)
      : cores_(cores), slowdown_(std::move(slowdown)) {}

  [[nodiscard]] bool applies() const { return cores_.count > 0; }

  // Goes on in the place that was left last at this instant by work of the same stage, if that took
  // as many cores.
  void start(Work* work) {
    work->cores = std::min(work->cores, cores_.count);
    Place* last = nullptr;
    for (Place& place : places_) {
      if (place.work != nullptr || place.stage != work->stage) continue;
      if (last == nullptr || place.left_at > last->left_at) last = &place;
    }
    if (last != nullptr && last->cores == work->cores) {
      last->work = work;
    } else {
      line_.push_back(work);
    }
  }

  void end(const Work* work) {
    for (Place& place : places_) {
      if (place.work != work) continue;
      place.work = nullptr;
      place.left_at = ++left_;
    }
  }

  void settle(Nanos now) {
    std::erase_if(places_, [](const Place& place) { return place.work == nullptr; });
    while (!line_.empty()) {
      if (line_.front()->cores + taken() <= cores_.count) {
        places_.push_back({line_.front(), line_.front()->stage, line_.front()->cores, now, 0});
        line_.pop_front();
        continue;
      }
      std::size_t oldest = 0;
      for (std::size_t i = 1; i < places_.size(); ++i) {
        if (places_[i].since < places_[oldest].since) oldest = i;
      }
      if (places_.empty() || now - places_[oldest].since < cores_.slice) return;
      line_.push_back(places_[oldest].work);
      places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(oldest));
    }
  }

  void pass_time(Nanos span) {
    const long double slow = slowdown();
    for (const Place& place : places_) {
      place.work->left = std::max(0.0L, place.work->left - static_cast<long double>(span) / slow);
    }
  }

  // Whether the work is on a core and its time is up; and when something happens next.
  [[nodiscard]] bool is_due(const Work* work, Nanos now) const {
    return std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
      return place.work == work && end_of(*work, now) <= now;
    });
  }
  [[nodiscard]] std::optional<Nanos> next(Nanos now) const {
    std::optional<Nanos> next;
    const auto consider = [&](Nanos at) { next = next ? std::min(*next, at) : at; };
    for (const Place& place : places_) {
      consider(end_of(*place.work, now));
      if (!line_.empty()) consider(place.since + cores_.slice);
    }
    return next;
  }

 private:
  struct Place {
    Work* work = nullptr;
    std::uint32_t stage = 0;
    std::uint32_t cores = 1;
    Nanos since = 0;
    std::uint64_t left_at = 0;  // in the order of ends
  };

  [[nodiscard]] std::uint32_t taken() const {
    std::uint32_t sum = 0;
    for (const Place& place : places_) sum += place.work == nullptr ? 0 : place.work->cores;
    return sum;
  }
  [[nodiscard]] long double slowdown() const {
    const std::uint32_t busy = taken();
    if (busy == 0 || slowdown_.empty()) return 1;
    return slowdown_[std::min<std::size_t>(busy, slowdown_.size()) - 1];
  }
  [[nodiscard]] Nanos end_of(const Work& work, Nanos now) const {
    const long double left = std::ceil(work.left * slowdown() - 1.0L / 1024);
    return now + std::max<Nanos>(0, static_cast<Nanos>(left));
  }

  const SimulatedCores cores_;
  const std::vector<double> slowdown_;
  std::vector<Place> places_;
  std::deque<Work*> line_;
  std::uint64_t left_ = 0;
};

}  // namespace millrace::reference
