// What became of the requests: either the latency of each that has finished or, where only that is
// asked, which of them were late.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "simulator/simulation.h"

namespace millrace {

class Outcomes {
 public:
  // Arrivals outlive it.
  Outcomes(const std::vector<Nanos>& arrivals, Nanos overhead);

  // From now on only who was in time is kept, not the latencies.
  void only_count(Nanos limit) {
    keep_ = false;
    limit_ = limit;
  }

  // From now on requests that finish only wait to be answered.
  void wait_for_answers() { answered_ = false; }

  // Its last row has ended.
  void finish(std::uint32_t request, Nanos now) {
    if (answered_) {
      answer(request, now);
    } else {
      unanswered_.push_back(request);
    }
  }

  // Those that have finished since, in order.
  [[nodiscard]] std::vector<std::uint32_t>& unanswered() { return unanswered_; }

  void answer(std::uint32_t request, Nanos now) {
    const Nanos latency = now - arrivals_[request] + overhead_;
    ++finished_;
    if (keep_) {
      latencies_.push_back(latency);
    } else if (latency > limit_) {
      return;
    }
    done_[request / kBits] |= std::uint64_t{1} << (request % kBits);
  }

  // Of those that came before and are known to be late at `now` (kNever: at the end of time), how
  // many there are; only_count() was called.
  std::uint64_t count_late(std::size_t arrived, Nanos now);

  // All but the stages.
  [[nodiscard]] SimulationReport report(Nanos limit, std::size_t arrived, Nanos now) const;

 private:
  static constexpr std::size_t kBits = 64;

  [[nodiscard]] bool is_done(std::size_t request) const {
    return (done_[request / kBits] >> (request % kBits) & 1) != 0;
  }
  // Whether a request that has not finished now is late already.
  [[nodiscard]] bool is_old(std::size_t request, Nanos limit, Nanos now) const {
    return now == kNever || now - arrivals_[request] > limit - overhead_;
  }

  const std::vector<Nanos>& arrivals_;
  const Nanos overhead_;
  bool answered_ = true;  // as soon as they finish
  std::vector<std::uint32_t> unanswered_;
  bool keep_ = true;
  Nanos limit_ = kNever;
  std::uint64_t finished_ = 0;
  std::vector<Nanos> latencies_;     // in the order of ends
  std::vector<std::uint64_t> done_;  // a bit a request: finished or, without latencies, in time
  std::size_t judged_ = 0;           // requests, in order of arrival, that count_late() went past
  std::uint64_t late_ = 0;           // among them
};

}  // namespace millrace
