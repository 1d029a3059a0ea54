// A block of the networks (`onnx_models.recipes.lic1`) in whole numbers, row by row, while the rows are in the caches:
//
//     s + 1x1(depthwise 5x5(rectified 1x1(s))), and then s + 1x1(rectified 1x1(s)) with twice the channels between
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "products.hpp"

namespace lic {

constexpr std::size_t kSide = 5, kEdge = kSide / 2;      // places that a depthwise layer sees, and those on one side of its own
constexpr std::size_t kRowPairs = (kSide + 1) / 2;       // its rows come in pairs, of which the last has one row
constexpr std::size_t kSeenPairs = kSide * kRowPairs;

// A depthwise layer: each channel sees 5x5 places of its own.
struct Depthwise {
  std::vector<PairWeights> weights;  // by kOutputs channels, then by column and pair of rows
  std::vector<Sums> bias, shift;

  static constexpr std::size_t bytes(std::size_t channels) { return channels * (2 * 4 + 2 * kSide * kSide); }

  // Of bias (channels,), shift (channels,) and weights (channels, 5, 5), as `Layer`.
  Depthwise(Numbers& numbers, std::size_t channels)
      : weights(channels / kOutputs * kSeenPairs), bias(channels / kOutputs), shift(bias.size()) {
    const auto first = numbers.take<std::int32_t>(channels), shifts = numbers.take<std::int32_t>(channels);
    const auto flat = numbers.take<Feature>(channels * kSide * kSide);
    for (std::size_t block = 0; block < bias.size(); ++block)
      for (std::size_t k = 0; k < kOutputs; ++k) {
        const std::size_t channel = block * kOutputs + output_at(k);
        bias[block].of[k] = first[channel];
        shift[block].of[k] = shifts[channel];
        for (std::size_t column = 0; column < kSide; ++column)
          for (std::size_t row = 0; row < 2 * kRowPairs; ++row)
            weights[block * kSeenPairs + column * kRowPairs + row / 2].of[k][row % 2] =
                row < kSide ? flat[(channel * kSide + row) * kSide + column] : Feature{0};
      }
  }
};

struct Block {
  std::size_t channels;
  Feature slope;
  Layer enter;
  Depthwise around;
  Layer mix, widen, narrow;

  static constexpr std::size_t bytes(std::size_t channels) {
    return 2 * Layer::bytes(channels, channels) + Depthwise::bytes(channels) + Layer::bytes(channels, 2 * channels) +
           Layer::bytes(2 * channels, channels);
  }

  Block(Numbers& numbers, std::size_t channels, Feature slope)
      : channels(channels), slope(slope), enter(numbers, channels, channels), around(numbers, channels), mix(numbers, channels, channels),
        widen(numbers, channels, 2 * channels), narrow(numbers, 2 * channels, channels) {}
};

#ifdef LIC_PRODUCTS

namespace {

constexpr std::size_t kStretch = 32;  // places of a row that a depthwise layer has in pairs at a time: more would leave the nearest cache

using Window = std::array<const Feature*, kSide>;  // rows that begin kEdge places before the first
using Paired = __m256i[kRowPairs][2];              // the rows of a place in pairs, for both registers of sums

template <std::size_t n>
LIC_PRODUCT_INLINE void see(const Depthwise& layer, std::size_t block, const Paired* seen, Feature* to, std::size_t channels) {
  __m256i low[n], high[n];
  begin(layer.bias[block], low, high);
  for (std::size_t column = 0; column < kSide; ++column)
    for (std::size_t pair = 0; pair < kRowPairs; ++pair) {
      const PairWeights& weights = layer.weights[block * kSeenPairs + column * kRowPairs + pair];
      const __m256i first = loaded(weights.of), second = loaded(weights.of + 8);
      LIC_TOGETHER
      for (std::size_t i = 0; i < n; ++i) {
        low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(seen[i + column][pair][0], first));
        high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(seen[i + column][pair][1], second));
      }
    }
  const __m256i first = loaded(layer.shift[block].of), second = loaded(layer.shift[block].of + 8);
  LIC_TOGETHER
  for (std::size_t i = 0; i < n; ++i)
    stored(to + i * channels, _mm256_packs_epi32(_mm256_srav_epi32(low[i], first), _mm256_srav_epi32(high[i], second)));
}

// A depthwise layer over a row of `count` places.
LIC_PRODUCT inline void look_around(const Depthwise& layer, const Window& rows, std::size_t count, Feature* to) {
  const std::size_t channels = layer.bias.size() * kOutputs;
  Paired seen[kStretch + 2 * kEdge];
  for (std::size_t block = 0; block < layer.bias.size(); ++block)
    for (std::size_t first = 0; first < count; first += kStretch) {
      const std::size_t here = std::min(kStretch, count - first);
      for (std::size_t x = 0; x < here + 2 * kEdge; ++x)
        for (std::size_t pair = 0; pair < kRowPairs; ++pair) {
          const std::size_t at = (first + x) * channels + block * kOutputs;
          const __m256i upper = loaded(rows[2 * pair] + at), lower = 2 * pair + 1 < kSide ? loaded(rows[2 * pair + 1] + at) : _mm256_setzero_si256();
          seen[x][pair][0] = _mm256_unpacklo_epi16(upper, lower);
          seen[x][pair][1] = _mm256_unpackhi_epi16(upper, lower);
        }
      Feature* out = to + first * channels + block * kOutputs;
      std::size_t x = 0;
      for (; x + kAbreast <= here; x += kAbreast) see<kAbreast>(layer, block, seen + x, out + x * channels, channels);
      for (; x < here; ++x) see<1>(layer, block, seen + x, out + x * channels, channels);
    }
}

// Rows on their way through a block; outside the picture its depthwise layer sees 0.
class Passage {
 public:
  Passage(const Block& block, std::size_t width)
      : block_(block), width_(width), around_(kSide * margined()), rows_(kKept * width * block.channels), looked_(width * block.channels),
        wide_(2 * width * block.channels) {}

  // Takes the next row, or nullptr after the last one; returns the row that came kEdge calls before, nullptr before the first one.
  LIC_PRODUCT Feature* push(const Feature* row) {
    Feature* entered = &around_[taken_ % kSide * margined()];
    std::fill_n(entered, margined(), Feature{0});
    if (row) {
      std::copy_n(row, width_ * block_.channels, this->row(taken_));
      apply(block_.enter, row, width_, entered + kEdge * block_.channels, block_.channels, Rectify{block_.slope});
    }
    if (++taken_ <= kEdge) return nullptr;
    const std::size_t y = taken_ - 1 - kEdge;
    Feature* s = this->row(y);
    Window window;
    for (std::size_t i = 0; i < kSide; ++i) window[i] = &around_[(y + kSide - kEdge + i) % kSide * margined()];
    look_around(block_.around, window, width_, looked_.data());
    apply(block_.mix, looked_.data(), width_, s, block_.channels, Add{});
    apply(block_.widen, s, width_, wide_.data(), 2 * block_.channels, Rectify{block_.slope});
    apply(block_.narrow, wide_.data(), width_, s, block_.channels, Add{});
    return s;
  }

 private:
  static constexpr std::size_t kKept = kEdge + 1;
  std::size_t margined() const { return (width_ + 2 * kEdge) * block_.channels; }
  Feature* row(std::size_t y) { return &rows_[y % kKept * width_ * block_.channels]; }

  const Block& block_;
  std::size_t width_, taken_ = 0;
  std::vector<Feature> around_, rows_, looked_, wide_;
};

}  // namespace
#endif

}  // namespace lic
