#include "addon/result_writer.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "addon/visits_writer.h"

namespace millrace {
namespace {

constexpr std::size_t kHeadWords = 4;
constexpr std::int32_t kVisitsFollow = 16;

constexpr std::size_t align8(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

// Rounded up; -1 where it is not known.
std::uint32_t retry_after_ms(const Request& request) {
  constexpr Nanos kMost = std::numeric_limits<std::int32_t>::max();
  if (request.retry_after == kNever) return static_cast<std::uint32_t>(-1);
  return static_cast<std::uint32_t>(std::min(request.retry_after / kNanosPerMilli + 1, kMost));
}

Napi::Array dims_to_js(Napi::Env env, const std::vector<std::int64_t>& dims) {
  Napi::Array list = Napi::Array::New(env, dims.size());
  for (std::uint32_t i = 0; i < dims.size(); ++i) {
    list.Set(i, Napi::Number::New(env, static_cast<double>(dims[i])));
  }
  return list;
}

}  // namespace

ResultWriter::ResultWriter(const Engine& engine, Napi::ArrayBuffer heads, Napi::ArrayBuffer payload)
    : engine_(engine),
      heads_buffer_(Napi::Reference<Napi::ArrayBuffer>::New(heads, 1)),
      payload_buffer_(Napi::Reference<Napi::ArrayBuffer>::New(payload, 1)),
      heads_(static_cast<std::int32_t*>(heads.Data())),
      payload_(static_cast<std::byte*>(payload.Data())),
      heads_capacity_(heads.ByteLength() / (kHeadWords * sizeof(std::int32_t))),
      payload_capacity_(payload.ByteLength()) {
  for (const OutputSpec& output : engine.spec().outputs) {
    outputs_.emplace_back(output, engine.layout());
  }
}

bool ResultWriter::is_inline(std::size_t output, const Request& request) const {
  const OutputLayout& layout = outputs_[output];
  return layout.fixed && layout.row_bytes * request.rows() <= kInlineBytes;
}

std::size_t ResultWriter::inline_bytes(const Request& request) const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (is_inline(i, request)) bytes += align8(outputs_[i].row_bytes * request.rows());
  }
  return bytes;
}

bool ResultWriter::add(Napi::Env env, const Request& request) {
  const Outcome outcome = request.settlement.outcome();
  const bool completed = outcome == Outcome::kCompleted;
  if (count_ == heads_capacity_) return false;
  if (completed && used_ > 0 && used_ + inline_bytes(request) > payload_capacity_) return false;
  std::int32_t* head = heads_ + count_ * kHeadWords;
  head[0] = static_cast<std::int32_t>(request.index());
  head[1] = static_cast<std::int32_t>(outcome);
  head[2] = static_cast<std::int32_t>(completed ? request.rows() : retry_after_ms(request));
  head[3] = static_cast<std::int32_t>(used_);
  ++count_;
  if (request.visits != nullptr) {
    head[1] += kVisitsFollow;
    push_extra(env, write_visits(env, request));
  }
  if (completed) {
    add_outputs(env, request);
  } else {
    push_extra(env, Napi::String::New(env, request.message));
    push_extra(env, Napi::Number::New(env, request.failed_stage));
    push_extra(env, request.detail.empty() ? env.Undefined()
                                           : Napi::Value(Napi::String::New(env, request.detail)));
  }
  return true;
}

void ResultWriter::add_outputs(Napi::Env env, const Request& request) {
  const PipelineSpec& spec = engine_.spec();
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (is_inline(i, request)) {
      read_fixed_output(spec.outputs[i], outputs_[i], engine_.layout(), request, payload_ + used_);
      used_ += align8(outputs_[i].row_bytes * request.rows());
    } else if (outputs_[i].fixed) {
      add_large(env, i, request);
    } else {
      add_open(env, i, request);
    }
  }
}

void ResultWriter::add_large(Napi::Env env, std::size_t output, const Request& request) {
  const OutputLayout& layout = outputs_[output];
  Napi::ArrayBuffer data = Napi::ArrayBuffer::New(env, layout.row_bytes * request.rows());
  read_fixed_output(engine_.spec().outputs[output], layout, engine_.layout(), request,
                    static_cast<std::byte*>(data.Data()));
  push_extra(env, data);
  push_extra(env, env.Undefined());  // the reader knows the dims
}

void ResultWriter::add_open(Napi::Env env, std::size_t output, const Request& request) {
  const OutputLayout& layout = outputs_[output];
  const auto blob =
      read_open_output(engine_.spec().outputs[output], layout, engine_.layout(), request);
  if (!blob) {
    // The reader turns this into an error: rows of different shapes do not make one tensor.
    push_extra(env, env.Undefined());
    push_extra(env, env.Undefined());
    return;
  }
  if (layout.type == DataType::kString) {
    Napi::Array strings = Napi::Array::New(env, blob->strings.size());
    for (std::uint32_t i = 0; i < blob->strings.size(); ++i) {
      strings.Set(i, Napi::String::New(env, blob->strings[i]));
    }
    push_extra(env, strings);
  } else {
    Napi::ArrayBuffer data = Napi::ArrayBuffer::New(env, blob->bytes.size());
    if (!blob->bytes.empty()) std::memcpy(data.Data(), blob->bytes.data(), blob->bytes.size());
    push_extra(env, data);
  }
  push_extra(env, dims_to_js(env, blob->dims));
}

void ResultWriter::push_extra(Napi::Env env, Napi::Value value) {
  if (extra_count_ == 0) extras_ = Napi::Reference<Napi::Array>::New(Napi::Array::New(env), 1);
  extras_.Value().Set(extra_count_++, value);
}

Napi::Value ResultWriter::extras(Napi::Env env) {
  if (extra_count_ == 0) return env.Undefined();
  return extras_.Value();
}

void ResultWriter::clear() {
  count_ = 0;
  used_ = 0;
  if (extra_count_ > 0) extras_.Reset();
  extra_count_ = 0;
}

}  // namespace millrace
