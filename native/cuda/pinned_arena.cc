#include "cuda/pinned_arena.h"

#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "cuda/cuda_memory.h"

namespace millrace {
namespace {

// Where pinned memory begins, and its bytes. Leaked: an arena may end with the process.
struct Registry {
  std::shared_mutex mutex;
  std::map<const std::byte*, std::size_t, std::less<>> ranges;  // guarded by mutex
};

Registry& registry() {
  static auto* const one = new Registry;
  return *one;
}

}  // namespace

std::shared_ptr<std::byte[]> PinnedArena::allocate(std::size_t bytes) {
  if (bytes > kMostBytes) return nullptr;
  Result<PinnedMemory> allocated = PinnedMemory::allocate(context_, bytes);
  if (!allocated.ok()) return nullptr;
  auto memory = std::make_shared<PinnedMemory>(std::move(allocated.value()));
  std::byte* const data = memory->span().data();
  {
    const std::unique_lock lock(registry().mutex);
    registry().ranges[data] = bytes;
  }
  return {data, [memory = std::move(memory)](const std::byte* first) {
            const std::unique_lock lock(registry().mutex);
            registry().ranges.erase(first);
          }};
}

bool PinnedArena::holds(const std::byte* data, std::size_t bytes) {
  const std::shared_lock lock(registry().mutex);
  auto found = registry().ranges.upper_bound(data);
  if (found == registry().ranges.begin()) return false;
  --found;
  const auto offset = static_cast<std::size_t>(data - found->first);
  return offset <= found->second && bytes <= found->second - offset;
}

}  // namespace millrace
