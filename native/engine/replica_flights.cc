// The part of a replica whose runner has slots: it begins a batch in each that is free, and looks
// after whichever ends first. So it never waits for one batch while it could begin another, and
// while both are in progress sleeps until one has ended.
//
//   claim --> begin (slot 0) --.--> claim --> begin (slot 1) --.--> sleep until one has ended
//                              |                               |
//                              '--- run_ended (reaper) -------> finish, store, route; slot free
//
// What a batch holds of the replica's members lies in its flight meanwhile. Two in progress count
// as two seats of the gauge: each is as long in progress as both keep the device busy. A run cannot
// be interrupted here, so nobody watches whether its rows are still wanted.
#include <algorithm>

#include "engine/replica.h"

namespace millrace {

// The thread sleeps at one of the two: with work in progress it is woken at both.
void Replica::Flight::run_ended() noexcept {
  ended.store(true, std::memory_order_release);
  replica.landed_.notify_all();
  replica.queue_.parked.notify_all();
}

void Replica::serve_flights() {
  while (flights_.size() < runner_->slots()) {
    flights_.push_back(std::make_unique<Flight>(*this));
    flights_.back()->seat = gauge_.take_seat();
  }
  gauge_.set_max_batch(limits_.max_batch);
  while (true) {
    if (finish_ended()) continue;
    // Asked once: to wait for an end because it stops, there must be something in flight.
    const bool stops = stopping_.load(std::memory_order_acquire);
    if (stops && in_flight_ == 0) break;
    if (stops || in_flight_ == flights_.size()) {
      await_end();
      continue;
    }
    const Nanos now = context_.clock.now();
    const LaneDecision next = choose_lane(now);
    if (next.decision.action == Decision::Action::kTake) {
      begin_flight(next, now);
    } else {
      rest(next);
    }
  }
  for (const auto& flight : flights_) gauge_.leave_seat(flight->seat);
}

void Replica::begin_flight(const LaneDecision& next, Nanos now) {
  const auto free = std::ranges::find(flights_, false, &Flight::begun);
  Flight& flight = **free;
  seat_ = flight.seat;
  claim(next, now);
  if (queue_.ready()) queue_.parked.notify_one();
  if (!dropped_.empty()) settler_.flush();
  if (!live_.empty()) {
    flight.began = context_.clock.now();
    const RunBatch batch = inputs_.assemble(live_);
    if (recorded_) begin_visits(live_, flight.began);
    const Nanos expected = settler_.outlook().latency(context_.stage).at(live_.size());
    gauge_.set_due(seat_, flight.began + expected);
    flight.ended.store(false, std::memory_order_relaxed);  // nobody else has it
    const auto slot = static_cast<std::size_t>(free - flights_.begin());
    const Status begun = runner_->begin(batch, slot, flight);
    count_inputs();
    if (begun.ok()) {
      if (in_flight_++ == 0) flying_since_ = now;
      flight.begun = true;
      send_on();  // those dropped; the others are in flight
      return set_aside(flight);
    }
    end_run(live_, flight.began, begun, false);
  }
  release_claims();
  send_on();
}

// Into the flight, or back.
void Replica::set_aside(Flight& flight) {
  std::swap(claims_, flight.claims);
  std::swap(live_, flight.live);
  std::swap(run_, flight.run);
  std::swap(recorded_, flight.recorded);
}

bool Replica::any_ended() const {
  return std::ranges::any_of(flights_, [](const auto& flight) {
    return flight->begun && flight->ended.load(std::memory_order_acquire);
  });
}

// Whether there was one.
bool Replica::finish_ended() {
  bool any = false;
  for (const auto& flight : flights_) {
    if (!flight->begun || !flight->ended.load(std::memory_order_acquire)) continue;
    finish_flight(*flight);
    any = true;
  }
  return any;
}

void Replica::finish_flight(Flight& flight) {
  set_aside(flight);
  seat_ = flight.seat;
  const auto at = std::ranges::find(flights_, &flight, &std::unique_ptr<Flight>::get);
  const Status status = runner_->finish(static_cast<std::size_t>(at - flights_.begin()), result_);
  flight.begun = false;
  --in_flight_;
  end_run(live_, flight.began, status, false);
  release_claims();
  send_on();
  if (in_flight_ > 0) return;
  context_.stats.busy_ns.add(static_cast<std::uint64_t>(context_.clock.now() - flying_since_));
}

// With a slot free and nothing to take.
void Replica::rest(const LaneDecision& next) {
  if (in_flight_ == 0) return next.decision.action == Decision::Action::kWait ? park() : idle();
  const EventCount::Key key = queue_.parked.prepare_wait();
  const Decision decision = choose_lane(context_.clock.now()).decision;
  if (decision.action == Decision::Action::kTake || any_ended() ||
      stopping_.load(std::memory_order_acquire)) {
    queue_.parked.cancel_wait();
  } else {
    queue_.parked.wait(key, decision.wait_until);
  }
}

// With nothing to begin: not at the queue, where it would be woken for rows in another's place.
void Replica::await_end() {
  const EventCount::Key key = landed_.prepare_wait();
  if (any_ended()) {
    landed_.cancel_wait();
  } else {
    landed_.wait(key, kNever);
  }
}

}  // namespace millrace
