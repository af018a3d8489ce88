// What a result cache costs where nobody contends for it, by the size of a row's inputs:
//
//   hash   of the key, which the event loop does for every row
//   hit    look-up and comparison, the caches warm
//   miss   the row leads, its result is kept and another one evicted
//
// Prints one line of JSON: median nanoseconds.
//   result_cache_bench [REPETITIONS]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/result_cache.h"

namespace millrace {
namespace {

constexpr std::size_t kInputBytes[] = {256, 12 * 1024, 600 * 1024};
constexpr std::size_t kKept = 64;

struct Costs {
  std::vector<Nanos> hash;
  std::vector<Nanos> hit;
  std::vector<Nanos> miss;
};

double median(std::vector<Nanos> samples) {
  std::sort(samples.begin(), samples.end());
  return static_cast<double>(samples[samples.size() / 2]);
}

SharedResult some_result() {
  auto result = std::make_shared<StageResult>();
  result->fixed.resize(64);
  return result;
}

Costs measure(std::size_t input_bytes, int repetitions) {
  const SteadyClock clock;
  ResultCache cache({kKept * (input_bytes + 512), kNever});
  std::vector<std::byte> bytes(input_bytes);
  Costs costs;
  for (int i = 0; i < repetitions; ++i) {
    std::memcpy(bytes.data(), &i, sizeof i);
    const RowRef leader{nullptr, static_cast<std::uint32_t>(i)};
    const Nanos begin = clock.now();
    const KeyView key{hash_bytes(bytes), bytes};
    const Nanos hashed = clock.now();
    cache.ask(key, leader, hashed);
    cache.complete(leader, some_result(), hashed);
    const Nanos missed = clock.now();
    cache.ask(key, leader, missed);
    const Nanos end = clock.now();
    if (i < repetitions / 4) continue;  // until it is full
    costs.hash.push_back(hashed - begin);
    costs.miss.push_back(missed - hashed);
    costs.hit.push_back(end - missed);
  }
  return costs;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  const int repetitions = std::max(argc > 1 ? std::atoi(argv[1]) : 4000, 16);
  std::string json = "{";
  for (const std::size_t bytes : millrace::kInputBytes) {
    const millrace::Costs costs = millrace::measure(bytes, repetitions);
    char text[160];
    std::snprintf(text, sizeof text, "\"%zu\":{\"hash\":%.0f,\"hit\":%.0f,\"miss\":%.0f},", bytes,
                  millrace::median(costs.hash), millrace::median(costs.hit),
                  millrace::median(costs.miss));
    json += text;
  }
  std::printf("%s\"unit\":\"ns\"}\n", json.c_str());
}
