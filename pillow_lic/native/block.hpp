// A block of the networks (`onnx_models.recipes.lic1`) in whole numbers, row by row, while the rows are in the caches:
//
//     s + 1x1(depthwise 5x5(rectified 1x1(s))), and then s + 1x1(rectified 1x1(s)) with twice the channels between
#pragma once

#include <algorithm>
#include <vector>

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

#ifdef LIC_PRODUCTS

namespace {

// Rows on their way through a block.
class Passage {
 public:
  static constexpr std::size_t kEdge = Block::kSide / 2;

  Passage(const Block& block, std::size_t width)
      : block_(block), width_(width), around_(width, block.channels), rows_(kKept * width * block.channels),
        looked_(width * block.channels), wide_(2 * width * block.channels) {}

  // Takes the next row, or nullptr after the last one; returns the row that came kEdge calls before, nullptr before the first one.
  LIC_PRODUCT Feature* push(const Feature* row) {
    Feature* entered = around_.next();
    if (row) {
      std::copy_n(row, width_ * block_.channels, this->row(taken_++));
      apply(block_.enter, row, width_, entered, block_.channels, Rectify{});
    }
    if (!around_.ready()) return nullptr;
    Feature* s = this->row(around_.row());
    look_around(block_.around, around_.window(), width_, looked_.data(), Put{});
    apply(block_.mix, looked_.data(), width_, s, block_.channels, Add{});
    apply(block_.widen, s, width_, wide_.data(), 2 * block_.channels, Rectify{});
    apply(block_.narrow, wide_.data(), width_, s, block_.channels, Add{});
    return s;
  }

 private:
  static constexpr std::size_t kKept = kEdge + 1;
  Feature* row(std::size_t y) { return &rows_[y % kKept * width_ * block_.channels]; }

  const Block& block_;
  std::size_t width_, taken_ = 0;
  Neighbours<Block::kSide> around_;
  std::vector<Feature> rows_, looked_, wide_;
};

}  // namespace
#endif

}  // namespace lic
