#include "addon/spec_reader.h"

#include <string>
#include <utility>

#include "addon/env_runtime.h"
#include "addon/native_function.h"
#include "addon/native_model.h"
#include "addon/value_reader.h"

namespace millrace {
namespace {

std::vector<std::byte> read_bytes(const Napi::Value& value) {
  const auto bytes = value.As<Napi::Uint8Array>();
  const auto* first = reinterpret_cast<const std::byte*>(bytes.Data());
  return {first, first + bytes.ByteLength()};
}

// [stage, index]; stage -1 is the request.
Source read_source(const Napi::Value& value) {
  const auto pair = value.As<Napi::Array>();
  const std::int32_t stage = pair.Get(0U).As<Napi::Number>().Int32Value();
  const std::uint32_t index = pair.Get(1U).As<Napi::Number>().Uint32Value();
  return {stage < 0, stage < 0 ? 0 : static_cast<std::uint32_t>(stage), index};
}

std::vector<Source> read_sources(const Napi::Value& value) {
  std::vector<Source> sources;
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) sources.push_back(read_source(list.Get(i)));
  return sources;
}

Condition read_condition(const Napi::Object& object) {
  Condition condition;
  condition.source = read_source(object.Get("source"));
  const Napi::Value below = object.Get("below");
  const Napi::Value above = object.Get("above");
  const Napi::Value equals = object.Get("equals");
  if (below.IsNumber()) condition.below = below.As<Napi::Number>().DoubleValue();
  if (above.IsNumber()) condition.above = above.As<Napi::Number>().DoubleValue();
  if (equals.IsNumber()) condition.equals = equals.As<Napi::Number>().DoubleValue();
  if (equals.IsString()) condition.equals = equals.As<Napi::String>().Utf8Value();
  return condition;
}

std::optional<Padding> read_padding(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  const auto object = value.As<Napi::Object>();
  Padding padding;
  padding.element = read_bytes(object.Get("element"));
  each(object, "buckets", [&](const Napi::Value& size) {
    padding.buckets.push_back(size.As<Napi::Number>().Int64Value());
  });
  return padding;
}

std::vector<std::optional<Trim>> read_trims(const Napi::Value& value) {
  std::vector<std::optional<Trim>> trims;
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value one = list.Get(i);
    trims.emplace_back();
    if (!one.IsArray()) continue;
    const auto pair = one.As<Napi::Array>();
    trims.back() = Trim{pair.Get(0U).As<Napi::Number>().Uint32Value(),
                        pair.Get(1U).As<Napi::Number>().Uint32Value()};
  }
  return trims;
}

std::optional<CacheSpec> read_cache(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  const auto object = value.As<Napi::Object>();
  CacheSpec cache;
  cache.max_bytes = static_cast<std::size_t>(number(object, "maxBytes"));
  cache.ttl = read_ms(object, "ttlMs");
  return cache;
}

// How rows travel through the stage, beyond what every stage has.
void read_shape(const Napi::Object& object, StageSpec& stage) {
  stage.fan_out = flag(object, "fanOut");
  const auto gather = static_cast<std::int32_t>(number(object, "gather"));
  if (gather >= 0) stage.gather = static_cast<std::uint32_t>(gather);
  each(object, "padding",
       [&](const Napi::Value& value) { stage.padding.push_back(read_padding(value)); });
  each(object, "trims",
       [&](const Napi::Value& value) { stage.trims.push_back(read_trims(value)); });
  stage.cache = read_cache(object.Get("cache"));
  stage.isolate = flag(object, "isolate");
}

StageSpec read_stage(const Napi::Object& object) {
  StageSpec stage;
  stage.name = text(object, "name");
  stage.model = read_model(object.Get("model").As<Napi::Object>());
  stage.batched = flag(object, "batched");
  each(object, "inputs",
       [&](const Napi::Value& value) { stage.inputs.push_back(read_sources(value)); });
  const Napi::Value condition = object.Get("condition");
  if (condition.IsObject()) stage.condition = read_condition(condition.As<Napi::Object>());
  stage.replicas = static_cast<std::size_t>(number(object, "replicas"));
  stage.max_batch = static_cast<std::size_t>(number(object, "maxBatch"));
  stage.max_delay = read_ms(object, "maxDelayMs");
  stage.threads = static_cast<std::uint32_t>(number(object, "threads"));
  read_shape(object, stage);
  return stage;
}

RequestInputSpec read_input(const Napi::Object& object) {
  RequestInputSpec input;
  input.name = text(object, "name");
  input.type = read_type(text(object, "type"));
  each(object, "dims", [&](const Napi::Value& value) {
    input.dims.push_back(value.As<Napi::Number>().Int64Value());
  });
  return input;
}

OutputSpec read_output(const Napi::Object& object) {
  OutputSpec output;
  output.name = text(object, "name");
  output.sources = read_sources(object.Get("sources"));
  const Napi::Value fill = object.Get("fill");
  if (fill.IsString()) {
    output.fill_string = fill.As<Napi::String>().Utf8Value();
  } else if (fill.IsTypedArray()) {
    output.fill = read_bytes(fill);
  }
  return output;
}

}  // namespace

std::shared_ptr<Model> read_model(const Napi::Object& object) {
  const Napi::Function function = EnvRuntime::of(object.Env()).function_constructor.Value();
  if (object.InstanceOf(function)) return NativeFunction::Unwrap(object)->model();
  return NativeModel::Unwrap(object)->model();
}

PipelineSpec read_pipeline_spec(const Napi::Object& object) {
  PipelineSpec spec;
  spec.batched = flag(object, "batched");
  spec.max_pending_rows = static_cast<std::size_t>(number(object, "maxPendingRows"));
  spec.objective = read_ms(object, "objectiveMs");
  spec.shed = flag(object, "shed");
  spec.warm_up = flag(object, "warmUp");
  each(object, "inputs", [&](const Napi::Value& value) {
    spec.inputs.push_back(read_input(value.As<Napi::Object>()));
  });
  each(object, "stages", [&](const Napi::Value& value) {
    spec.stages.push_back(read_stage(value.As<Napi::Object>()));
  });
  each(object, "outputs", [&](const Napi::Value& value) {
    spec.outputs.push_back(read_output(value.As<Napi::Object>()));
  });
  return spec;
}

}  // namespace millrace
