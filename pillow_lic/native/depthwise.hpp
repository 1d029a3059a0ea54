// Depthwise layers in whole numbers, as products.hpp: each channel sees side x side places of its own, 0 outside the picture.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "products.hpp"

namespace lic {

// Its rows come in pairs, of which the last has one row.
template <std::size_t side>
struct Depthwise {
  static constexpr std::size_t kRowPairs = (side + 1) / 2, kSeen = side * kRowPairs;

  std::vector<PairWeights> weights;  // by kOutputs channels, then by column and pair of rows
  std::vector<Sums> bias, shift;

  static constexpr std::size_t bytes(std::size_t channels) { return channels * (2 * 4 + 2 * side * side); }

  // Of bias (channels,), shift (channels,) and weights (channels, side, side), as `Layer`.
  Depthwise(Numbers& numbers, std::size_t channels) : weights(channels / kOutputs * kSeen), bias(channels / kOutputs), shift(bias.size()) {
    const auto first = numbers.take<std::int32_t>(channels), shifts = numbers.take<std::int32_t>(channels);
    const auto flat = numbers.take<Feature>(channels * side * side);
    for (std::size_t block = 0; block < bias.size(); ++block)
      for (std::size_t k = 0; k < kOutputs; ++k) {
        const std::size_t channel = block * kOutputs + output_at(k);
        bias[block].of[k] = first[channel];
        shift[block].of[k] = shifts[channel];
        for (std::size_t column = 0; column < side; ++column)
          for (std::size_t row = 0; row < side; ++row)
            weights[block * kSeen + column * kRowPairs + row / 2].of[k][row % 2] = flat[(channel * side + row) * side + column];
      }
  }
};

#ifdef LIC_PRODUCTS

namespace {

constexpr std::size_t kStretch = 32;  // places of a row that a depthwise layer has in pairs at a time: more would leave the nearest cache

// Rows as they come, those around one for a depthwise layer.
template <std::size_t side>
class Neighbours {
 public:
  static constexpr std::size_t kEdge = side / 2;
  using Window = std::array<const Feature*, side>;  // rows that begin kEdge places before the first

  Neighbours(std::size_t width, std::size_t channels) : channels_(channels), size_((width + 2 * kEdge) * channels), rows_(side * size_) {}

  // The places of the next row, which are 0 until they are written.
  Feature* next() {
    Feature* row = &rows_[taken_++ % side * size_];
    std::fill_n(row, size_, Feature{0});
    return row + kEdge * channels_;
  }

  // Whether there are rows around one: the row that came kEdge before.
  bool ready() const { return taken_ > kEdge; }
  std::size_t row() const { return taken_ - 1 - kEdge; }
  Window window() const {
    Window found;
    for (std::size_t i = 0; i < side; ++i) found[i] = &rows_[(row() + side - kEdge + i) % side * size_];
    return found;
  }

 private:
  std::size_t channels_, size_, taken_ = 0;
  std::vector<Feature> rows_;
};

template <std::size_t side>
using Paired = __m256i[Depthwise<side>::kRowPairs][2];  // the rows of a place in pairs, for both registers of sums

template <std::size_t n, std::size_t side, typename End>
LIC_PRODUCT_INLINE void see(const Depthwise<side>& layer, std::size_t block, const Paired<side>* seen, Feature* to, std::size_t channels,
                            const End& end) {
  using Its = Depthwise<side>;
  __m256i low[n], high[n];
  begin(layer.bias[block], low, high);
  for (std::size_t column = 0; column < side; ++column)
    for (std::size_t pair = 0; pair < Its::kRowPairs; ++pair) {
      const PairWeights& weights = layer.weights[block * Its::kSeen + column * Its::kRowPairs + pair];
      const __m256i first = loaded(weights.of), second = loaded(weights.of + 8);
      LIC_TOGETHER
      for (std::size_t i = 0; i < n; ++i) {
        low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(seen[i + column][pair][0], first));
        high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(seen[i + column][pair][1], second));
      }
    }
  const __m256i first = loaded(layer.shift[block].of), second = loaded(layer.shift[block].of + 8);
  LIC_TOGETHER
  for (std::size_t i = 0; i < n; ++i) end(to + i * channels, shifted(low[i], high[i], first, second));
}

// A depthwise layer over a row of `count` places.
template <std::size_t side, typename End>
LIC_PRODUCT inline void look_around(const Depthwise<side>& layer, const typename Neighbours<side>::Window& rows, std::size_t count,
                                    Feature* to, const End& end) {
  const std::size_t channels = layer.bias.size() * kOutputs;
  Paired<side> seen[kStretch + side - 1];
  for (std::size_t block = 0; block < layer.bias.size(); ++block)
    for (std::size_t first = 0; first < count; first += kStretch) {
      const std::size_t here = std::min(kStretch, count - first);
      for (std::size_t x = 0; x < here + side - 1; ++x)
        for (std::size_t pair = 0; pair < Depthwise<side>::kRowPairs; ++pair) {
          const std::size_t at = (first + x) * channels + block * kOutputs;
          const __m256i upper = loaded(rows[2 * pair] + at);
          const __m256i lower = 2 * pair + 1 < side ? loaded(rows[2 * pair + 1] + at) : _mm256_setzero_si256();
          seen[x][pair][0] = _mm256_unpacklo_epi16(upper, lower);
          seen[x][pair][1] = _mm256_unpackhi_epi16(upper, lower);
        }
      Feature* out = to + first * channels + block * kOutputs;
      std::size_t x = 0;
      for (; x + kAbreast <= here; x += kAbreast) see<kAbreast>(layer, block, seen + x, out + x * channels, channels, end);
      for (; x < here; ++x) see<1>(layer, block, seen + x, out + x * channels, channels, end);
    }
}

}  // namespace
#endif

}  // namespace lic
