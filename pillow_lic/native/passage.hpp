// block.hpp row by row, while the rows are in the caches, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "apply.hpp"
#include "block.hpp"

namespace lic {

namespace {

// First places, and last ones, of the rows of a block that are only looked at by those inside.
struct Margin {
  std::size_t top = 0, left = 0, right = 0;
};

// Rows on their way through a block, which are bent by `Bent`.
template <typename Bent>
class PassageOf {
 public:
  static constexpr std::size_t kEdge = Block::kSide / 2;

  PassageOf(const Block& block, std::size_t width, const Margin& margin = {})
      : block_(block), width_(width), margin_(margin), inside_(width - margin.left - margin.right), around_(width, block.channels),
        rows_(kKept * width * block.channels), looked_(inside_ * block.channels), wide_(2 * inside_ * block.channels), pairs_(inside_, 2 * block.channels) {}

  // Takes the next row, or nullptr after the last one; returns what is inside of the row that came kEdge calls before, nullptr before the
  // first one inside.
  LIC_PRODUCT Feature* push(const Feature* row) {
    Feature* entered = around_.next();
    if (row) {
      std::copy_n(row, width_ * block_.channels, this->row(taken_++));
      apply(block_.enter, row, width_, entered, block_.channels, Bent{});
    }
    if (!around_.ready() || around_.row() < margin_.top) return nullptr;
    Feature* s = this->row(around_.row()) + margin_.left * block_.channels;
    auto seen = around_.window();
    for (const Feature*& one : seen) one += margin_.left * block_.channels;
    look_around(block_.around, seen, inside_, looked_.data(), Put{});
    apply(block_.mix, looked_.data(), inside_, s, block_.channels, Add{});
    apply(block_.widen, s, inside_, wide_.data(), 2 * block_.channels, Bent{});
    if constexpr (Bent::kLeavesZeros) {
      pairs_.find(wide_.data(), inside_);
      apply(block_.narrow, wide_.data(), pairs_, inside_, s, block_.channels, Add{});
    } else {
      apply(block_.narrow, wide_.data(), inside_, s, block_.channels, Add{});
    }
    return s;
  }

 private:
  static constexpr std::size_t kKept = kEdge + 1;
  Feature* row(std::size_t y) { return &rows_[y % kKept * width_ * block_.channels]; }

  const Block& block_;
  std::size_t width_, taken_ = 0;
  Margin margin_;
  std::size_t inside_;  // how many places
  Neighbours<Block::kSide> around_;
  std::vector<Feature> rows_, looked_, wide_;
  PairsOfRow pairs_;
};

using Passage = PassageOf<Rectify>;

}  // namespace

}  // namespace lic
