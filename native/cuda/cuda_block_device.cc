#include "cuda/cuda_block_device.h"

#include <utility>
#include <vector>

#include "cuda/cuda_stream.h"

namespace millrace {
namespace {

// Copies in a stream of its own: what it waits for is nobody else's work.
class CudaBlockUser final : public BlockUser {
 public:
  struct Parts {
    std::shared_ptr<const CudaContext> context;
    std::shared_ptr<DeviceBlocks> blocks;
    CudaStream stream;
    CudaEvent done;
  };

  CudaBlockUser(Parts parts, std::size_t limit) : parts_(std::move(parts)), limit_(limit) {}

  Result<BlockHold> take(std::size_t bytes) override { return parts_.blocks->take(bytes, limit_); }

  Status begin_copy(std::span<const RowHandle> rows, std::size_t row_bytes, const BlockHold& to,
                    std::size_t at) override {
    const DeviceMemory& memory = DeviceBlocks::memory_of(to);
    Status status;
    each_run(rows, row_bytes, [&](std::size_t first, std::size_t count) {
      if (!status.ok()) return;
      status = copy(rows[first], count * row_bytes, memory, at + first * row_bytes);
    });
    return status;
  }

  Status wait() override {
    Status ended = parts_.stream.record(parts_.done);
    if (ended.ok()) ended = parts_.done.wait();
    // Where the event was not to be had: nothing may go before the copies have ended.
    if (!ended.ok()) static_cast<void>(parts_.stream.synchronize());
    staged_.clear();
    return ended;
  }

  Status settle() override { return (*parts_.context)(&cuda::DriverTable::synchronize_context); }

 private:
  Status copy(const RowHandle& first, std::size_t bytes, const DeviceMemory& to, std::size_t at) {
    const RowBlock& block = *first.block;
    if (block.device() == DeviceBlocks::device(*parts_.context))
      return parts_.stream.copy_on_device(to, block.address() + first.at, bytes, at);
    if (block.device() == nullptr) {
      const std::byte* const rows = static_cast<const HostBlock&>(block).data() + first.at;
      return parts_.stream.copy_to_device(to, {rows, bytes}, at);
    }
    // Another device may be lost, which says nothing of this one.
    std::vector<std::byte>& staged = staged_.emplace_back(bytes);
    const Status read = block.read(first.at, staged);
    if (!read.ok()) return Error{ErrorCode::kStageFailed, read.error().message};
    return parts_.stream.copy_to_device(to, staged, at);
  }

  Parts parts_;
  const std::size_t limit_;
  std::vector<std::vector<std::byte>> staged_;  // rows of other devices, until they are copied
};

}  // namespace

Result<std::shared_ptr<BlockDevice>> CudaBlockDevice::open(const Options& options) {
  const Result<const CudaDriver*> driver = CudaDriver::load(options.driver);
  if (!driver.ok()) return driver.error();
  auto context = CudaContext::open(*driver.value(), options.device);
  if (!context.ok()) return context.error();
  return std::shared_ptr<BlockDevice>(new CudaBlockDevice(std::move(context.value()), options));
}

Result<std::unique_ptr<BlockUser>> CudaBlockDevice::use() {
  auto blocks = DeviceBlocks::of(context_);
  if (!blocks.ok()) return blocks.error();
  auto stream = CudaStream::create(context_);
  if (!stream.ok()) return stream.error();
  auto done = CudaEvent::create(context_);
  if (!done.ok()) return done.error();
  return std::unique_ptr<BlockUser>(std::make_unique<CudaBlockUser>(
      CudaBlockUser::Parts{context_, std::move(blocks.value()), std::move(stream.value()),
                           std::move(done.value())},
      limit_));
}

}  // namespace millrace
