// What a row's own values say about its way through the pipeline. Pure: reads the request, changes
// nothing. `row` is one of the scope in question: of the request, or of items below it, which see
// the values above.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/layout.h"
#include "engine/pipeline_spec.h"
#include "engine/request.h"

namespace millrace {

// The first candidate that has a value for the row: an input of the request always has. Null when
// none has.
const Source* first_that_ran(const std::vector<Source>& candidates, const Request& request,
                             std::uint32_t row);

// Whether the condition's stage ran for the row and its scalar passes every test.
bool holds(const Condition& condition, const Layout& layout, const Request& request,
           std::uint32_t row);

// Whether the stage runs for the row, once everything it waits for is resolved. What it gathers must
// be there for every item, of which there may be none.
bool should_run(const StageSpec& stage, const Layout& layout, const Request& request,
                std::uint32_t row);

// A stage, to read the inputs of its rows.
struct StageInputs {
  const StageSpec& spec;
  const StageLayout& stage;
  const Layout& layout;

  // Of a row for which it should run; what it gathers was gathered (gather.h).
  [[nodiscard]] RowView of(const Request& request, std::uint32_t row, std::size_t input) const;
};

}  // namespace millrace
