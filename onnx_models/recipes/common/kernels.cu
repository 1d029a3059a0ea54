// The encoder's search through the states of dependent quantisation (pillow_lic/native/trellis.hpp), on a GPU: the same choices for
// many rows of residuals at once, one warp for each. What is not said here is said there.
#include <cuda_runtime.h>

#include <cstdint>

namespace {
constexpr int kStep = 20, kHalfStep = 13, kStates = 128, kHalf = kStates / 2, kLanes = 32;
constexpr unsigned kParity = 0xb9, kQuantiser = 0x6a;  // the checks 235 and 126 (octal), reversed
constexpr int kEscapeLengthBits = 5;
constexpr float kNever = 1e30f;

__device__ bool odd_ones(unsigned bits) { return __popc(bits) & 1; }

struct Tables {
  const int* shapes;  // of each table: where it begins in `bits`, its lowest symbol, the number of the escape
  const float* bits;
  int first, second;  // the smallest index that takes part; from a table to that of the odd quantiser
  float weight;

  __device__ float cost(int table, int value) const {
    const int begin = shapes[3 * table], low = shapes[3 * table + 1], escape = shapes[3 * table + 2];
    const int symbol = value - low;
    if (symbol >= 0 && symbol < escape) return bits[begin + symbol];
    const int folded = symbol >= escape ? 2 * (symbol - escape) : 2 * (-1 - symbol) + 1;
    return bits[begin + escape] + (kEscapeLengthBits + 31 - __clz(folded + 1));
  }

  // The nearest step; 0 instead of 1 where that is cheaper.
  __device__ int plain(float residual, int index) const {
    const int nearest = static_cast<int>(rintf(residual));
    const bool dear = (nearest == 1 || nearest == -1) &&
                      cost(index, nearest) - cost(index, 0) > weight * (2 * fabsf(residual) - 1);
    return dear ? 0 : nearest;
  }

  __device__ float with_error(int table, bool odd, float residual, int symbol) const {
    const float half_step = static_cast<float>(kHalfStep) / kStep;
    const int halves = 2 * symbol - (odd ? (symbol > 0) - (symbol < 0) : 0);
    const float error = residual - half_step * static_cast<float>(halves);
    return cost(table, symbol) + weight * error * error;
  }

  // For both parities: the best candidate among 0 and the nearest three of a quantiser, and its cost.
  __device__ void candidates(float residual, int index, bool odd, float* costs, short* symbols) const {
    const float half_step = static_cast<float>(kHalfStep) / kStep;
    const int table = index + (odd ? second : 0);
    const float shift = odd ? copysignf(1.0f, residual) : 0.0f;
    const int nearest = static_cast<int>(rintf((residual / half_step + shift) / 2));
    const float zero = with_error(table, odd, residual, 0), at = with_error(table, odd, residual, nearest);
    const float below = with_error(table, odd, residual, nearest - 1), above = with_error(table, odd, residual, nearest + 1);
    const float beside = above < below ? above : below;
    const int neighbour = above < below ? nearest + 1 : nearest - 1;
    const bool is_odd = nearest & 1;
    const float even = is_odd ? beside : at;
    costs[0] = zero <= even ? zero : even;
    symbols[0] = static_cast<short>(zero <= even ? 0 : is_odd ? neighbour : nearest);
    costs[1] = is_odd ? at : beside;
    symbols[1] = static_cast<short>(is_odd ? nearest : neighbour);
  }
};

// Of a symbol that takes part: the candidates by quantiser and parity, whence the best path came to every place, where it stands.
struct Symbol {
  short candidates[4];
  unsigned origins[4];
  int at;
};

// Costs are counted from the least, which comes back. All lanes call it together, before and after `__syncwarp`.
__device__ void from_the_least(float* costs, int lane) {
  float least = kNever;
  for (int i = lane; i < kStates; i += kLanes) least = fminf(least, costs[i]);
  for (int apart = kLanes / 2; apart; apart /= 2) least = fminf(least, __shfl_xor_sync(~0u, least, apart));
  for (int i = lane; i < kStates; i += kLanes) costs[i] -= least;
  __syncwarp();
}

__global__ void choose(const float* residuals, const short* indexes, float* steps, int n, Tables tables, Symbol* symbols) {
  __shared__ float costs[2][kStates];
  __shared__ float branches[kLanes][4];
  __shared__ unsigned origins[kLanes][4];
  const int lane = threadIdx.x;
  const long long row = static_cast<long long>(blockIdx.x) * n;
  residuals += row, indexes += row, steps += row, symbols += row;

  // Pairs 2 i and 2 i + 1 of places, i = lane and lane + 32, lead to i and i + kHalf.
  int straight[2], across[2];
  for (int j = 0; j < 2; ++j) {
    const unsigned place = 2 * (lane + j * kLanes);
    straight[j] = 2 * odd_ones(place & kQuantiser) + odd_ones(place & kParity);
    across[j] = straight[j] ^ 1;
  }
  for (int i = lane; i < kStates; i += kLanes) costs[0][i] = i ? kNever : 0;
  int now = 0, count = 0;
  __syncwarp();
  for (int start = 0; start < n; start += kLanes) {
    const int at = start + lane;
    const float residual = at < n ? residuals[at] : 0;
    const int index = at < n ? indexes[at] : 0;
    const bool takes = at < n && index >= tables.first;
    const unsigned taking = __ballot_sync(~0u, takes);
    if (takes) {
      const int slot = __popc(taking & ((1u << lane) - 1));
      Symbol& symbol = symbols[count + slot];
      tables.candidates(residual, index, false, branches[slot], symbol.candidates);
      tables.candidates(residual, index, true, branches[slot] + 2, symbol.candidates + 2);
      symbol.at = at;
    } else if (at < n) {
      steps[at] = static_cast<float>(tables.plain(residual, index));
    }
    __syncwarp();
    for (int k = 0; k < __popc(taking); ++k, ++count) {
      float* before = costs[now];
      float* after = costs[now ^= 1];
      unsigned words[4];
      for (int j = 0; j < 2; ++j) {
        const int i = lane + j * kLanes;
        const float even = before[2 * i], odd = before[2 * i + 1];
        const float on = branches[k][straight[j]], over = branches[k][across[j]];
        const bool lower = odd + over < even + on, upper = odd + on < even + over;
        after[i] = lower ? odd + over : even + on;
        after[i + kHalf] = upper ? odd + on : even + over;
        words[j] = __ballot_sync(~0u, lower), words[j + 2] = __ballot_sync(~0u, upper);
      }
      if (lane == 0)
        for (int w = 0; w < 4; ++w) symbols[count].origins[w] = words[w];
      __syncwarp();
      if (count % kLanes == kLanes - 1) from_the_least(after, lane);
    }
    __syncwarp();
  }
  if (count % kLanes) from_the_least(costs[now], lane);

  int place = 0;
  for (int i = 1; i < kStates; ++i) place = costs[now][i] < costs[now][place] ? i : place;
  for (int end = count; end > 0; end -= kLanes) {
    const int begin = end > kLanes ? end - kLanes : 0;
    __syncwarp();
    if (begin + lane < end)
      for (int w = 0; w < 4; ++w) origins[lane][w] = symbols[begin + lane].origins[w];
    __syncwarp();
    int from = 0, upper = 0;
    for (int k = end - begin - 1; k >= 0; --k) {
      const int half = place / kHalf;
      place = place % kHalf * 2 + (origins[k][place / 32] >> place % 32 & 1);
      if (k == lane) from = place, upper = half;
    }
    if (begin + lane < end) {
      const Symbol& symbol = symbols[begin + lane];
      const bool odd = odd_ones(from & kQuantiser);
      const int chosen = symbol.candidates[2 * odd + odd_ones((from + upper * kStates) & kParity)];
      const int halves = 2 * chosen - (odd ? (chosen > 0) - (chosen < 0) : 0);
      steps[symbol.at] = static_cast<float>(kHalfStep * halves) / kStep;
    }
  }
}
}  // namespace

extern "C" {
int64_t bytes_of_symbol() { return sizeof(Symbol); }

// residuals, indexes, steps (rows, n); symbols: room for as many. The error of the launch, 0 for none.
int choose_rows(const float* residuals, const short* indexes, float* steps, void* symbols, const int* shapes,
                const float* bits, void* stream, int64_t rows, int64_t n, int64_t first, int64_t second, float weight) {
  const Tables tables{shapes, bits, static_cast<int>(first), static_cast<int>(second), weight};
  choose<<<static_cast<unsigned>(rows), kLanes, 0, static_cast<cudaStream_t>(stream)>>>(
      residuals, indexes, steps, static_cast<int>(n), tables, static_cast<Symbol*>(symbols));
  return static_cast<int>(cudaGetLastError());
}
}
