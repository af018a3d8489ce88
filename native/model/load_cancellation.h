// A way to stop loading models: hand it to OnnxModel::load and call cancel() from any thread, at
// any time, as often as you like. Sticky: loads that start later fail as well. One object may cover
// many loads at once, and others below it: cancelling it cancels those too.
//
// Not promised: an instant. ONNX Runtime looks at the flag between steps of loading, not within
// one.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace millrace {

namespace ort {
class Api;
struct SessionOptions;
}  // namespace ort

class LoadCancellation {
 public:
  LoadCancellation() = default;

  // One that is cancelled when `parent` is, and may be cancelled alone. It keeps nothing of its
  // parent, nor its parent of it.
  static std::shared_ptr<LoadCancellation> below(LoadCancellation& parent);

  LoadCancellation(const LoadCancellation&) = delete;
  LoadCancellation& operator=(const LoadCancellation&) = delete;

  void cancel() noexcept;
  bool cancelled() const noexcept;

  // One load under way; it can be cancelled while this lives. `cancellation` may be null.
  class Scope {
   public:
    Scope(LoadCancellation* cancellation, const ort::Api& api, ort::SessionOptions* options);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    LoadCancellation* cancellation_;
    ort::SessionOptions* options_;
  };

 private:
  struct Load {
    const ort::Api* api;
    ort::SessionOptions* options;
  };
  static void stop(const Load& load) noexcept;

  mutable std::mutex mutex_;
  bool cancelled_ = false;                              // guarded by mutex_
  std::vector<Load> loads_;                             // guarded by mutex_
  std::vector<std::weak_ptr<LoadCancellation>> below_;  // guarded by mutex_
};

}  // namespace millrace
