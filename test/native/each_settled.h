// The event loop's part, in tests: what was settled is looked at and given back.
#pragma once

#include <cstddef>

#include "engine/engine.h"

namespace millrace {

// Visits each request that was settled since the last call and has it used again. How many.
template <class Visit>
std::size_t each_settled(Engine& engine, Visit&& visit) {
  std::size_t count = 0;
  for (Request* request = engine.collect(); request != nullptr; ++count) {
    Request* const following = request->next;  // no longer its own once it is used again
    visit(*request);
    engine.recycle(*request);
    request = following;
  }
  return count;
}

}  // namespace millrace
