// What the engine counts. Each ReplicaStats has one writer, its replica; any thread may read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "engine/result_cache.h"
#include "engine/settlement.h"

namespace millrace {

// A counter with one writer.
class Counter {
 public:
  void add(std::uint64_t by) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct ReplicaStats {
  Histogram queue_ns;    // per row, from its arrival at the stage to the start of its batch
  Histogram service_ns;  // per batch
  Histogram batch_rows;  // per batch
  Counter rows;          // whose run succeeded
  Counter batches;
  Counter gathered;          // batches that had to be copied together
  Counter shed;              // rows claimed and dropped because their deadline could not be met
  Counter skipped;           // rows dropped because their request was already settled
  Counter failed;            // rows whose run failed
  Counter interrupted;       // batches ended early, since nobody waited for any of their rows
  Counter retries;           // runs repeated with fewer rows to find the guilty one
  Counter padded_elements;   // of inputs that are padded, as given to the model, padding included
  Counter padding_elements;  // so many of them were padding
  Counter handed_on;         // rows that left a value on a device, for other stages to read there
  Counter as_graphs;         // batches that a device was given as a CUDA graph
  Counter shrunk;            // how often its largest batch became smaller, for want of memory
  Counter busy_ns;           // time spent serving batches
};

inline constexpr std::size_t kOutcomes = 7;  // of Outcome

struct StageStats {
  std::string name;
  std::size_t replicas = 0;
  std::size_t waiting = 0;
  std::size_t lanes = 0;  // that rows wait in
  std::uint64_t rows = 0;
  std::uint64_t batches = 0;
  std::uint64_t gathered = 0;
  std::uint64_t shed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t failed = 0;
  std::uint64_t interrupted = 0;
  std::uint64_t retries = 0;
  std::uint64_t padded_elements = 0;
  std::uint64_t padding_elements = 0;
  std::uint64_t handed_on = 0;
  std::uint64_t as_graphs = 0;
  std::uint64_t shrunk = 0;
  std::uint64_t busy_ns = 0;
  HistogramSummary queue_ns;
  HistogramSummary service_ns;
  HistogramSummary batch_rows;
  std::optional<CacheStats> cache;      // where the stage has one
  std::optional<std::string> fallback;  // why it runs on its fallback, where it does
};

struct EngineStats {
  std::size_t pending_requests = 0;  // submitted and not yet collected or cancelled
  std::size_t pending_rows = 0;      // still somewhere in the pipeline
  std::array<std::uint64_t, kOutcomes> outcomes{};
  std::uint64_t shed = 0;              // requests refused because their deadline could not be met
  std::uint64_t within_objective = 0;  // completed, and took no longer than the objective
  HistogramSummary latency_ns;         // of completed requests
  std::vector<StageStats> stages;
};

// Ascending bounds at which distributions are counted.
struct HistogramBounds {
  std::vector<double> latency_ns;
  std::vector<double> stage_ns;  // of both times of a stage
  std::vector<double> batch_rows;
};

struct StageHistograms {
  HistogramCounts queue_ns;
  HistogramCounts service_ns;
  HistogramCounts batch_rows;
};

// The distributions of EngineStats in whole, counted up to bounds. No count ever falls.
struct EngineHistograms {
  HistogramCounts latency_ns;
  std::vector<StageHistograms> stages;
};

}  // namespace millrace
