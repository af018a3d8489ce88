#include "addon/native_simulator.h"

#include <algorithm>
#include <atomic>
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

struct Estimated {
  SimulationReport report;
  Nanos now = 0;
};

}  // namespace

Napi::Function NativeSimulator::define(Napi::Env env) {
  return DefineClass(env, "NativeSimulator",
                     {InstanceMethod<&NativeSimulator::add_service>("addService"),
                      InstanceMethod<&NativeSimulator::count_late>("countLate"),
                      InstanceMethod<&NativeSimulator::estimate>("estimate"),
                      InstanceMethod<&NativeSimulator::cancel>("cancel"),
                      InstanceMethod<&NativeSimulator::start>("start")});
}

NativeSimulator::Source NativeSimulator::read_source(const Napi::Object& spec) {
  Source source;
  source.seed = static_cast<std::uint64_t>(number(spec, "seed"));
  std::vector<Nanos> arrivals = read_arrivals(spec);
  source.requests = arrivals.size();
  SimulatedPipeline pipeline = read_simulated_pipeline(spec);
  source.stages = pipeline.stages.size();
  source.traffic =
      make_traffic(std::move(pipeline), std::move(arrivals), source.seed, read_numbers(spec));
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
    : Napi::ObjectWrap<NativeSimulator>(info),
      runtime_(EnvRuntime::of(info.Env())),
      services_(std::make_shared<ServiceList>()) {
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

SimulationOptions NativeSimulator::make_options(bool drawn) const {
  SimulationOptions options;
  options.drawn = drawn;
  options.seed = source_.seed ^ kServiceSeed;
  return options;
}

Napi::Value NativeSimulator::add_service(const Napi::CallbackInfo& info) {
  const std::size_t number = services_->add(read_service(info[0].As<Napi::Object>()));
  return Napi::Number::New(info.Env(), static_cast<double>(number));
}

std::vector<Trials::Configuration> NativeSimulator::read_configurations(
    const Napi::Value& pairs) const {
  const auto array = pairs.As<Napi::Float64Array>();
  const double* pair = array.Data();
  std::vector<Trials::Configuration> configurations(array.ElementLength() / (2 * source_.stages));
  for (Trials::Configuration& configuration : configurations) {
    for (std::size_t stage = 0; stage < source_.stages; ++stage, pair += 2) {
      configuration.push_back(
          {&services_->at(static_cast<std::size_t>(pair[0])), static_cast<std::size_t>(pair[1])});
    }
  }
  return configurations;
}

std::shared_ptr<Trials> NativeSimulator::make_trials(
    const Napi::Object& options, std::vector<Trials::Configuration> configurations,
    const SimulationOptions& simulation, Trials::Try attempt) const {
  const TrialOptions trial_options{simulation,
                                   static_cast<std::size_t>(number(options, "threads"))};
  return std::make_shared<Trials>(source_.traffic, std::move(configurations), trial_options,
                                  std::move(attempt));
}

Napi::Value NativeSimulator::count_late(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const Nanos limit = read_ms(options, "latencyMs");
  const auto enough = static_cast<std::uint64_t>(number(options, "enough"));
  auto configurations = read_configurations(options.Get("configurations"));
  const std::size_t stages = flag(options, "batches") ? source_.stages : 0;
  auto counts = std::make_shared<std::vector<double>>(configurations.size() * (1 + stages));
  SimulationOptions simulation_options = make_options(false);
  simulation_options.keep_queue_times = false;
  const auto attempt = [counts, limit, enough, stages](std::size_t index, Simulation& simulation,
                                                       const std::atomic<bool>& cancelled) {
    double* count = counts->data() + index * (1 + stages);
    *count++ = static_cast<double>(simulation.count_late(limit, enough, cancelled));
    for (std::size_t stage = 0; stage < stages; ++stage) {
      *count++ = static_cast<double>(simulation.largest_batch(stage));
    }
  };
  const auto trials = make_trials(options, std::move(configurations), simulation_options, attempt);
  return run(info.Env(), number(options, "run"), trials, [counts](Napi::Env env) -> Napi::Value {
    Napi::Float64Array array = Napi::Float64Array::New(env, counts->size());
    std::copy(counts->begin(), counts->end(), array.Data());
    return array;
  });
}

Napi::Value NativeSimulator::estimate(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const Nanos limit = read_ms(options, "latencyMs");
  auto configurations = read_configurations(options.Get("configurations"));
  auto results = std::make_shared<std::vector<Estimated>>(configurations.size());
  const auto attempt = [results, limit](std::size_t index, Simulation& simulation,
                                        const std::atomic<bool>& cancelled) {
    simulation.run_to_end(cancelled);
    if (cancelled.load(std::memory_order_relaxed)) return;
    (*results)[index] = {simulation.report(limit), simulation.now()};
  };
  const auto trials = make_trials(options, std::move(configurations),
                                  make_options(flag(options, "drawn")), attempt);
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
  const auto options = info[0].As<Napi::Object>();
  const auto configurations = read_configurations(options.Get("configuration"));
  const SimulationOptions simulation_options = make_options(flag(options, "drawn"));
  return NativeSimulation::create(info.Env(), services_, [&] {
    std::vector<SimulatedService> services;
    for (const StaffedService& one : configurations.at(0)) services.push_back(one.resolve());
    return std::make_unique<Simulation>(source_.traffic, std::move(services), simulation_options);
  });
}

}  // namespace millrace
