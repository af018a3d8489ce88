// Where the replicas of a function stage meet those who run the function: JavaScript environments
// (the application's own, or a worker each), which open a Port here. A call waits for a port with
// room, is taken by the port's thread, read, and answered.
//
//   replica                       exchange                        port (an environment's thread)
//   call() ---------------------> waiting --> offered ----------> take()      reads the batch
//     blocks                                                      begun()     it has been read
//     returns <------------------------------ ended <------------ answer()
//
// Threads: everything may be called by any thread, but each Port's calls by one thread at a time,
// and a FunctionCall is in one call() at a time. One mutex guards all of it; it is held for
// moments, never while JavaScript runs or a batch is read.
//
// Promises
//   - call() returns: at the latest when its limit has passed, when terminated, or a moment after
//     its port was closed. It never returns while its batch is being read.
//   - What was offered to a port that closes, and not taken yet, is offered to another. What was
//     taken fails: the function may have done half its work.
//   - on_news and the watcher are called under the mutex: they must not call back, nor block. After
//     close() and unwatch() they are not called any more.
// Not promised
//   - That a function stops when its call ended early; an answer that comes after is dropped.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/model.h"

namespace millrace {

// One output of a call, all rows back to back.
struct FunctionOutput {
  std::vector<std::byte> bytes;
  std::vector<std::string> strings;
  // Where `ragged` the dims of each row alone, empty for one that failed; else one entry, with the
  // dimension that counts rows in front.
  std::vector<std::vector<std::int64_t>> dims;
  bool ragged = false;
};

struct FunctionAnswer {
  std::optional<Error> error;           // the batch failed; what follows is not read
  bool whole = false;                   // with `error`: no row may be tried again
  std::vector<FunctionOutput> outputs;  // as the model declares them
  std::vector<RowFailure> failed;       // ascending
};

class FunctionPort;

// One run on its way. Belongs to a runner; all fields are guarded by the exchange's mutex, but for
// `answer`, which is the runner's between two calls.
struct FunctionCall {
  enum class Phase : std::uint8_t { kEnded, kWaiting, kOffered, kReading, kRunning, kLost };

  FunctionAnswer answer;  // its buffers serve the next call again
  Phase phase = Phase::kEnded;
  const RunBatch* batch = nullptr;
  std::uint32_t id = 0;
  FunctionPort* port = nullptr;  // from kOffered to kRunning
  std::uint32_t seat = 0;        // of the port that closed, where kLost
  Nanos limit = kNever;
  bool interrupted = false;  // until it is resumed
  bool terminated = false;   // for ever
  std::condition_variable changed;
};

struct FunctionPortOptions {
  std::uint32_t seat = 0;         // what control calls it; unique within the exchange
  std::size_t capacity = 1;       // calls in hand at once
  bool replaceable = true;        // one that exceeds the limit is given no more, and reported
  std::function<void()> on_news;  // take() or take_aborted() has something
};

class FunctionExchange : public std::enable_shared_from_this<FunctionExchange> {
 public:
  // `timeout` limits the wait for a port, and again the time at a port; kNever for none.
  FunctionExchange(std::string name, Nanos timeout);

  FunctionExchange(const FunctionExchange&) = delete;
  FunctionExchange& operator=(const FunctionExchange&) = delete;

  // Replicas -------------------------------------------------------------------------------------

  // Blocks until the call has ended; `call.answer` then says how.
  void call(FunctionCall& call, const RunBatch& batch);

  // Nobody waits any more: ends the call where it has not begun (the next one, where none is in
  // progress), else tells the function. Holds until resume().
  void interrupt(FunctionCall& call);
  void resume(FunctionCall& call);

  // Ends this call and all to come, at once.
  void terminate(FunctionCall& call);

  // Control --------------------------------------------------------------------------------------

  std::shared_ptr<FunctionPort> open(FunctionPortOptions options);

  // `on_overdue` is called when take_overdue() has something.
  void watch(std::function<void()> on_overdue);
  void unwatch();

  // Seats of the ports that exceeded the limit since the last call.
  std::vector<std::uint32_t> take_overdue();

  // Why the port of this seat closed: the calls it had in hand fail with it. Returns how many calls
  // it had answered.
  std::uint64_t explain(std::uint32_t seat, const Error& reason);

  // Gives no more calls to one of the ports that have none in hand; its seat.
  std::optional<std::uint32_t> retire_idle();

  // While set, calls that find no port, or wait for one, fail with it at once.
  void set_failure(std::optional<Error> failure);

 private:
  friend class FunctionPort;
  using Phase = FunctionCall::Phase;

  void begin(FunctionCall& call, const RunBatch& batch);
  void offer_waiting();
  FunctionPort* port_with_room();
  void on_limit(FunctionCall& call);
  void exceed(FunctionCall& call);
  void withdraw(FunctionCall& call);
  void end(FunctionCall& call);
  void fail(FunctionCall& call, Error error);
  void cancel(FunctionCall& call);
  void abort(FunctionCall& call);
  void close(FunctionPort& port);
  [[nodiscard]] Nanos limit_from_now() const;

  const std::string name_;
  const Nanos timeout_;
  const SteadyClock clock_;

  std::mutex mutex_;  // guards everything below, and the fields of ports and calls
  std::uint32_t next_id_ = 1;
  std::deque<FunctionCall*> waiting_;
  std::vector<FunctionPort*> ports_;  // open, in the order of opening
  std::vector<FunctionCall*> lost_;
  std::vector<std::uint32_t> overdue_;
  std::map<std::uint32_t, std::uint64_t> answered_;  // by seats closed and not explained yet
  std::function<void()> watcher_;
  std::optional<Error> failure_;
};

// An environment that runs the function. One thread at a time; keeps the exchange alive.
class FunctionPort {
 public:
  ~FunctionPort() { close(); }

  FunctionPort(const FunctionPort&) = delete;
  FunctionPort& operator=(const FunctionPort&) = delete;

  struct Task {
    std::uint32_t id = 0;
    const RunBatch* batch = nullptr;  // until begun()
    FunctionAnswer spare;             // its buffers may be used for the answer
  };

  // False when nothing is offered. Each task is to be followed by begun(), soon.
  bool take(Task& task);
  void begun(std::uint32_t id);

  // Calls in hand that nobody waits for any more, since the last time.
  std::vector<std::uint32_t> take_aborted();

  // Once for each task. Dropped where the call has ended.
  void answer(std::uint32_t id, FunctionAnswer answer);

  // May be called again.
  void close();

 private:
  friend class FunctionExchange;
  FunctionPort(std::shared_ptr<FunctionExchange> exchange, FunctionPortOptions options)
      : exchange_(std::move(exchange)), options_(std::move(options)) {}

  struct Held {
    std::uint32_t id;
    FunctionCall* call;  // null once it has ended
  };
  [[nodiscard]] std::size_t in_hand() const { return offered_.size() + held_.size(); }
  std::vector<Held>::iterator find(std::uint32_t id);

  const std::shared_ptr<FunctionExchange> exchange_;
  const FunctionPortOptions options_;

  // Guarded by the exchange's mutex.
  std::deque<FunctionCall*> offered_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> aborted_;
  std::uint64_t answered_ = 0;
  bool open_ = true;
  bool retired_ = false;  // is given nothing more
};

}  // namespace millrace
