#include "addon/native_simulator.h"

#include <limits>
#include <new>
#include <utility>

#include "addon/native_error.h"
#include "addon/native_simulation.h"
#include "addon/simulation_values.h"
#include "addon/value_reader.h"

namespace millrace {
namespace {

// What a request of a trace takes in memory, about: its arrival and its path.
constexpr std::int64_t kRequestBytes = 16;

// Draws of service times are not to follow those of paths.
constexpr std::uint64_t kServiceSeed = 0x9e3779b97f4a7c15;

std::vector<Trials::Configuration> read_configurations(const Napi::Object& options) {
  std::vector<Trials::Configuration> configurations;
  each(options, "configurations",
       [&](const Napi::Value& value) { configurations.push_back(read_services(value)); });
  return configurations;
}

struct Estimated {
  SimulationReport report;
  Nanos now = 0;
};

}  // namespace

Napi::Function NativeSimulator::define(Napi::Env env) {
  return DefineClass(env, "NativeSimulator",
                     {InstanceMethod<&NativeSimulator::count_late>("countLate"),
                      InstanceMethod<&NativeSimulator::estimate>("estimate"),
                      InstanceMethod<&NativeSimulator::cancel>("cancel"),
                      InstanceMethod<&NativeSimulator::start>("start")});
}

NativeSimulator::Source NativeSimulator::read_source(const Napi::Object& spec) {
  Source source;
  source.seed = static_cast<std::uint64_t>(number(spec, "seed"));
  std::vector<Nanos> arrivals = read_arrivals(spec);
  source.requests = arrivals.size();
  source.traffic = make_traffic(read_simulated_pipeline(spec), std::move(arrivals), source.seed);
  return source;
}

Napi::Value NativeSimulator::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    Source source = read_source(info[0].As<Napi::Object>());
    return EnvRuntime::of(env).simulator_constructor.New(
        {Napi::External<Source>::New(env, &source)});
  } catch (const std::bad_alloc&) {
    throw to_js_error(env, {ErrorCode::kInvalidOption,
                            "there is not enough memory for the trace; give a shorter one"});
  }
}

NativeSimulator::NativeSimulator(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativeSimulator>(info), runtime_(EnvRuntime::of(info.Env())) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativeSimulator is made by createSimulator()");
  }
  source_ = std::move(*info[0].As<Napi::External<Source>>().Data());
  runtime_.add(this);
  // So that traces which nobody holds any more are collected before memory is short.
  Napi::MemoryManagement::AdjustExternalMemory(
      info.Env(), kRequestBytes * static_cast<std::int64_t>(source_.requests));
}

NativeSimulator::~NativeSimulator() {
  runtime_.remove(this);
  if (source_.requests > 0) {
    Napi::MemoryManagement::AdjustExternalMemory(
        Env(), -kRequestBytes * static_cast<std::int64_t>(source_.requests));
  }
}

void NativeSimulator::on_cleanup() {
  ended_ = true;
  for (const auto& [number, trials] : running_) trials->cancel();
}

SimulationOptions NativeSimulator::simulation_options(bool drawn) const {
  SimulationOptions options;
  options.drawn = drawn;
  options.seed = source_.seed ^ kServiceSeed;
  return options;
}

std::shared_ptr<Trials> NativeSimulator::make_trials(const Napi::Object& options,
                                                     TrialOptions trial_options,
                                                     Trials::Conclude conclude) {
  trial_options.limit = read_ms(options, "latencyMs");
  trial_options.threads = static_cast<std::size_t>(number(options, "threads"));
  return std::make_shared<Trials>(source_.traffic, read_configurations(options), trial_options,
                                  std::move(conclude));
}

Napi::Value NativeSimulator::count_late(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const std::size_t count = options.Get("configurations").As<Napi::Array>().Length();
  TrialOptions trial_options;
  trial_options.simulation = simulation_options(false);
  trial_options.simulation.keep_queue_times = false;
  trial_options.enough = static_cast<std::uint64_t>(number(options, "enough"));
  auto counts = std::make_shared<std::vector<double>>(count);
  const auto trials = make_trials(
      options, trial_options, [counts](std::size_t index, const Simulation&, std::uint64_t late) {
        (*counts)[index] = static_cast<double>(late);
      });
  return run(info.Env(), number(options, "run"), trials, [counts](Napi::Env env) -> Napi::Value {
    Napi::Float64Array array = Napi::Float64Array::New(env, counts->size());
    for (std::size_t i = 0; i < counts->size(); ++i) array[i] = (*counts)[i];
    return array;
  });
}

Napi::Value NativeSimulator::estimate(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const std::size_t count = options.Get("configurations").As<Napi::Array>().Length();
  TrialOptions trial_options;
  trial_options.simulation = simulation_options(flag(options, "drawn"));
  trial_options.enough = std::numeric_limits<std::uint64_t>::max();
  const Nanos limit = read_ms(options, "latencyMs");
  auto results = std::make_shared<std::vector<Estimated>>(count);
  const auto trials =
      make_trials(options, trial_options,
                  [results, limit](std::size_t index, const Simulation& simulation, std::uint64_t) {
                    (*results)[index] = {simulation.report(limit), simulation.now()};
                  });
  return run(info.Env(), number(options, "run"), trials, [results](Napi::Env env) -> Napi::Value {
    Napi::Array array = Napi::Array::New(env, results->size());
    for (std::uint32_t i = 0; i < results->size(); ++i) {
      array.Set(i, write_report(env, (*results)[i].report, (*results)[i].now));
    }
    return array;
  });
}

Napi::Value NativeSimulator::run(Napi::Env env, double number,
                                 const std::shared_ptr<Trials>& trials,
                                 std::function<Napi::Value(Napi::Env)> result) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  const auto status = std::make_shared<Status>();
  if (ended_) {
    const Error error{ErrorCode::kCancelled, "the simulation was cancelled: its environment ends"};
    deferred.Reject(to_js_error(env, error).Value());
    return deferred.Promise();
  }
  const auto place = running_.emplace(number, trials);
  const auto done = [this,
                     self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value())),
                     place, deferred, status, result = std::move(result)](Napi::Env js) {
    running_.erase(place);
    if (status->ok()) {
      deferred.Resolve(result(js));
    } else {
      deferred.Reject(to_js_error(js, status->error()).Value());
    }
  };
  try {
    runtime_.run_job([trials, status] { *status = trials->run(); }, done);
  } catch (const Napi::Error& error) {
    running_.erase(place);
    deferred.Reject(error.Value());
  }
  return deferred.Promise();
}

Napi::Value NativeSimulator::cancel(const Napi::CallbackInfo& info) {
  const double number = info[0].As<Napi::Number>().DoubleValue();
  const auto [first, last] = running_.equal_range(number);
  for (auto at = first; at != last; ++at) at->second->cancel();
  return info.Env().Undefined();
}

Napi::Value NativeSimulator::start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  return NativeSimulation::create(env, [&] {
    return std::make_unique<Simulation>(source_.traffic, read_services(options.Get("services")),
                                        simulation_options(flag(options, "drawn")));
  });
}

}  // namespace millrace
