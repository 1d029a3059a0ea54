// A block of the networks (`onnx_models.recipes.lic1`) in whole numbers:
//
//     s + 1x1(depthwise 5x5(rectified 1x1(s))), and then s + 1x1(rectified 1x1(s)) with twice the channels between
#pragma once

#include "depthwise.hpp"

namespace lic {

struct Block {
  static constexpr std::size_t kSide = 5;

  std::size_t channels;
  Layer enter;
  Depthwise<kSide> around;
  Layer mix, widen, narrow;

  static constexpr std::size_t bytes(std::size_t channels) {
    return 2 * Layer::bytes(channels, channels) + Depthwise<kSide>::bytes(channels) + Layer::bytes(channels, 2 * channels) +
           Layer::bytes(2 * channels, channels);
  }

  Block(Numbers& numbers, std::size_t channels)
      : channels(channels), enter(numbers, channels, channels), around(numbers, channels), mix(numbers, channels, channels),
        widen(numbers, channels, 2 * channels), narrow(numbers, 2 * channels, channels) {}
};

}  // namespace lic
