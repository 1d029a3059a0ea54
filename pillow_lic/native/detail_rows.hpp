// One row of cells through each layer of detail.hpp, in vectors of 8 numbers: what detail.cpp calls, row by row.
#pragma once

#include "detail.hpp"
#include "vectors.hpp"

namespace lic {

// In memory a cell is 16 numbers: 6 of its upper row of pixels (3 colours, left and right), 2 unused, 6 of the lower row, 2 unused.
constexpr std::size_t kStored = 16, kHalf = 8, kUsed = 6, kColours = 3;
constexpr std::size_t kTile = 4, kSeen = 6;          // cells of a tile, and of what decides it
constexpr std::size_t kFrequency = kSeen * kStored;  // numbers of a tile as frequencies
constexpr std::size_t kTogether = 6;                 // tiles of a product: 12 sums of 8 numbers, for 16 registers
constexpr std::size_t kLatent = 8;                   // cells of a latent each way
constexpr std::size_t kColumns = 256;                // cells of a row that are worked on at a time: more would leave the caches
constexpr float kSpacing = 128.0f;                   // levels between two anchors
constexpr float kFineMax = 8.0f, kUnit = 16.0f, kLargest = 255 * kUnit;

constexpr std::size_t place_of(std::size_t channel) { return channel / kUsed * kHalf + channel % kUsed; }
// Of `picture`, whose channels go by colour, row and column, what is stored at a place of a half.
constexpr std::size_t plane_at(std::size_t half, std::size_t k) { return 4 * (k % kColours) + 2 * half + k / kColours; }
constexpr std::size_t plane_of(std::size_t channel) { return plane_at(channel / kUsed, channel % kUsed); }

#ifdef LIC_VECTORS

namespace {

using Whole = std::int32_t __attribute__((vector_size(32)));
using Short = std::uint16_t __attribute__((vector_size(16)));
using LooseShort = std::uint16_t __attribute__((vector_size(16), aligned(2), may_alias));

// The means of the pixels of cells by colour, and their sums over three cells, `apart` numbers from colour to colour.
LIC_MULTIPLY_ADD void sum_across(const float* row, std::size_t plane, std::size_t n, float* means, float* sums, std::size_t apart) {
  means[0] = means[n + 1] = 0.0f;
  for (std::size_t colour = 0; colour < kColours; ++colour, row += 4 * plane, sums += apart) {
    const float *a = row, *b = row + plane, *c = row + 2 * plane, *d = row + 3 * plane;
    for (std::size_t x = 0; x < n; ++x) means[x + 1] = 0.25f * (a[x] + b[x] + c[x] + d[x]);
    for (std::size_t x = 0; x < n; ++x) sums[x] = means[x] + means[x + 1] + means[x + 2];
  }
}

LIC_MULTIPLY_ADD void average(const float* above, const float* here, const float* below, const float* shares, float share,
                              std::size_t n, float* means) {
  for (std::size_t x = 0; x < n; ++x) means[x] = (above[x] + here[x] + below[x]) * (shares[x] * share);
}

// Of a latent's 8 cells in a row what stands out of the means around them, in units of `error`, and their two rows of pixels.
LIC_MULTIPLY_ADD void stand_out(const float* row, std::size_t plane, const float* means, std::size_t apart, float error, float* cells,
                                float* upper, float* lower) {
  const float scale = 1.0f / error;
  for (std::size_t half = 0; half < 2; ++half) {
    Eight pixels[8], fine[8], turned[8];
    for (std::size_t k = 0; k < kUsed; ++k) {
      Eight mean;
      load(means + k % kColours * apart, mean);
      load(row + plane_at(half, k) * plane, pixels[k]);
      fine[k] = (pixels[k] - mean) * scale;
      at_most(fine[k], kFineMax);
      at_least(fine[k], -kFineMax);
    }
    pixels[6] = pixels[7] = fine[6] = fine[7] = Eight{};
    transpose(fine, turned);
    for (std::size_t x = 0; x < 8; ++x) store(turned[x], cells + x * kStored + half * kHalf);
    transpose(pixels, turned);
    float* to = half ? lower : upper;
    for (std::size_t x = 0; x < 8; ++x) store(turned[x], to + x * kUsed);  // the next cell takes the place of what is unused
  }
}

// Tiles as frequencies; `cells` begins one before the first.
LIC_MULTIPLY_ADD void analyse(const float* cells, std::size_t tiles, float* made) {
  for (std::size_t tile = 0; tile < tiles; ++tile, cells += kTile * kStored, made += kFrequency)
    for (std::size_t half = 0; half < kStored; half += kHalf) {
      Eight d[kSeen];
      for (std::size_t i = 0; i < kSeen; ++i) load(cells + i * kStored + half, d[i]);
      const Eight a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1], c = d[4] - d[2], e = 2.0f * (d[3] - d[1]);
      const Eight f[kSeen] = {4.0f * d[0] - 5.0f * d[2] + d[4], a + b, a - b, c + e, c - e, 4.0f * d[1] - 5.0f * d[3] + d[5]};
      for (std::size_t i = 0; i < kSeen; ++i) store(f[i], made + i * kStored + half);
    }
}

// The cells of a tile from its frequencies and a sum beside them, rectified.
LIC_INLINE void synthesise(const float* frequencies, const float* beside, float* cells) {
  for (std::size_t half = 0; half < kStored; half += kHalf) {
    Eight m[kSeen], sum;
    for (std::size_t i = 0; i < kSeen; ++i) load(frequencies + i * kStored + half, m[i]);
    load(beside + half, sum);
    const Eight both = m[1] + m[2], apart = m[1] - m[2], wide = m[3] + m[4], far = m[3] - m[4];
    Eight made[kTile] = {m[0] + both + wide + sum, apart + 2.0f * far + sum, both + 4.0f * wide + sum, apart + 8.0f * far + m[5] + sum};
    for (std::size_t i = 0; i < kTile; ++i) {
      at_least(made[i], 0.0f);
      store(made[i], cells + i * kStored + half);
    }
  }
}

using Three = const float*[3];

// kTogether tiles of a layer as frequencies, out of those of three rows from number `at` on.
template <std::size_t inputs>
LIC_INLINE void multiply(const Three& rows, std::size_t at, const Detail::Kernel<inputs>& kernel, float* made) {
  for (std::size_t f = 0; f < kSeen; ++f) {
    Eight low[kTogether] = {}, high[kTogether] = {};
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t half = 0; half < 2; ++half) {
        const float* from = rows[row] + at + f * kStored + half * kHalf;
        for (std::size_t in = 0; in < inputs / 2; ++in, ++from) {
          const float* weights = kernel.weights[f][row][half * (inputs / 2) + in];
          Eight first, second;
          load(weights, first), load(weights + kHalf, second);
          LIC_SIX
          for (std::size_t i = 0; i < kTogether; ++i) {
            const float x = from[i * kFrequency];
            low[i] += first * x;
            high[i] += second * x;
          }
        }
      }
    LIC_SIX
    for (std::size_t i = 0; i < kTogether; ++i) {
      store(low[i], made + i * kFrequency + f * kStored);
      store(high[i], made + i * kFrequency + f * kStored + kHalf);
    }
  }
}

// The first layer of a row of tiles; `beside` is the sum for each of them.
LIC_MULTIPLY_ADD void enter_row(const Three& rows, const Detail::Kernel<Detail::kPlanes>& kernel, const float* beside, std::size_t tiles,
                                float* cells) {
  alignas(32) float made[kTogether * kFrequency];
  for (std::size_t tile = 0; tile < tiles; tile += kTogether) {
    multiply(rows, tile * kFrequency, kernel, made);
    for (std::size_t i = 0; i < kTogether; ++i)
      synthesise(made + i * kFrequency, beside + (tile + i) * kStored, cells + (tile + i) * kTile * kStored);
  }
}

// The other two layers: corrections of two rows of pixels, in units of the error.
LIC_MULTIPLY_ADD void leave_row(const Three& rows, const Detail::Kernel<Detail::kHidden>& kernel,
                                const float (&leave)[Detail::kHidden][kStored], const float* bias, std::size_t tiles, float* upper,
                                float* lower) {
  constexpr std::size_t kCells = kTogether * kTile;
  alignas(32) float made[kTogether * kFrequency], cells[kCells * kStored];
  for (std::size_t tile = 0; tile < tiles; tile += kTogether) {
    multiply(rows, tile * kFrequency, kernel, made);
    for (std::size_t i = 0; i < kTogether; ++i) synthesise(made + i * kFrequency, kernel.bias, cells + i * kTile * kStored);
    for (std::size_t first = 0; first < kCells; first += 6) {
      Eight low[6], high[6];
      LIC_SIX
      for (std::size_t i = 0; i < 6; ++i) load(bias, low[i]), load(bias + kHalf, high[i]);
      for (std::size_t in = 0; in < Detail::kHidden; ++in) {
        Eight one, other;
        load(leave[in], one), load(leave[in] + kHalf, other);
        LIC_SIX
        for (std::size_t i = 0; i < 6; ++i) {
          const float x = cells[(first + i) * kStored + in];
          low[i] += one * x;
          high[i] += other * x;
        }
      }
      const std::size_t to = (tile * kTile + first) * kUsed;
      LIC_SIX
      for (std::size_t i = 0; i < 6; ++i) store(low[i], upper + to + i * kUsed), store(high[i], lower + to + i * kUsed);
    }
  }
}

// The colours of a row of pixels of a latent, in sixteenths of a level, half up; what is not a number becomes 0.
LIC_MULTIPLY_ADD void show(const float* pixels, const float* corrections, float error, std::uint16_t* out) {
  for (std::size_t k = 0; k < kUsed * kLatent; k += kHalf) {
    Eight colour, correction;
    load(pixels + k, colour), load(corrections + k, correction);
    colour = (colour + correction * error) * kUnit;
    at_least(colour, 0.0f);
    at_most(colour, kLargest);
    const Whole whole = __builtin_convertvector(colour + 0.5f, Whole);
    *reinterpret_cast<LooseShort*>(out + k) = __builtin_convertvector(whole, Short);
  }
}

}  // namespace
#endif

}  // namespace lic
