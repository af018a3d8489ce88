// Which stages wait for which, worked out once when an engine starts. Within a scope that is a list
// of successors. Across scopes a stage waits for
//
//   a value from above   through a relay: it hands on the resolution of the stage above when that
//                        happened and the items have been made, whichever comes last. One relay a
//                        stage and scope; scopes further down have relays of their own.
//   a fan-out stage      through the opening of its scope, which starts every item.
//   all items (gather)   through a countdown over all items and all stages of their scope that are
//                        read, which counts as one predecessor.
//
// So every stage that a row waits for arrives exactly once, however the scopes lie, and no order of
// stages that has no cycle can block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/pipeline_spec.h"
#include "engine/scopes.h"

namespace millrace {

// What the resolution of one stage starts for each row of one scope.
struct Passage {
  std::vector<std::uint32_t> successors;  // stages that wait for it there, each once
  std::vector<std::uint32_t> relays;      // into scopes below
};

struct Relay {
  std::uint32_t stage = 0;  // whose resolution it hands on
  std::uint32_t scope = 0;  // to the rows of this one
  Passage onward;
};

struct Gathering {
  std::uint32_t stage = 0;    // that waits
  std::uint32_t sources = 0;  // stages of the items' scope that it reads
};

struct StageLinks : Passage {             // in the scope the stage runs in
  std::vector<std::uint32_t> gatherings;  // of its scope, that it counts down
  std::uint8_t predecessors = 0;
};

struct ScopeLinks {
  Passage opening;                    // what starts for each item once they are made
  std::vector<std::uint32_t> relays;  // those that wait for that
  std::vector<Gathering> gatherings;
};

struct Links {
  std::vector<StageLinks> stages;
  std::vector<ScopeLinks> scopes;
  std::vector<Relay> relays;
};

Links link_stages(const PipelineSpec& spec, const Scopes& scopes);

}  // namespace millrace
