// scales.hpp: hyper-latents on their way to features, and these and magnitudes to scale indexes, compiled for one instruction set (lanes.hpp).
#pragma once

#include <map>
#include <vector>

#include "apply.hpp"
#include "scales.hpp"

namespace lic {

namespace {

// Rows of hyper-latents on their way to features.
class Ascent {
 public:
  static constexpr std::size_t kWidth = Hyper::kWidth, kFeatures = Hyper::kFeatures;

  Ascent(const Hyper& network, const float* latents, std::size_t height, std::size_t width, float* features)
      : network_(network), latents_(latents), height_(height), width_(width), features_(features), input_(width * Hyper::kLatents),
        looked_(width * kWidth), last_(2 * width * kWidth), left_(2 * width * kFeatures), around_(width, kWidth), again_(2 * width, kWidth) {}

  void run() {
    for (std::size_t y = 0; y < height_; ++y) {
      turn_row(latents_ + y * width_, height_ * width_, Hyper::kLatents, &kStep, 0, width_, input_.data(), Hyper::kLatents);
      for (Feature& number : input_) number = std::clamp<Feature>(number, -kLargest, kLargest);
      apply(network_.entry, input_.data(), width_, around_.next(), kWidth, Limit{});
      widen();
    }
    around_.next();
    widen();
    again_.next();
    leave();
  }

 private:
  static constexpr float kStep = 4.0f;
  static constexpr Feature kLargest = 4 * 127;  // others are cut, as the graph does it

  LIC_PRODUCT void widen() {
    if (!around_.ready()) return;
    look_around(network_.around, around_.window(), width_, looked_.data(), Limit{});
    for (std::size_t half = 0; half < 2; ++half) {
      Feature* row = again_.next();
      for (std::size_t column = 0; column < 2; ++column)
        apply(network_.wider[2 * half + column], looked_.data(), width_, row + column * kWidth, 2 * kWidth, Limit{});
      leave();
    }
  }

  LIC_PRODUCT void leave() {
    if (!again_.ready()) return;
    const std::size_t y = again_.row(), across = 4 * width_, plane = 4 * height_ * across;
    look_around(network_.again, again_.window(), 2 * width_, last_.data(), Limit{});
    for (std::size_t place = 0; place < 4; ++place) {
      apply(network_.leave[place], last_.data(), 2 * width_, left_.data(), kFeatures, Limit{});
      float* to = features_ + (2 * y + place / 2) * across + place % 2;
      for (std::size_t k = 0; k < kFeatures; ++k, to += plane)
        for (std::size_t x = 0; x < 2 * width_; ++x) to[2 * x] = left_[x * kFeatures + k];
    }
  }

  const Hyper& network_;
  const float* latents_;
  std::size_t height_, width_;
  float* features_;
  std::vector<Feature> input_, looked_, last_, left_;  // of a row, at its places
  Neighbours<3> around_, again_;
};

// Rows on their way to the index.
class Search {
 public:
  static constexpr std::size_t kFeatures = Stage::kFeatures, kGroups = Stage::kGroups, kOfGroup = Stage::kOfGroup;

  Search(const Stage& stage, const float* features, const float* level, const std::uint8_t* magnitudes, std::size_t height, std::size_t width,
         std::size_t first, std::size_t last, std::uint8_t* index)
      : stage_(stage), first_(2 * first), end_(2 * last), begin_(first_ ? first_ - kEdge : 0), features_(features), level_(level), magnitudes_(magnitudes), height_(height), width_(width), index_(index),
        turned_(width * kFeatures), input_(width / 2 * stage.entry[0].inputs), looked_(width * kFeatures), last_(2 * width * kFeatures),
        group_(width / 2 * kOfGroup), added_(width * 2), around_(width, kFeatures), again_(width, kFeatures) {}

  void run() {
    for (std::size_t y = begin_; y < std::min(end_ + kEdge, height_); ++y) {
      enter(y);
      step();
    }
    if (end_ < height_) return;
    around_.next();
    step();
    again_.next();
    leave();
  }

 private:
  static constexpr std::size_t kEdge = 2;  // rows that both depthwise layers look at above and below
  static constexpr float kStepOfMagnitude = 16.0f;
  static constexpr Feature kLargest = 63;  // the last index

  // So many channels of a row, times a factor, as features; `to` is the first of them.
  LIC_PRODUCT void turn_channels(const float* planes, std::size_t channels, std::size_t y, float factor, Feature* to) const {
    turn_row(planes + y * width_, height_ * width_, channels, &factor, 0, width_, to, kFeatures);
  }

  // A group of magnitudes of every other place of a row, as features; `to` is the first of them.
  LIC_PRODUCT void turn_group(std::size_t group, std::size_t y, std::size_t column, Feature* to, std::size_t apart) {
    const std::size_t count = width_ / 2;
    for (std::size_t k = 0; k < kOfGroup; ++k) {
      const std::uint8_t* row = magnitudes_ + ((group * kOfGroup + k) * height_ + y) * width_ + column;
      for (std::size_t x = 0; x < count; ++x) group_[k * count + x] = row[2 * x];
    }
    turn_row(group_.data(), count, kOfGroup, &kStepOfMagnitude, 0, count, to, apart);
  }

  LIC_PRODUCT void enter(std::size_t y) {
    turn_channels(features_, kFeatures, y, 1.0f, turned_.data());
    Feature* row = around_.next();
    for (std::size_t column = 0; column < 2; ++column) {
      const std::size_t place = y % 2 * 2 + column;
      const Layer& layer = stage_.entry[place];
      Feature* to = input_.data();
      for (std::size_t x = column; x < width_; x += 2, to += layer.inputs) {
        std::copy_n(&turned_[x * kFeatures], kFeatures, to);
        for (std::size_t k = 0; k < kAnchors; ++k) to[kFeatures + k] = static_cast<Feature>(Stage::nearness(level(y, x), k));
      }
      for (std::size_t known = 0; known < stage_.known[place].size(); ++known)
        turn_group(stage_.known[place][known], y, column, &input_[Stage::kBefore + known * kOfGroup], layer.inputs);
      apply(layer, input_.data(), width_ / 2, row + column * kFeatures, 2 * kFeatures, Limit{});
    }
  }

  LIC_PRODUCT void step() {
    if (!around_.ready()) return;
    look_around(stage_.around, around_.window(), width_, looked_.data(), Limit{});
    apply(stage_.between, looked_.data(), width_, again_.next(), kFeatures, Limit{});
    leave();
  }

  LIC_PRODUCT void leave() {
    if (!again_.ready()) return;
    const std::size_t y = begin_ + again_.row();
    if (y < first_) return;
    look_around(stage_.again, again_.window(), width_, &last_[y % 2 * width_ * kFeatures], Limit{});
    if (y % 2 == 0) return;
    for (std::size_t row = 0; row < 2; ++row)
      for (std::size_t x = 0; x < width_; ++x) added_[row * width_ + x] = added(level(y - 1 + row, x));
    for (std::size_t quarter = 0; quarter < stage_.ends.size(); ++quarter)
      for (std::size_t block = 0; block < kOfGroup / kOutputs; ++block) {
        const Shifts by = shifts(stage_.ends[quarter].shift[block]);
        std::size_t cell = 0;
        for (; cell + kAbreast <= width_ / 2; cell += kAbreast) leave_cells<kAbreast>(quarter, block, by, y / 2, cell);
        for (; cell < width_ / 2; ++cell) leave_cells<1>(quarter, block, by, y / 2, cell);
      }
  }

  // kOutputs indexes of n cells.
  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_cells(std::size_t quarter, std::size_t block, const Shifts& by, std::size_t row, std::size_t cell) {
    const Layer& layer = stage_.ends[quarter];
    const std::size_t place = stage_.places[quarter], at = place / 2 * width_ + 2 * cell + place % 2;
    Totals sums[n];
    begin(layer.bias[block], sums);
    multiply(&last_[at * kFeatures], 2 * kFeatures, kFeatures / 2, &layer.weights[block * kFeatures / 2], sums);
    Feature made[n][kOutputs];
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      const Sums& more = (*added_[at + 2 * i])[quarter * (kOfGroup / kOutputs) + block];
      stored(made[i], at_most(at_least(packed(down<4>(plus(down(sums[i], by), totals(more)))), 0), kLargest));
    });
    const std::size_t plane = height_ * width_ / 4;
    std::uint8_t* to = index_ + (quarter * kOfGroup + block * kOutputs) * plane + row * (width_ / 2) + cell;
    for (std::size_t k = 0; k < kOutputs; ++k, to += plane)
      for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<std::uint8_t>(made[i][k]);
  }

  LIC_PRODUCT std::int32_t level(std::size_t y, std::size_t x) const { return feature(level_[y * width_ + x]); }

  const std::vector<Sums>* added(std::int32_t level) {
    auto found = known_levels_.find(level);
    if (found == known_levels_.end()) found = known_levels_.emplace(level, stage_.added(level)).first;
    return &found->second;
  }

  const Stage& stage_;
  std::size_t first_, end_, begin_;  // rows that are found, and the first that is looked at
  const float *features_, *level_;
  const std::uint8_t* magnitudes_;
  std::size_t height_, width_;
  std::uint8_t* index_;
  std::map<std::int32_t, std::vector<Sums>> known_levels_;
  std::vector<Feature> turned_, input_, looked_, last_;  // of a row, the input of every other place; the last layer's of two
  std::vector<float> group_;
  std::vector<const std::vector<Sums>*> added_;
  Neighbours<3> around_, again_;
};

}  // namespace

}  // namespace lic
