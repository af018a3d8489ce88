// Requests are made once and used again. The index of a request is its place here and stays its
// own; the owner uses it as the handle of a pending request.
//
// Owner thread only; other threads hand requests back through SettledList::push_free().
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/layout.h"
#include "engine/request.h"
#include "engine/router.h"

namespace millrace {

class RequestPool {
 public:
  RequestPool(const Layout& layout, SettledList& settled) : layout_(layout), settled_(settled) {}

  Request& take() {
    if (free_.empty()) refill();
    Request* request = free_.back();
    free_.pop_back();
    return *request;
  }

  void give_back(Request& request) { free_.push_back(&request); }

  // Null for an index never handed out.
  [[nodiscard]] Request* at(std::uint32_t index) const {
    return index < all_.size() ? all_[index].get() : nullptr;
  }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  void refill() {
    for (Request* request = settled_.take_free(); request != nullptr;) {
      Request* const following = request->next;
      free_.push_back(request);
      request = following;
    }
    if (!free_.empty()) return;
    all_.push_back(std::make_unique<Request>(layout_, static_cast<std::uint32_t>(all_.size())));
    free_.push_back(all_.back().get());
  }

  const Layout& layout_;
  SettledList& settled_;
  std::vector<std::unique_ptr<Request>> all_;
  std::vector<Request*> free_;
};

}  // namespace millrace
