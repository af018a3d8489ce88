#include "addon/stats_writer.h"

#include <optional>

namespace millrace {
namespace {

constexpr double kMillisPerNano = 1e-6;

void set(Napi::Object& object, const char* key, double value) {
  object.Set(key, Napi::Number::New(object.Env(), value));
}

void set(Napi::Object& object, const char* key, std::uint64_t value) {
  set(object, key, static_cast<double>(value));
}

Napi::Object write_summary(Napi::Env env, const HistogramSummary& summary, double scale) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "count", summary.count);
  set(object, "mean", summary.mean * scale);
  set(object, "p50", summary.p50 * scale);
  set(object, "p95", summary.p95 * scale);
  set(object, "p99", summary.p99 * scale);
  set(object, "max", summary.max * scale);
  return object;
}

Napi::Value write_cache(Napi::Env env, const std::optional<CacheStats>& stats) {
  if (!stats) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  set(object, "hitRows", stats->hits);
  set(object, "sharedRows", stats->shared);
  set(object, "missedRows", stats->misses);
  set(object, "bytes", std::uint64_t{stats->bytes});
  set(object, "entries", std::uint64_t{stats->entries});
  set(object, "evictions", stats->evictions);
  return object;
}

Napi::Object write_stage(Napi::Env env, const StageStats& stats) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "replicas", std::uint64_t{stats.replicas});
  set(object, "waitingRows", std::uint64_t{stats.waiting});
  set(object, "lanes", std::uint64_t{stats.lanes});
  set(object, "rows", stats.rows);
  set(object, "batches", stats.batches);
  set(object, "gatheredBatches", stats.gathered);
  set(object, "shedRows", stats.shed);
  set(object, "skippedRows", stats.skipped);
  set(object, "failedRows", stats.failed);
  set(object, "interruptedBatches", stats.interrupted);
  set(object, "retries", stats.retries);
  set(object, "paddedElements", stats.padded_elements);
  set(object, "paddingElements", stats.padding_elements);
  set(object, "handedOnRows", stats.handed_on);
  set(object, "graphBatches", stats.as_graphs);
  set(object, "shrunkBatches", stats.shrunk);
  set(object, "busyMs", static_cast<double>(stats.busy_ns) * kMillisPerNano);
  object.Set("queueMs", write_summary(env, stats.queue_ns, kMillisPerNano));
  object.Set("serviceMs", write_summary(env, stats.service_ns, kMillisPerNano));
  object.Set("batchRows", write_summary(env, stats.batch_rows, 1));
  object.Set("cache", write_cache(env, stats.cache));
  object.Set("fallback",
             stats.fallback ? Napi::String::New(env, *stats.fallback) : env.Undefined());
  return object;
}

std::uint64_t of(const EngineStats& stats, Outcome outcome) {
  return stats.outcomes[static_cast<std::size_t>(outcome)];
}

}  // namespace

Napi::Object write_stats(Napi::Env env, const EngineStats& stats) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "pendingRequests", std::uint64_t{stats.pending_requests});
  set(object, "pendingRows", std::uint64_t{stats.pending_rows});
  Napi::Object requests = Napi::Object::New(env);
  set(requests, "completed", of(stats, Outcome::kCompleted));
  set(requests, "withinObjective", stats.within_objective);
  set(requests, "failed", of(stats, Outcome::kFailed));
  set(requests, "deadlineExceeded", of(stats, Outcome::kDeadlineExceeded));
  set(requests, "queueFull", of(stats, Outcome::kQueueFull));
  set(requests, "shed", stats.shed);
  set(requests, "cancelled", of(stats, Outcome::kCancelled));
  set(requests, "closed", of(stats, Outcome::kClosed));
  object.Set("requests", requests);
  object.Set("latencyMs", write_summary(env, stats.latency_ns, kMillisPerNano));
  Napi::Object stages = Napi::Object::New(env);
  for (const StageStats& stage : stats.stages) stages.Set(stage.name, write_stage(env, stage));
  object.Set("stages", stages);
  return object;
}

}  // namespace millrace
