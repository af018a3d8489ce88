// How the operating system shares cores among threads, as far as a program can tell.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace millrace {

// Keeps so many threads busy for `duration` and returns how long one of them is off its core while
// others are on it: the median of the stops of more than a tenth of a millisecond. 0 where there
// are hardly any: the threads have a core each. Blocks.
Nanos measure_time_slice(std::size_t threads, Nanos duration);

}  // namespace millrace
