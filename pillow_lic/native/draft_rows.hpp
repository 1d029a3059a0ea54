// draft.hpp: latents on their way to the pixels of a draft, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "apply.hpp"
#include "draft.hpp"

namespace lic {

namespace {

// Rows of latents on their way to pixels.
class DraftRows {
 public:
  DraftRows(const Draft& network, const float* latents, const float* level, const Stretch& stretch, std::uint8_t* pixels)
      : network_(network), latents_(latents), level_(level), stretch_(stretch), pixels_(pixels), size_((stretch.width + 2) * network.sizes.latents),
        seen_(kSide * size_), made_(stretch.width * network.sizes.outputs()) {}

  LIC_PRODUCT void run() {
    if (stretch_.first) see(stretch_.first - 1);
    see(stretch_.first);
    for (std::size_t y = stretch_.first; y < stretch_.last; ++y) {
      see(y + 1);
      for (std::size_t block = 0; block < network_.layer.bias.size(); ++block) {
        std::size_t x = 0;
        for (; x + kAbreast <= stretch_.width; x += kAbreast) make_at<kAbreast>(y, block, x);
        for (; x < stretch_.width; ++x) make_at<1>(y, block, x);
      }
      put(y);
    }
  }

 private:
  static constexpr std::size_t kSide = 3;

  // The places of row y, from one before the first on; rows begin at -1.
  Feature* row(std::size_t y) { return &seen_[(y + 1) % kSide * size_]; }

  // Row y of the latents as features, 0 outside the picture.
  LIC_PRODUCT LIC_APART void see(std::size_t y) {
    const std::size_t channels = network_.sizes.latents, width = stretch_.width;
    Feature* to = row(y) + channels;
    if (y == stretch_.height) {
      std::fill_n(to, width * channels, Feature{0});
      return;
    }
    const float* level = level_ + y * width;
    for (std::size_t x = 0, n = 0; x < width; x += n) {  // stretches of one level
      n = static_cast<std::size_t>(std::find_if(level + x, level + width, [&](float other) { return !(other == level[x]); }) - level) - x;
      n = std::max<std::size_t>(n, 1);  // a level that is no number
      turn_row(latents_ + y * width + x, stretch_.height * width, channels, known_.at(level[x]).data(), 1, n, to + x * channels, channels);
    }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void make_at(std::size_t y, std::size_t block, std::size_t x) {
    const Layer& layer = network_.layer;
    const std::size_t channels = network_.sizes.latents, pairs = network_.sizes.near / 2;
    const PairWeights* weights = &layer.weights[block * layer.inputs / 2];
    Totals sums[n];
    begin(layer.bias[block], sums);
    multiply(row(y) + (x + 1) * channels, channels, channels / 2, weights, sums);
    weights += channels / 2;
    for (std::size_t near = 0; near < Draft::kNeighbours; ++near, weights += pairs) {
      const std::size_t place = near < Draft::kNeighbours / 2 ? near : near + 1;  // of 3x3
      multiply(row(y + place / kSide - 1) + (x + place % kSide) * channels, channels, pairs, weights, sums);
    }
    const Shifts by = shifts(layer.shift[block]);
    each<n>([&](auto i) LIC_PRODUCT_HERE { Limit{}(&made_[(x + i) * layer.outputs + block * kOutputs], packed(down(sums[i], by))); });
  }

  // The pixels of row y of the latents.
  void put(std::size_t y) {
    const std::size_t side = network_.sizes.side, outputs = network_.layer.outputs, each = side * Draft::kColours;
    for (std::size_t down = 0; down < side; ++down) {
      std::uint8_t* to = pixels_ + (y * side + down) * stretch_.width * each;
      const Feature* from = &made_[down * each];
      for (std::size_t x = 0; x < stretch_.width; ++x, from += outputs)
        for (std::size_t k = 0; k < each; ++k) *to++ = static_cast<std::uint8_t>(from[k]);
    }
  }

  const Draft& network_;
  const float *latents_, *level_;
  Stretch stretch_;
  std::uint8_t* pixels_;
  std::size_t size_;
  std::vector<Feature> seen_, made_;
  FactorsByLevel<Draft> known_{network_};
};

}  // namespace

}  // namespace lic
