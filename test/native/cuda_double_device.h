// What the test double of NVIDIA's driver (cuda_double.cc, which alone includes this) has for a
// device: streams and what waits in them, events, graphs, memory, and the faults it was told of.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Each copy of the library has a device of its own: nothing here may be shared between them.
namespace {

constexpr int kInvalidValue = 1;
constexpr int kOutOfMemory = 2;
constexpr int kInvalidContext = 201;
constexpr int kInvalidPtx = 218;
constexpr int kNotFound = 500;
constexpr int kNotReady = 600;
constexpr int kCaptureUnsupported = 900;
constexpr std::size_t kMemoryBytes = std::size_t{1} << 30;

using Marker = std::shared_ptr<bool>;  // whether it was reached

struct Operation {
  std::string name;
  std::function<int()> act;
  Marker after;  // not before this was reached; null: at once
};

struct Graph {
  std::vector<Operation> operations;
};

struct Stream {
  int number;
  std::deque<Operation> waiting;
  Graph* recording = nullptr;  // takes what is asked for, where there is one
};

struct Event {
  Marker marker;  // null: never recorded
};

struct Module {
  std::string image;
};

struct Fault {
  int code;
  int skip;
};

struct Double {
  std::mutex mutex;
  int devices = 1;
  int lost = 0;  // the code that everything fails with
  bool held = false;
  std::multimap<std::string, Fault> faults;
  std::string record;
  std::set<void*> alive;
  std::map<int, Stream*> streams;  // by number, so that runs are alike
  std::map<std::uint64_t, std::size_t> memory;
  std::size_t used = 0;
  int next_stream = 1;
  int last_stream = 0;  // that did something
  int twice = 0;        // the addresses of these two are what kernels are known by
  int twice_rows = 0;

  bool is_lost(int code) const { return code == 214 || (code >= 700 && code < 720); }

  int fault(const std::string& call) {
    for (auto [it, end] = faults.equal_range(call); it != end; ++it) {
      if (it->second.skip-- > 0) return 0;
      const int code = it->second.code;
      faults.erase(it);
      if (is_lost(code)) lost = code;
      return code;
    }
    return 0;
  }

  int call(const std::string& name, const std::string& rest = {}) {
    // Asked again and again by whoever waits: not recorded.
    if (name != "cuEventQuery") record += name + rest + "\n";
    return lost != 0 ? lost : fault(name);
  }

  // Does one operation that may be done, of the stream whose turn it is.
  bool step() {
    auto turn = streams.upper_bound(last_stream);
    for (std::size_t tries = 0; tries < streams.size(); ++tries, ++turn) {
      if (turn == streams.end()) turn = streams.begin();
      const auto& [number, stream] = *turn;
      if (stream->waiting.empty()) continue;
      const Operation& next = stream->waiting.front();
      if (next.after && !*next.after) continue;
      const Operation operation = next;
      stream->waiting.pop_front();
      last_stream = number;
      record += "  stream " + std::to_string(number) + ": " + operation.name + "\n";
      if (lost == 0 && operation.act) lost = operation.act();
      return true;
    }
    return false;
  }

  int enqueue(Stream* stream, Operation operation) {
    if (stream->recording != nullptr) {
      stream->recording->operations.push_back(std::move(operation));
      return 0;
    }
    stream->waiting.push_back(std::move(operation));
    if (!held) {
      while (step()) {
      }
    }
    return 0;
  }
};

Double& the_double() {
  static auto* const one = new Double;
  return *one;
}

// One call of the driver: nobody else's meanwhile.
class Call {
 public:
  explicit Call(const char* name, const std::string& rest = {})
      : lock_(the_double().mutex), code_(the_double().call(name, rest)) {}
  int failed() const { return code_; }

 private:
  std::lock_guard<std::mutex> lock_;
  int code_;
};

thread_local std::vector<void*> current_contexts;

int context_code() {
  return current_contexts.empty() ? kInvalidContext : 0;
}

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atoi(text) : otherwise;
}

std::string of_bytes(std::size_t bytes) {
  return " " + std::to_string(bytes);
}

bool within(std::uint64_t address, std::size_t bytes) {
  const auto& memory = the_double().memory;
  auto found = memory.upper_bound(address);
  if (found == memory.begin()) return false;
  --found;
  return address - found->first + bytes <= found->second;
}

template <class Thing>
int end(Thing* thing) {
  if (the_double().alive.erase(thing) == 0) return kInvalidValue;
  delete thing;
  return 0;
}

int twice(const float* from, float* to, unsigned count) {
  for (unsigned i = 0; i < count; ++i) to[i] = from[i] * 2;
  return 0;
}

[[maybe_unused]] const char* name_of(int code) {
  switch (code) {
    case kInvalidValue:
      return "CUDA_ERROR_INVALID_VALUE";
    case kOutOfMemory:
      return "CUDA_ERROR_OUT_OF_MEMORY";
    case 100:
      return "CUDA_ERROR_NO_DEVICE";
    case kNotFound:
      return "CUDA_ERROR_NOT_FOUND";
    case kInvalidPtx:
      return "CUDA_ERROR_INVALID_PTX";
    case 719:
      return "CUDA_ERROR_LAUNCH_FAILED";
    case kCaptureUnsupported:
      return "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED";
    case 802:
      return "CUDA_ERROR_SYSTEM_NOT_READY";
    default:
      return nullptr;
  }
}

}  // namespace
