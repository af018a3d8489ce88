// CUDA C++ compiled as C++ and run on the host, to test the arithmetic of kernels: each thread of a
// block is a thread, the blocks of a grid come one after the other. A kernel's file is included
// where the macros that it asks for are defined.
#pragma once

#include <barrier>
#include <cmath>
#include <thread>
#include <vector>

namespace millrace::on_host {

struct Index {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;
};

inline thread_local Index threadIdx;
inline thread_local Index blockIdx;
inline Index blockDim;
inline Index gridDim;
inline std::barrier<>* block_barrier = nullptr;

// Blocks of one dimension.
template <class Kernel, class... Arguments>
void launch(Kernel kernel, Index grid, unsigned threads, Arguments... arguments) {
  gridDim = grid;
  blockDim = {threads, 1, 1};
  for (unsigned block = 0; block < grid.x * grid.y; ++block) {
    std::barrier<> barrier(threads);
    block_barrier = &barrier;
    std::vector<std::jthread> running;
    for (unsigned thread = 0; thread < threads; ++thread) {
      running.emplace_back([=] {
        blockIdx = {block % grid.x, block / grid.x, 0};
        threadIdx = {thread, 0, 0};
        kernel(arguments...);
      });
    }
  }
}

}  // namespace millrace::on_host

#define __global__
#define __device__
#define __shared__ static
#define __syncthreads() millrace::on_host::block_barrier->arrive_and_wait()
