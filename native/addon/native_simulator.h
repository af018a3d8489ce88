// A trace and a pipeline as JavaScript holds them, for any number of configurations. Trying
// configurations runs as a job of the environment, which keeps the process and this object alive;
// when the environment ends, it is cancelled and joined.
#pragma once

#include <napi.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "addon/env_runtime.h"
#include "addon/trials.h"
#include "simulator/simulation.h"

namespace millrace {

class NativeSimulator : public Napi::ObjectWrap<NativeSimulator>, public WakeListener {
 public:
  static Napi::Function define(Napi::Env env);

  // createSimulator(spec: NativeSimulatorSpec): NativeSimulator
  static Napi::Value create(const Napi::CallbackInfo& info);

  explicit NativeSimulator(const Napi::CallbackInfo& info);
  ~NativeSimulator() override;

  void on_wake(Napi::Env) override {}
  void on_cleanup() override;

 private:
  // What is handed from create() to the constructor.
  struct Source {
    std::shared_ptr<const Traffic> traffic;
    std::uint64_t seed = 0;
    std::size_t requests = 0;
    std::size_t stages = 0;
  };

  // The calls below are described in src/native/simulator.ts.
  Napi::Value add_service(const Napi::CallbackInfo& info);
  Napi::Value count_late(const Napi::CallbackInfo& info);
  Napi::Value estimate(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);

  static Source read_source(const Napi::Object& spec);
  [[nodiscard]] std::vector<Trials::Configuration> read_configurations(
      const Napi::Value& pairs) const;
  [[nodiscard]] SimulationOptions make_options(bool drawn) const;
  [[nodiscard]] std::shared_ptr<Trials> make_trials(
      const Napi::Object& options, std::vector<Trials::Configuration> configurations,
      const SimulationOptions& simulation, Trials::Try attempt) const;
  Napi::Value run(Napi::Env env, double number, const std::shared_ptr<Trials>& trials,
                  std::function<Napi::Value(Napi::Env)> result);

  EnvRuntime& runtime_;
  Source source_;
  std::shared_ptr<ServiceList> services_;                   // shared with simulations
  std::multimap<double, std::shared_ptr<Trials>> running_;  // by the caller's number of the run
  bool ended_ = false;                                      // the environment's cleanup has begun
};

}  // namespace millrace
