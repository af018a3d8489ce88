#include "model/function_exchange.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace millrace {
namespace {

// How long those who were at a port that closed wait to be told why. An event loop is asked, which
// may be busy; what they wait for is a better message only.
constexpr Nanos kReasonGrace = 2'000 * kNanosPerMilli;

// Reading a batch takes microseconds, and is not interrupted.
constexpr Nanos kReadingGrace = kNanosPerMilli;

std::chrono::steady_clock::time_point to_time_point(Nanos at) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at));
}

template <class List, class Value>
void remove_from(List& list, const Value& value) {
  list.erase(std::remove(list.begin(), list.end(), value), list.end());
}

Error failure(std::string message) {
  return {ErrorCode::kStageFailed, std::move(message)};
}

}  // namespace

FunctionExchange::FunctionExchange(std::string name, Nanos timeout)
    : name_(std::move(name)), timeout_(timeout) {}

Nanos FunctionExchange::limit_from_now() const {
  const Nanos now = clock_.now();
  return timeout_ >= kNever - now ? kNever : now + timeout_;
}

// Replicas
// -----------------------------------------------------------------------------------------

void FunctionExchange::call(FunctionCall& call, const RunBatch& batch) {
  std::unique_lock lock(mutex_);
  begin(call, batch);
  while (call.phase != Phase::kEnded) {
    if (call.limit == kNever) {
      call.changed.wait(lock);
    } else if (call.changed.wait_until(lock, to_time_point(call.limit)) ==
               std::cv_status::timeout) {
      on_limit(call);
    }
  }
  call.batch = nullptr;
}

void FunctionExchange::begin(FunctionCall& call, const RunBatch& batch) {
  call.answer.error.reset();
  call.answer.whole = false;
  if (call.terminated || call.interrupted) return cancel(call);
  call.batch = &batch;
  call.id = next_id_++;
  call.phase = Phase::kWaiting;
  call.limit = limit_from_now();
  waiting_.push_back(&call);
  offer_waiting();
  if (call.phase != Phase::kWaiting || !failure_) return;
  withdraw(call);
  fail(call, *failure_);
}

void FunctionExchange::offer_waiting() {
  while (!waiting_.empty()) {
    FunctionPort* const port = port_with_room();
    if (port == nullptr) return;
    FunctionCall& call = *waiting_.front();
    waiting_.pop_front();
    call.phase = Phase::kOffered;
    call.port = port;
    call.limit = limit_from_now();
    port->offered_.push_back(&call);
    port->options_.on_news();
  }
}

// The first with room: where there is little to do, the same worker does it, with warm caches.
FunctionPort* FunctionExchange::port_with_room() {
  for (FunctionPort* port : ports_) {
    if (!port->retired_ && port->in_hand() < port->options_.capacity) return port;
  }
  return nullptr;
}

void FunctionExchange::on_limit(FunctionCall& call) {
  if (clock_.now() < call.limit) return;  // it was moved meanwhile
  switch (call.phase) {
    case Phase::kEnded:
      return;
    case Phase::kReading:
      call.limit = clock_.now() + kReadingGrace;
      return;
    case Phase::kWaiting:
      withdraw(call);
      return fail(call, failure("nothing was ready to run " + name_ + " within " +
                                std::to_string(timeout_ / kNanosPerMilli) + " ms (timeoutMs)"));
    case Phase::kLost:
      withdraw(call);
      return fail(call, failure("the worker that ran " + name_ + " ended before it answered"));
    case Phase::kOffered:
    case Phase::kRunning:
      return exceed(call);
  }
}

void FunctionExchange::exceed(FunctionCall& call) {
  FunctionPort& port = *call.port;
  const bool replaceable = port.options_.replaceable;
  if (replaceable) {
    port.retired_ = true;
    overdue_.push_back(port.options_.seat);
    if (watcher_) watcher_();
  }
  withdraw(call);
  fail(call,
       failure(name_ + " did not answer within " + std::to_string(timeout_ / kNanosPerMilli) +
               " ms (timeoutMs)" + (replaceable ? "; its worker is ended and replaced" : "")));
}

// Takes the call out of wherever it is. What runs is told, and goes on without anybody who waits.
void FunctionExchange::withdraw(FunctionCall& call) {
  switch (call.phase) {
    case Phase::kWaiting:
      remove_from(waiting_, &call);
      break;
    case Phase::kOffered:
      remove_from(call.port->offered_, &call);
      break;
    case Phase::kLost:
      remove_from(lost_, &call);
      break;
    case Phase::kReading:
    case Phase::kRunning: {
      abort(call);
      const auto held = call.port->find(call.id);
      if (held != call.port->held_.end()) held->call = nullptr;
      break;
    }
    case Phase::kEnded:
      break;
  }
}

void FunctionExchange::end(FunctionCall& call) {
  call.phase = Phase::kEnded;
  call.port = nullptr;
  call.changed.notify_one();
}

void FunctionExchange::fail(FunctionCall& call, Error error) {
  call.answer.error = std::move(error);
  call.answer.whole = true;
  end(call);
}

void FunctionExchange::cancel(FunctionCall& call) {
  fail(call, {ErrorCode::kCancelled, name_ + " was ended"});
}

void FunctionExchange::abort(FunctionCall& call) {
  call.port->aborted_.push_back(call.id);
  call.port->options_.on_news();
}

void FunctionExchange::interrupt(FunctionCall& call) {
  const std::lock_guard lock(mutex_);
  call.interrupted = true;
  switch (call.phase) {
    case Phase::kWaiting:
    case Phase::kOffered:
      withdraw(call);
      return cancel(call);
    case Phase::kReading:
    case Phase::kRunning:
      return abort(call);
    case Phase::kLost:
    case Phase::kEnded:
      return;
  }
}

void FunctionExchange::resume(FunctionCall& call) {
  const std::lock_guard lock(mutex_);
  call.interrupted = false;
}

void FunctionExchange::terminate(FunctionCall& call) {
  const std::lock_guard lock(mutex_);
  call.terminated = true;
  // What is being read ends when that is done.
  if (call.phase == Phase::kEnded || call.phase == Phase::kReading) return;
  withdraw(call);
  cancel(call);
}

// Control
// ------------------------------------------------------------------------------------------

std::shared_ptr<FunctionPort> FunctionExchange::open(FunctionPortOptions options) {
  std::shared_ptr<FunctionPort> port(new FunctionPort(shared_from_this(), std::move(options)));
  const std::lock_guard lock(mutex_);
  ports_.push_back(port.get());
  offer_waiting();
  return port;
}

void FunctionExchange::watch(std::function<void()> on_overdue) {
  const std::lock_guard lock(mutex_);
  watcher_ = std::move(on_overdue);
}

void FunctionExchange::unwatch() {
  watch(nullptr);
}

std::vector<std::uint32_t> FunctionExchange::take_overdue() {
  const std::lock_guard lock(mutex_);
  return std::exchange(overdue_, {});
}

std::uint64_t FunctionExchange::explain(std::uint32_t seat, const Error& reason) {
  const std::lock_guard lock(mutex_);
  for (FunctionCall* call : std::vector<FunctionCall*>(lost_)) {
    if (call->seat != seat) continue;
    withdraw(*call);
    fail(*call, reason);
  }
  const auto found = answered_.find(seat);
  if (found == answered_.end()) return 0;
  const std::uint64_t answered = found->second;
  answered_.erase(found);
  return answered;
}

std::optional<std::uint32_t> FunctionExchange::retire_idle() {
  const std::lock_guard lock(mutex_);
  for (auto at = ports_.rbegin(); at != ports_.rend(); ++at) {
    FunctionPort& port = **at;
    if (port.retired_ || port.in_hand() > 0) continue;
    port.retired_ = true;
    return port.options_.seat;
  }
  return std::nullopt;
}

void FunctionExchange::set_failure(std::optional<Error> failure) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
  if (!failure_) return;
  for (FunctionCall* call : std::exchange(waiting_, {})) fail(*call, *failure_);
}

void FunctionExchange::close(FunctionPort& port) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(port.open_, false)) return;
  remove_from(ports_, &port);
  answered_[port.options_.seat] = port.answered_;
  // Back to the front of the line, in their order: nobody has looked at them.
  for (auto at = port.offered_.rbegin(); at != port.offered_.rend(); ++at) {
    (*at)->phase = Phase::kWaiting;
    (*at)->port = nullptr;
    waiting_.push_front(*at);
  }
  port.offered_.clear();
  for (const auto& [id, call] : std::exchange(port.held_, {})) {
    if (call == nullptr) continue;
    call->phase = Phase::kLost;
    call->port = nullptr;
    call->seat = port.options_.seat;
    call->limit = clock_.now() + kReasonGrace;
    lost_.push_back(call);
    call->changed.notify_one();  // its limit is another now
  }
  offer_waiting();
  if (failure_) {
    for (FunctionCall* call : std::exchange(waiting_, {})) fail(*call, *failure_);
  }
}

// Ports
// --------------------------------------------------------------------------------------------

std::vector<FunctionPort::Held>::iterator FunctionPort::find(std::uint32_t id) {
  return std::find_if(held_.begin(), held_.end(), [id](const Held& held) { return held.id == id; });
}

bool FunctionPort::take(Task& task) {
  const std::lock_guard lock(exchange_->mutex_);
  if (offered_.empty()) return false;
  FunctionCall& call = *offered_.front();
  offered_.pop_front();
  held_.push_back({call.id, &call});
  call.phase = FunctionCall::Phase::kReading;
  task.id = call.id;
  task.batch = call.batch;
  task.spare = std::move(call.answer);
  return true;
}

void FunctionPort::begun(std::uint32_t id) {
  const std::lock_guard lock(exchange_->mutex_);
  const auto held = find(id);
  if (held == held_.end() || held->call == nullptr) return;
  FunctionCall& call = *held->call;
  call.phase = FunctionCall::Phase::kRunning;
  if (!call.terminated) return;
  exchange_->withdraw(call);
  exchange_->cancel(call);
}

std::vector<std::uint32_t> FunctionPort::take_aborted() {
  const std::lock_guard lock(exchange_->mutex_);
  return std::exchange(aborted_, {});
}

void FunctionPort::answer(std::uint32_t id, FunctionAnswer answer) {
  const std::lock_guard lock(exchange_->mutex_);
  const auto held = find(id);
  if (held == held_.end()) return;
  FunctionCall* const call = held->call;
  held_.erase(held);
  ++answered_;
  if (call != nullptr) {
    call->answer = std::move(answer);
    exchange_->end(*call);
  }
  exchange_->offer_waiting();
}

void FunctionPort::close() {
  exchange_->close(*this);
}

}  // namespace millrace
