// What a request was through (engine/visits.h), as numbers that src/engine/visits.ts reads:
//
//   head     [ submitted, whole seconds | and nanoseconds | settled, or -1 | rows |
//              visits | of how many ]
//   a visit  [ stage | row | item, or -1 | state | queued | began, or -1 | ended, or -1 | attempts
//   |
//              batch, or 0 | its rows | when it began | replica | threads ]
//
// Times are nanoseconds since it was submitted, exact for a hundred days; `submitted` is of the
// monotonic clock.
#pragma once

#include <napi.h>

#include "engine/request.h"

namespace millrace {

// A Float64Array. Of a request that records its visits, by the owner.
Napi::Value write_visits(Napi::Env env, const Request& request);

}  // namespace millrace
