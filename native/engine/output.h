// Reads a pipeline's outputs out of a completed request: the first candidate that ran, row by row,
// and the fill where none did. An output of items has those of all rows, in order: how many there
// are differs from request to request, so it is read as one of open shape.
//
// Owner thread, between collect() and recycle().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/layout.h"
#include "engine/pipeline_spec.h"
#include "engine/request.h"

namespace millrace {

// How an output is read, worked out once.
struct OutputLayout {
  OutputLayout(const OutputSpec& spec, const Layout& layout);

  DataType type;
  bool fixed;             // every candidate's rows have the same fixed size, and are the request's
  std::size_t row_bytes;  // where fixed
  std::uint32_t scope;    // whose rows it has
};

// Writes all rows of a fixed output to `to`, rows x row_bytes.
void read_fixed_output(const OutputSpec& spec, const OutputLayout& output, const Layout& layout,
                       const Request& request, std::byte* to);

// All rows (or items) of an output as one tensor, its dims with the batch where the output is
// batched. Nothing when they have different shapes, or when one has no value and so no shape.
std::optional<Blob> read_open_output(const OutputSpec& spec, const OutputLayout& output,
                                     const Layout& layout, const Request& request);

}  // namespace millrace
