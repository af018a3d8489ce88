// How long the batches of a stage take: from a table with an entry a batch size, as simulations ask
// for little else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simulator/simulated_pipeline.h"

namespace millrace {

class StageService {
 public:
  // `seed` of the draws, which go by the number of the batch; nothing is drawn where `drawn` is
  // false.
  StageService(const SimulatedService& service, bool drawn, std::uint64_t seed);

  // The time that the batch, the stage's number so many, would keep its replica if it were alone.
  [[nodiscard]] Nanos time(std::size_t rows, std::uint64_t number) const {
    const Nanos mean = rows < means_.size() ? means_[rows] : latency_.at(rows);
    return hop_overhead_ + (spread_.empty() ? mean : draw(mean, number));
  }

 private:
  [[nodiscard]] Nanos draw(Nanos mean, std::uint64_t number) const;

  LatencyTable latency_;
  std::vector<Nanos> means_;    // by batch size
  std::vector<double> spread_;  // empty: the mean always
  Nanos hop_overhead_;
  std::uint64_t seed_;
};

}  // namespace millrace
