// Streams, in which work is done in the order in which it was asked for, and events, by which one
// stream (or a thread) learns how far another one is.
//
// A stream and an event are used by one thread at a time; asking is_done() may be any thread's.
// Copies only begin here: host memory must stay as it is until an event recorded after them is
// done. Only copies from and to pinned memory overlap with anything.
#pragma once

#include <memory>
#include <span>

#include "cuda/cuda_context.h"
#include "cuda/cuda_memory.h"

namespace millrace {

class CudaEvent {
 public:
  static Result<CudaEvent> create(std::shared_ptr<const CudaContext> context);
  CudaEvent() = default;

  // Whether all that came before it in its stream has happened; true where it was never recorded.
  // Errors are those of that work: kDeviceLost after a failed launch.
  Result<bool> is_done() const;

  // Blocks until it is.
  Status wait() const;

 private:
  friend class CudaStream;
  CudaOwned<cuda::Event*, &cuda::DriverTable::destroy_event> owned_;
};

class CudaStream {
 public:
  static Result<CudaStream> create(std::shared_ptr<const CudaContext> context);
  CudaStream() = default;

  // For whoever enqueues work by itself, such as ONNX Runtime (`user_compute_stream`).
  cuda::Stream* get() const { return owned_.get(); }

  // Errors of all of these: kInvalidOption where what is copied does not fit, and the driver's.
  Status copy_to_device(const DeviceMemory& to, std::span<const std::byte> from,
                        std::size_t offset = 0);
  Status copy_to_host(std::span<std::byte> to, const DeviceMemory& from, std::size_t offset = 0);
  Status copy_on_device(const DeviceMemory& to, cuda::DeviceAddress from, std::size_t bytes,
                        std::size_t offset = 0);

  // Notes in the event how far this stream is.
  Status record(const CudaEvent& event);

  // What is enqueued from now on begins when the event, as last recorded, is done. Blocks nobody.
  Status wait_for(const CudaEvent& event);

  Result<bool> is_done() const;
  Status synchronize() const;  // blocks until all that was enqueued has happened

 private:
  CudaOwned<cuda::Stream*, &cuda::DriverTable::destroy_stream> owned_;
};

}  // namespace millrace
