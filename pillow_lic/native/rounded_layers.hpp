// Layers of features in float32 whose products are of whole numbers of 16 bits: what products.hpp is for, where features of one unit for
// all places would be too coarse.
//
// The features of a place are rounded to multiples of one power of two, so that the largest of them has kInputBits bits: what a place has
// hundreds of steps of, it needs to no thousandth of a step. Weights of an output are multiples of a power of two as well. The sums are whole
// numbers, and all else is one operation of IEEE 754 at a time, so that every processor finds the same features to the last bit.
//
// Rows of features are in the order of `output_at`, as products leave them.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "products.hpp"

namespace lic {

constexpr int kInputBits = 13;
constexpr float kMostReal = 0x1p40f;  // of what comes from outside

// A number of half precision; infinite ones and those that are none become large.
inline float widened(std::uint16_t half) {
  const std::uint32_t bits = (half & 0x7fffu) << 13 | (half & 0x8000u) << 16;
  float found;
  std::memcpy(&found, &bits, sizeof(found));
  return found * 0x1p112f;
}

inline std::vector<float> take_halves(Numbers& numbers, std::size_t n) {
  const auto halves = numbers.take<std::uint16_t>(n);
  std::vector<float> found(n);
  for (std::size_t i = 0; i < n; ++i) found[i] = widened(halves[i]);
  return found;
}

// A layer that sees single places.
struct RoundedLayer {
  std::size_t inputs, outputs;       // multiples of kOutputs
  std::vector<PairWeights> weights;  // by kOutputs outputs, by pair of inputs
  std::vector<float> bias, unit;     // of outputs in the order of `output_at`

  static constexpr std::size_t bytes(std::size_t inputs, std::size_t outputs) { return outputs * (4 + 2 * inputs); }

  // Of bias (outputs,) in float32 and weights (outputs, inputs) in half precision.
  RoundedLayer(Numbers& numbers, std::size_t inputs, std::size_t outputs)
      : RoundedLayer{numbers.take<float>(outputs), take_halves(numbers, outputs * inputs)} {}  // braces: one after the other

  RoundedLayer(const std::vector<float>& first, const std::vector<float>& flat)
      : inputs(flat.size() / first.size()), outputs(first.size()), weights(outputs / kOutputs * inputs / 2), bias(outputs), unit(outputs) {
    for (std::size_t n = 0; n < outputs; ++n) {
      const std::size_t output = ordered(n), block = n / kOutputs;
      const float* row = &flat[output * inputs];
      const int shift = shift_of(row, inputs);
      bias[n] = first[output];
      unit[n] = std::ldexp(1.0f, -shift);
      for (std::size_t input = 0; input < inputs; ++input)
        weights[block * inputs / 2 + input / 2].of[PairWeights::at(output % kOutputs, input % 2)] = feature(std::ldexp(row[input], shift));
    }
  }

 private:
  // The largest shift that leaves no weight more than 15 bits, and so little to their sum that none of products overflows: inputs are at most
  // 2^kInputBits, magnitudes of weights together below 2^(31 - kInputBits).
  static int shift_of(const float* row, std::size_t inputs) {
    double sum = 0, most = 0;
    for (std::size_t input = 0; input < inputs; ++input) {
      const double size = std::fabs(static_cast<double>(row[input]));
      sum += size, most = std::max(most, size);
    }
    if (!(most > 0)) return 0;
    const double room = std::ldexp(1.0, 31 - kInputBits) - 1 - static_cast<double>(inputs) / 2;  // half a unit for each that is rounded up
    return std::clamp(std::ilogb(std::min(room / sum, static_cast<double>(kMostFeature) / most)), -60, 60);
  }
};

// A layer whose channels each see side x side places of their own, 0 outside the picture; no products of whole numbers.
struct RealDepthwise {
  std::size_t side;
  std::vector<float> bias, weights;  // of channels in the order of `output_at`; weights by row and column before that

  static constexpr std::size_t bytes(std::size_t side, std::size_t channels) { return channels * (4 + 2 * side * side); }

  // Of bias (channels,) and weights (channels, side, side).
  RealDepthwise(Numbers& numbers, std::size_t side, std::size_t channels) : side(side), bias(channels), weights(side * side * channels) {
    const auto first = numbers.take<float>(channels);
    const auto flat = take_halves(numbers, weights.size());
    for (std::size_t n = 0; n < channels; ++n) {
      bias[n] = first[ordered(n)];
      for (std::size_t k = 0; k < side * side; ++k) weights[k * channels + n] = flat[ordered(n) * side * side + k];
    }
  }
};

// A block of the networks, as block.hpp, bent below 0 to a tenth.
struct RoundedBlock {
  std::size_t channels;
  RoundedLayer enter;
  RealDepthwise around;
  RoundedLayer mix, widen, narrow;

  static constexpr std::size_t bytes(std::size_t side, std::size_t channels) {
    return 2 * RoundedLayer::bytes(channels, channels) + RealDepthwise::bytes(side, channels) + RoundedLayer::bytes(channels, 2 * channels) +
           RoundedLayer::bytes(2 * channels, channels);
  }

  RoundedBlock(Numbers& numbers, std::size_t side, std::size_t channels)
      : channels(channels), enter(numbers, channels, channels), around(numbers, side, channels), mix(numbers, channels, channels),
        widen(numbers, channels, 2 * channels), narrow(numbers, 2 * channels, channels) {}
};

}  // namespace lic
