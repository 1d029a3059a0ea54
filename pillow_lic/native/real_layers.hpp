// Layers in float32: what products.hpp is for whole numbers, where these would be too coarse.
//
// A row is places, each with the channels of a network one after another. Weights are stored in half precision, as in the graphs.
#pragma once

#include <cstring>
#include <vector>

#include "products.hpp"

namespace lic {

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

struct alignas(64) Outputs {
  float of[kOutputs];
};

// A layer that sees single places.
struct RealLayer {
  std::size_t inputs, outputs;   // outputs a multiple of kOutputs
  std::vector<Outputs> weights;  // by kOutputs outputs, by input
  std::vector<Outputs> bias;

  static constexpr std::size_t bytes(std::size_t inputs, std::size_t outputs) { return outputs * (4 + 2 * inputs); }

  // Of bias (outputs,) and weights (outputs, inputs).
  RealLayer(Numbers& numbers, std::size_t inputs, std::size_t outputs)
      : RealLayer{numbers.take<float>(outputs), take_halves(numbers, outputs * inputs)} {}  // braces: one after the other

  RealLayer(const std::vector<float>& first, const std::vector<float>& flat)
      : inputs(flat.size() / first.size()), outputs(first.size()), weights(outputs / kOutputs * inputs), bias(outputs / kOutputs) {
    for (std::size_t output = 0; output < outputs; ++output) {
      const std::size_t block = output / kOutputs, k = output % kOutputs;
      bias[block].of[k] = first[output];
      for (std::size_t input = 0; input < inputs; ++input) weights[block * inputs + input].of[k] = flat[output * inputs + input];
    }
  }
};

// A layer whose channels each see side x side places of their own, 0 outside the picture.
struct RealDepthwise {
  std::size_t side;
  std::vector<float> bias, weights;  // weights by row and column, then channel

  static constexpr std::size_t bytes(std::size_t side, std::size_t channels) { return channels * (4 + 2 * side * side); }

  // Of bias (channels,) and weights (channels, side, side).
  RealDepthwise(Numbers& numbers, std::size_t side, std::size_t channels)
      : side(side), bias(numbers.take<float>(channels)), weights(side * side * channels) {
    const auto flat = take_halves(numbers, weights.size());
    for (std::size_t channel = 0; channel < channels; ++channel)
      for (std::size_t k = 0; k < side * side; ++k) weights[k * channels + channel] = flat[channel * side * side + k];
  }
};

// A block of the networks, as block.hpp, bent below 0 to a tenth.
struct RealBlock {
  std::size_t channels;
  RealLayer enter;
  RealDepthwise around;
  RealLayer mix, widen, narrow;

  static constexpr std::size_t bytes(std::size_t side, std::size_t channels) {
    return 2 * RealLayer::bytes(channels, channels) + RealDepthwise::bytes(side, channels) + RealLayer::bytes(channels, 2 * channels) +
           RealLayer::bytes(2 * channels, channels);
  }

  RealBlock(Numbers& numbers, std::size_t side, std::size_t channels)
      : channels(channels), enter(numbers, channels, channels), around(numbers, side, channels), mix(numbers, channels, channels),
        widen(numbers, channels, 2 * channels), narrow(numbers, 2 * channels, channels) {}
};

}  // namespace lic
