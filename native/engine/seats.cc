#include "engine/seats.h"

#include <algorithm>
#include <utility>

namespace millrace {

Seat& Seats::empty(std::size_t stage) {
  const std::lock_guard lock(mutex_);
  StageSeats& seats = stages_[stage];
  for (std::size_t i = seats.filled; i < seats.all.size(); ++i) {
    if (seats.all[i]->replica == nullptr) return *seats.all[i];
  }
  seats.all.push_back(std::make_unique<Seat>());
  Seat& seat = *seats.all.back();
  seat.number = static_cast<std::uint32_t>(seats.all.size() - 1);
  seat.watch.next = watches_.load(std::memory_order_relaxed);
  watches_.store(&seat.watch, std::memory_order_release);
  return seat;
}

void Seats::sit(Seat& seat, std::unique_ptr<Replica> replica) {
  const std::lock_guard lock(mutex_);
  seat.replica = std::move(replica);
}

std::size_t Seats::position(const StageSeats& seats, const Seat& seat) {
  std::size_t at = 0;
  while (seats.all[at].get() != &seat) ++at;
  return at;
}

void Seats::open(std::size_t stage, Seat& seat) {
  const std::lock_guard lock(mutex_);
  StageSeats& seats = stages_[stage];
  std::swap(seats.all[position(seats, seat)], seats.all[seats.filled]);
  ++seats.filled;
  seat.replica->open();
}

std::vector<Seat*> Seats::serving(std::size_t stage) const {
  std::vector<Seat*> serving;
  const StageSeats& seats = stages_[stage];
  for (std::size_t i = 0; i < seats.filled; ++i) serving.push_back(seats.all[i].get());
  return serving;
}

// Waits outside the mutex, so that statistics can be read and terminate() reaches the batch that is
// waited for.
void Seats::dismiss(std::size_t stage, std::span<Seat* const> leaving) {
  StageSeats& seats = stages_[stage];
  {
    const std::lock_guard lock(mutex_);
    for (Seat* const seat : leaving) {
      const std::size_t at = position(seats, *seat);
      if (at < seats.filled) std::swap(seats.all[at], seats.all[--seats.filled]);
    }
  }
  for (Seat* const seat : leaving) seat->replica->stop();
  for (Seat* const seat : leaving) seat->replica->join();
  const std::lock_guard lock(mutex_);
  for (Seat* const seat : leaving) seat->replica.reset();
}

void Seats::terminate() {
  const std::lock_guard lock(mutex_);
  for (const StageSeats& seats : stages_) {
    for (const auto& seat : seats.all) {
      if (seat->replica != nullptr) seat->replica->terminate();
    }
  }
}

std::size_t Seats::serving_count(std::size_t stage) const {
  const std::lock_guard lock(mutex_);
  return stages_[stage].filled;
}

void Seats::look() {
  for (RunWatch* watch = watches_.load(std::memory_order_acquire); watch != nullptr;
       watch = watch->next) {
    watch->look();
  }
}

}  // namespace millrace
