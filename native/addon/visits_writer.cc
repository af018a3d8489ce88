#include "addon/visits_writer.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/clock.h"
#include "engine/settlement.h"

namespace millrace {
namespace {

constexpr std::size_t kHeadNumbers = 6;
constexpr std::size_t kVisitNumbers = 13;
constexpr Nanos kNanosPerSecond = 1'000'000'000;

void add_visit(std::vector<double>& numbers, const Visit& visit, VisitState state, Nanos from) {
  const auto since = [from](Nanos time) { return static_cast<double>(time - from); };
  const bool ended = state > VisitState::kRunning;
  const bool began = ended ? visit.attempts > 0 : state == VisitState::kRunning;
  const VisitRun run = ended ? visit.run : VisitRun{};
  const double run_began = run.batch == 0 ? -1 : since(run.began);
  numbers.insert(numbers.end(),
                 {static_cast<double>(visit.place.stage), static_cast<double>(visit.place.row),
                  static_cast<double>(visit.place.item), static_cast<double>(state),
                  since(visit.queued), began ? since(visit.began) : -1,
                  ended ? since(visit.ended) : -1, ended ? static_cast<double>(visit.attempts) : 0,
                  static_cast<double>(run.batch), static_cast<double>(run.rows), run_began,
                  static_cast<double>(run.replica), static_cast<double>(run.threads)});
}

}  // namespace

Napi::Value write_visits(Napi::Env env, const Request& request) {
  const Visits& visits = *request.visits;
  const Nanos from = request.submitted;
  const bool settled = request.settlement.outcome() != Outcome::kPending;
  std::vector<double> numbers(kHeadNumbers);
  numbers.reserve(kHeadNumbers + visits.room() * kVisitNumbers);
  visits.each(
      [&](const Visit& visit, VisitState state) { add_visit(numbers, visit, state, from); });
  numbers[0] = static_cast<double>(from / kNanosPerSecond);
  numbers[1] = static_cast<double>(from % kNanosPerSecond);
  numbers[2] = settled ? static_cast<double>(request.settled_at - from) : -1;
  numbers[3] = static_cast<double>(request.rows());
  numbers[4] = static_cast<double>((numbers.size() - kHeadNumbers) / kVisitNumbers);
  numbers[5] = static_cast<double>(visits.total());
  Napi::Float64Array array = Napi::Float64Array::New(env, numbers.size());
  std::copy(numbers.begin(), numbers.end(), array.Data());
  return array;
}

}  // namespace millrace
