#include "engine/flights.h"

#include <algorithm>
#include <utility>

namespace millrace {
namespace {

bool is_wanted(const RowRef& row) {
  return !row.request->settled();
}

}  // namespace

bool Flights::attach(const KeyView& key, RowRef row) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return false;
  found->second->attached.push_back(row);
  return true;
}

void Flights::begin(const KeyView& key, RowRef leader, std::uint64_t generation) {
  auto flight = std::make_unique<Flight>(Flight{Key(key), generation, {}});
  by_key_.emplace(flight->key.view(), flight.get());
  by_leader_.emplace(leader, std::move(flight));
}

std::optional<Flight> Flights::land(RowRef leader) {
  const auto found = by_leader_.find(leader);
  if (found == by_leader_.end()) return std::nullopt;
  const std::unique_ptr<Flight> flight = std::move(found->second);
  by_leader_.erase(found);
  forget_key(*flight);
  return std::move(*flight);
}

Succession Flights::succeed(RowRef leader) {
  Succession succession;
  const auto found = by_leader_.find(leader);
  if (found == by_leader_.end()) return succession;
  std::unique_ptr<Flight> flight = std::move(found->second);
  by_leader_.erase(found);
  auto& attached = flight->attached;
  const auto heir = std::ranges::find_if(attached, is_wanted);
  succession.gone.assign(attached.begin(), heir);
  if (heir == attached.end()) {
    forget_key(*flight);
    return succession;
  }
  succession.heir = *heir;
  attached.erase(attached.begin(), heir + 1);
  by_leader_.emplace(*succession.heir, std::move(flight));
  return succession;
}

bool Flights::followed(RowRef leader) const {
  const auto found = by_leader_.find(leader);
  return found != by_leader_.end() && std::ranges::any_of(found->second->attached, is_wanted);
}

// After close_all() another flight may have its key.
void Flights::forget_key(const Flight& flight) {
  const auto found = by_key_.find(flight.key.view());
  if (found != by_key_.end() && found->second == &flight) by_key_.erase(found);
}

}  // namespace millrace
