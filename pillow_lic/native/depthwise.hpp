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
            weights[block * kSeen + column * kRowPairs + row / 2].of[PairWeights::at(channel % kOutputs, row % 2)] = flat[(channel * side + row) * side + column];
      }
  }
};

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

}  // namespace lic
