// Which stages run on their fallback, since the device of their model is lost, and why; and what
// the owner has not been told of that.
//
// Any thread, but for take().
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace {

class Fallbacks {
 public:
  struct Move {
    std::size_t stage = 0;
    std::string reason;
  };

  explicit Fallbacks(std::size_t stages) : reasons_(stages) {}

  // The stage does from now on; null: nothing is said. The first counts, until clear().
  void note(std::size_t stage, const Error* reason);

  // Another model serves the stage.
  void clear(std::size_t stage);

  [[nodiscard]] std::optional<std::string> reason(std::size_t stage) const;

  // The owner: those since the last call. Whoever sees what was settled after a note sees the note.
  std::vector<Move> take();

 private:
  mutable std::mutex mutex_;  // held briefly
  std::vector<std::optional<std::string>> reasons_;
  std::vector<Move> untold_;
  std::atomic<bool> any_untold_{false};  // released by note(), acquired by take()
};

}  // namespace millrace
