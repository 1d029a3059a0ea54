// A warp of CUDA's as 32 threads of a processor, slow and exact: enough of it to run kernels.cu where there is no GPU.
#pragma once

#include <barrier>
#include <bit>
#include <cmath>
#include <thread>
#include <vector>

#define __device__
#define __global__
#define __shared__ static

using cudaStream_t = void*;

namespace warp {
inline std::barrier<> together(32);
inline unsigned words[32];
inline float floats[32];
}  // namespace warp

struct Index {
  unsigned x;
};
inline thread_local Index threadIdx, blockIdx;

inline void __syncwarp() { warp::together.arrive_and_wait(); }
inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __clz(int bits) { return std::countl_zero(static_cast<unsigned>(bits)); }

inline unsigned __ballot_sync(unsigned, bool mine) {
  warp::words[threadIdx.x] = mine;
  __syncwarp();
  unsigned all = 0;
  for (unsigned i = 0; i < 32; ++i) all |= warp::words[i] << i;
  __syncwarp();
  return all;
}

inline float __shfl_xor_sync(unsigned, float mine, int apart) {
  warp::floats[threadIdx.x] = mine;
  __syncwarp();
  const float other = warp::floats[threadIdx.x ^ static_cast<unsigned>(apart)];
  __syncwarp();
  return other;
}

template <typename Kernel, typename... Arguments>
void launch(Kernel kernel, unsigned blocks, Arguments... arguments) {
  std::vector<std::thread> lanes;
  for (unsigned i = 0; i < 32; ++i)
    lanes.emplace_back([=] {
      threadIdx.x = i;
      for (unsigned block = 0; block < blocks; ++block) {
        __syncwarp();
        blockIdx.x = block;
        kernel(arguments...);
      }
    });
  for (auto& one : lanes) one.join();
}

inline int cudaGetLastError() { return 0; }
