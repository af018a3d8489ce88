// How long a batch takes once it runs, by batch size: measured points, linear between them. A
// value: whoever measures while others look gives each of them a copy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace millrace {

class LatencyTable {
 public:
  struct Point {
    std::size_t batch;
    Nanos service;
  };

  LatencyTable() = default;

  // Points may come in any order; batches must differ.
  explicit LatencyTable(std::vector<Point> points) : points_(std::move(points)) {
    std::sort(points_.begin(), points_.end(),
              [](const Point& a, const Point& b) { return a.batch < b.batch; });
  }

  // Instead of what was there. Ascending batches; allocates only to hold more points than ever
  // before.
  void assign(std::span<const Point> points) { points_.assign(points.begin(), points.end()); }

  [[nodiscard]] bool empty() const { return points_.empty(); }

  // Service time of a batch; the nearest point beyond either end; 0 where nothing is known.
  [[nodiscard]] Nanos at(std::size_t batch) const {
    if (points_.empty()) return 0;
    const auto right = std::lower_bound(points_.begin(), points_.end(), batch,
                                        [](const Point& p, std::size_t b) { return p.batch < b; });
    if (right == points_.begin()) return right->service;
    const auto left = right - 1;
    if (right == points_.end()) return left->service;
    const auto span = static_cast<Nanos>(right->batch - left->batch);
    const auto step = static_cast<Nanos>(batch - left->batch);
    return left->service + (right->service - left->service) * step / span;
  }

 private:
  std::vector<Point> points_;
};

}  // namespace millrace
