// Hands collected requests to JavaScript, many at a time: numbers through memory both sides share,
// so that a flush of a thousand small results is one call.
//
//   heads    Int32, four a request      [ index | outcome | rows | payload offset in bytes ]
//            where it did not complete         [ index | outcome | retry after ms, or -1 | - ]
//            kVisitsFollow is added to the outcome of one that records its visits
//
//   payload  fixed outputs of completed requests, in the order of the pipeline's outputs, each on a
//            multiple of 8
//
//   extras   a JavaScript array, absent when empty, read in order: the visits (visits_writer.h),
//            where they follow; for an output that is open, of items, a string or larger than
//            kInlineBytes: its data (ArrayBuffer, or array of strings), then its dims; for a
//            failure: message, stage, detail (see Error; undefined where empty)
//
// The reader is src/engine/result-reader.ts. Owner thread only.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/engine.h"
#include "engine/output.h"

namespace millrace {

class ResultWriter {
 public:
  static constexpr std::size_t kInlineBytes = 16 * 1024;

  // `heads` and `payload` are made by JavaScript and kept alive from here; `payload` has room for
  // kInlineBytes for each output of the pipeline.
  ResultWriter(const Engine& engine, Napi::ArrayBuffer heads, Napi::ArrayBuffer payload);

  // Adds one request; false when there is no room and what was written must be read first.
  bool add(Napi::Env env, const Request& request);

  [[nodiscard]] std::uint32_t count() const { return count_; }

  // An array, or undefined when nothing extra was written.
  Napi::Value extras(Napi::Env env);

  // JavaScript has read everything.
  void clear();

 private:
  void add_outputs(Napi::Env env, const Request& request);
  void add_open(Napi::Env env, std::size_t output, const Request& request);
  void add_large(Napi::Env env, std::size_t output, const Request& request);
  void push_extra(Napi::Env env, Napi::Value value);
  [[nodiscard]] bool is_inline(std::size_t output, const Request& request) const;
  [[nodiscard]] std::size_t inline_bytes(const Request& request) const;

  const Engine& engine_;
  std::vector<OutputLayout> outputs_;
  Napi::Reference<Napi::ArrayBuffer> heads_buffer_;
  Napi::Reference<Napi::ArrayBuffer> payload_buffer_;
  Napi::Reference<Napi::Array> extras_;
  std::int32_t* heads_;
  std::byte* payload_;
  std::size_t heads_capacity_;    // requests
  std::size_t payload_capacity_;  // bytes
  std::uint32_t count_ = 0;
  std::size_t used_ = 0;  // payload bytes
  std::uint32_t extra_count_ = 0;
};

}  // namespace millrace
