// What simulators are given and what they report, from and to the objects of
// src/native/simulator.ts. Milliseconds become nanoseconds, and back, exactly.
#pragma once

#include <napi.h>

#include <vector>

#include "base/clock.h"
#include "simulator/simulated_pipeline.h"
#include "simulator/simulation.h"

namespace millrace {

SimulatedPipeline read_simulated_pipeline(const Napi::Object& spec);

std::vector<Nanos> read_arrivals(const Napi::Object& spec);
std::vector<std::uint32_t> read_numbers(const Napi::Object& spec);

SimulatedService read_service(const Napi::Object& object);

Napi::Object write_report(Napi::Env env, const SimulationReport& report, Nanos now);

}  // namespace millrace
