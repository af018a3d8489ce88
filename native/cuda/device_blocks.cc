#include "cuda/device_blocks.h"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace {

class DeviceBlock final : public RowBlock {
 public:
  DeviceBlock(CudaBudget::Share share, DeviceMemory memory, const CudaContext& context)
      : RowBlock(DeviceBlocks::device(context), memory.address()),
        index_(context.device()),
        share_(std::move(share)),
        memory_(std::move(memory)) {}

  [[nodiscard]] std::size_t bytes() const { return memory_.bytes(); }
  [[nodiscard]] const DeviceMemory& memory() const { return memory_; }

  // Whoever takes it, before it is held.
  void leave(std::shared_ptr<DeviceBlocks> blocks) { blocks_ = std::move(blocks); }

  Status read(std::size_t at, std::span<std::byte> to) const override {
    Status read = memory_.read(at, to);
    if (read.ok()) return read;
    const bool lost = read.error().code == ErrorCode::kDeviceLost;
    return Error{read.error().code, "the rows that it is given are on CUDA device " +
                                        std::to_string(index_) +
                                        (lost ? ", which is lost to this process" : "") + " (" +
                                        read.error().message + ")"};
  }

 private:
  void unheld() noexcept override {
    const std::shared_ptr<DeviceBlocks> blocks = std::move(blocks_);
    blocks->give_back(*this);
  }

  const cuda::Device index_;
  std::shared_ptr<DeviceBlocks> blocks_;  // null while it is idle: those who own it do not own them
  CudaBudget::Share share_;
  DeviceMemory memory_;  // goes before the share
};

namespace {

// Leaked; what it names is not.
struct Registry {
  using Key = std::pair<const CudaDriver*, cuda::Device>;
  std::mutex mutex;
  std::map<Key, std::weak_ptr<DeviceBlocks>> blocks;  // guarded by mutex
};

Registry& registry() {
  static auto* const one = new Registry;
  return *one;
}

Registry::Key key_of(const CudaContext& context) {
  return {&context.driver(), context.device()};
}

}  // namespace

Result<std::shared_ptr<DeviceBlocks>> DeviceBlocks::of(std::shared_ptr<const CudaContext> context) {
  const auto memory = context->memory_info();
  if (!memory.ok()) return memory.error();
  const std::lock_guard lock(registry().mutex);
  std::weak_ptr<DeviceBlocks>& found = registry().blocks[key_of(*context)];
  std::shared_ptr<DeviceBlocks> blocks = found.lock();
  if (blocks == nullptr) {
    blocks.reset(new DeviceBlocks(std::move(context), memory.value().total_bytes / kShare));
    found = blocks;
  }
  return blocks;
}

bool DeviceBlocks::give_way(const CudaContext& context) {
  std::shared_ptr<DeviceBlocks> blocks;
  {
    const std::lock_guard lock(registry().mutex);
    const auto found = registry().blocks.find(key_of(context));
    if (found != registry().blocks.end()) blocks = found->second.lock();
  }
  return blocks != nullptr && blocks->free_idle();
}

DeviceBlocks::DeviceBlocks(std::shared_ptr<const CudaContext> context, std::size_t most_bytes)
    : context_(std::move(context)), most_bytes_(most_bytes) {}

DeviceBlocks::~DeviceBlocks() = default;

Result<BlockHold> DeviceBlocks::take(std::size_t bytes, std::size_t limit) {
  BlockHold idle = take_idle(bytes);
  if (idle) return idle;
  Result<BlockHold> made = make(bytes, limit);
  const bool full = !made.ok() && made.error().code == ErrorCode::kOutOfMemory;
  if (!full || !free_idle()) return made;
  return make(bytes, limit);
}

const DeviceMemory& DeviceBlocks::memory_of(const BlockHold& taken) {
  return static_cast<const DeviceBlock*>(taken.get())->memory();
}

BlockHold DeviceBlocks::take_idle(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = idle_.find(bytes);
  if (found == idle_.end() || found->second.empty()) return {};
  DeviceBlock* const block = found->second.back().release();
  found->second.pop_back();
  block->leave(shared_from_this());
  return BlockHold(block);
}

Result<BlockHold> DeviceBlocks::make(std::size_t bytes, std::size_t limit) {
  const auto refused = [&](Error error) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return error;
  };
  const std::size_t before = bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes > std::min(most_bytes_, limit / kShare)) {
    return refused({ErrorCode::kOutOfMemory, "blocks take their share of the device already"});
  }
  auto share = CudaBudget::of(*context_).reserve(bytes, limit);
  if (!share.ok()) return refused(share.error());
  auto memory = DeviceMemory::allocate(context_, bytes);
  if (!memory.ok()) return refused(memory.error());
  auto block =
      std::make_unique<DeviceBlock>(std::move(share.value()), std::move(memory.value()), *context_);
  block->leave(shared_from_this());
  return BlockHold(block.release());
}

bool DeviceBlocks::free_idle() {
  std::map<std::size_t, std::vector<std::unique_ptr<DeviceBlock>>> going;
  {
    const std::lock_guard lock(mutex_);
    std::swap(going, idle_);
  }
  std::size_t bytes = 0;
  for (const auto& [size, blocks] : going) bytes += size * blocks.size();
  going.clear();
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return bytes > 0;
}

void DeviceBlocks::give_back(DeviceBlock& block) {
  const std::lock_guard lock(mutex_);
  idle_[block.bytes()].emplace_back(&block);
}

}  // namespace millrace
