// analysis.hpp: pixels on their way to latents, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "analysis.hpp"
#include "passage.hpp"

namespace lic {

namespace {

using Bending = PassageOf<Bend>;

// The sums of kOutputs outputs of a layer that sees 2x2 places, of which the upper two lie together and so do the lower two.
template <std::size_t n>
LIC_PRODUCT_INLINE void multiply_square(const Layer& layer, std::size_t block, const Feature* upper, const Feature* lower, Totals (&sums)[n]) {
  const std::size_t half = layer.inputs / 2, pairs = half / 2;
  const PairWeights* weights = &layer.weights[block * 2 * pairs];
  begin(layer.bias[block], sums);
  multiply(upper, half, pairs, weights, sums);
  multiply(lower, half, pairs, weights + pairs, sums);
}

// Such a layer over a row of `count` squares.
template <typename End>
LIC_PRODUCT LIC_APART void apply_squares(const Layer& layer, const Feature* upper, const Feature* lower, std::size_t count, Feature* to,
                                      const End& end) {
  const std::size_t half = layer.inputs / 2;
  for (std::size_t block = 0; block < layer.bias.size(); ++block) {
    const Shifts by = shifts(layer.shift[block]);
    const auto some = [&](auto n, std::size_t x) LIC_PRODUCT_HERE {
      Totals sums[n];
      multiply_square(layer, block, upper + x * half, lower + x * half, sums);
      each<n>([&](auto i) LIC_PRODUCT_HERE { end(to + (x + i) * layer.outputs + block * kOutputs, packed(down(sums[i], by))); });
    };
    std::size_t x = 0;
    for (; x + kAbreast <= count; x += kAbreast) some(std::integral_constant<std::size_t, kAbreast>{}, x);
    for (; x < count; ++x) some(std::integral_constant<std::size_t, 1>{}, x);
  }
}

// Rows through blocks, one after another; `leave(row)` takes those that come out, first row first.
class Chain {
 public:
  Chain(const std::vector<Block>& blocks, std::size_t width) {
    for (const Block& block : blocks) passages_.emplace_back(block, width);
  }

  template <typename Leave>
  LIC_PRODUCT void push(const Feature* row, const Leave& leave) {
    pass(0, row, leave);
  }

  // After the last row of the picture.
  template <typename Leave>
  LIC_PRODUCT void end(const Leave& leave) {
    for (std::size_t block = 0; block < passages_.size(); ++block)
      for (std::size_t i = 0; i < Bending::kEdge; ++i) pass(block, nullptr, leave);
  }

 private:
  template <typename Leave>
  LIC_PRODUCT void pass(std::size_t block, const Feature* row, const Leave& leave) {
    if (block == passages_.size()) return leave(row);
    row = passages_[block].push(row);
    if (row) pass(block + 1, row, leave);
  }

  std::vector<Bending> passages_;
};

// Pixels on their way to the trunk and the linear path.
class AnalysisRows {
 public:
  AnalysisRows(const Analysis& network, const std::uint8_t* pixels, const Stretch& stretch, Feature* trunk, float* linear)
      : network_(network), pixels_(pixels), stretch_(stretch), places_(2 * stretch.width), trunk_(trunk), linear_(linear),
        seen_(2 * places_ * Analysis::kInputs), entered_(places_ * network.sizes.channels), chain_(network.blocks, places_) {}

  LIC_PRODUCT void run() {
    const std::size_t first = 2 * stretch_.first, last = 2 * stretch_.last, reach = network_.reach(), height = 2 * stretch_.height;
    const std::size_t begin = (first > reach ? first - reach : 0) / 2 * 2, end = std::min(last + reach, height);
    next_ = begin;
    const auto leave = [&](const Feature* row) LIC_PRODUCT_HERE {
      const std::size_t y = next_++;
      if (y >= first && y < last) put(row, trunk_ + y * places_ * network_.sizes.features);
    };
    for (std::size_t y = begin; y < end; ++y) {
      Feature* row = &seen_[y % 2 * places_ * Analysis::kInputs];
      see(y, row);
      if (y % 2 && y >= first && y < last) leave_linear(y / 2);
      apply(network_.enter, row, places_, entered_.data(), network_.sizes.channels, Put{});
      chain_.push(entered_.data(), leave);
    }
    if (end == height) chain_.end(leave);
  }

 private:
  LIC_PRODUCT LIC_APART void see(std::size_t y, Feature* to) const {
    constexpr std::size_t kRow = Analysis::kSquare * Analysis::kColours;
    for (std::size_t row = 0; row < Analysis::kSquare; ++row) {
      const std::uint8_t* from = pixels_ + (Analysis::kSquare * y + row) * places_ * kRow;
      for (std::size_t x = 0; x < places_; ++x)
        for (std::size_t k = 0; k < kRow; ++k)
          to[x * Analysis::kInputs + row * kRow + k] = static_cast<Feature>(2 * from[x * kRow + k] - 255);
    }
  }

  LIC_PRODUCT void put(const Feature* row, Feature* to) const {
    if (network_.leave.empty()) std::copy_n(row, places_ * network_.sizes.features, to);
    else apply(network_.leave[0], row, places_, to, network_.sizes.features, Put{});
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_at(std::size_t y, std::size_t block, std::size_t x) const {
    const Layer& layer = network_.linear;
    Totals sums[n];
    multiply_square(layer, block, &seen_[2 * x * Analysis::kInputs], &seen_[(places_ + 2 * x) * Analysis::kInputs], sums);
    const Reals unit = units(layer.shift[block]);
    float* to = linear_ + (y * stretch_.width + x) * layer.outputs + block * kOutputs;
    each<n>([&](auto i) LIC_PRODUCT_HERE { stored(to + i * layer.outputs, times(reals(sums[i]), unit)); });
  }

  LIC_PRODUCT LIC_APART void leave_linear(std::size_t y) const {
    for (std::size_t block = 0; block < network_.linear.bias.size(); ++block) {
      std::size_t x = 0;
      for (; x + kAbreast <= stretch_.width; x += kAbreast) leave_at<kAbreast>(y, block, x);
      for (; x < stretch_.width; ++x) leave_at<1>(y, block, x);
    }
  }

  const Analysis& network_;
  const std::uint8_t* pixels_;
  Stretch stretch_;
  std::size_t places_, next_ = 0;
  Feature* trunk_;
  float* linear_;
  std::vector<Feature> seen_, entered_;
  Chain chain_;
};

// The trunk and the linear path on their way to latents.
class LatentRows {
 public:
  LatentRows(const Latents& network, const Feature* trunk, const float* linear, const float* level, const Stretch& stretch, float* y)
      : network_(network), trunk_(trunk), linear_(linear), level_(level), stretch_(stretch), y_(y),
        scaled_(4 * stretch.width * network.sizes.features), entered_(stretch.width * network.sizes.channels),
        made_(stretch.width * kOutputs), chain_(network.blocks, stretch.width) {}

  LIC_PRODUCT void run() {
    const std::size_t reach = network_.reach(), begin = stretch_.first > reach ? stretch_.first - reach : 0;
    const std::size_t end = std::min(stretch_.last + reach, stretch_.height), row = 2 * stretch_.width * network_.sizes.features;
    next_ = begin;
    const auto leave = [&](const Feature* features) LIC_PRODUCT_HERE {
      const std::size_t y = next_++;
      if (y >= stretch_.first && y < stretch_.last) put(y, features);
    };
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t half = 0; half < 2; ++half) scale(y, trunk_ + (2 * y + half) * row, &scaled_[half * row]);
      apply_squares(network_.enter, scaled_.data(), &scaled_[row], stretch_.width, entered_.data(), Put{});
      chain_.push(entered_.data(), leave);
    }
    if (end == stretch_.height) chain_.end(leave);
  }

 private:
  const Latents::Factors& factors(std::size_t y, std::size_t x) {
    const float level = level_[y * stretch_.width + x];
    if (!last_ || level != at_) at_ = level, last_ = &known_.at(level);
    return *last_;
  }

  // A row of the trunk times the factors of the latents y.
  LIC_PRODUCT LIC_APART void scale(std::size_t y, const Feature* from, Feature* to) {
    static constexpr Feature kOne[2][2] = {{1, 0}, {1, 0}};
    static constexpr Sums kNothing{};
    const std::size_t channels = network_.sizes.features;
    for (std::size_t x = 0; x < 2 * stretch_.width; ++x) {
      const float* by = factors(y, x / 2).trunk.data();
      for (std::size_t k = 0; k < channels; k += kOutputs) {
        Totals wide = totals(kNothing);
        add<1>(wide, coupled(loaded(from + x * channels + k), all(0)), alternating(kOne));
        stored(to + x * channels + k, nearest(times(reals(wide), reals(by + k))));
      }
    }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void put_at(std::size_t y, std::size_t block, const Feature* row, std::size_t x) {
    const Layer& layer = network_.leave;
    Totals sums[n];
    begin(layer.bias[block], sums);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, &layer.weights[block * layer.inputs / 2], sums);
    const Reals unit = units(layer.shift[block]);
    const float* straight = linear_ + (y * stretch_.width + x) * layer.outputs + block * kOutputs;
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      const Reals made = plus(times(reals(sums[i]), unit), reals(straight + i * layer.outputs));
      stored(&made_[(x + i) * kOutputs], times(made, reals(&factors(y, x + i).latents[block * kOutputs])));
    });
  }

  LIC_PRODUCT LIC_APART void put(std::size_t y, const Feature* row) {
    const std::size_t width = stretch_.width;
    for (std::size_t block = 0; block < network_.leave.bias.size(); ++block) {
      std::size_t x = 0;
      for (; x + kAbreast <= width; x += kAbreast) put_at<kAbreast>(y, block, row, x);
      for (; x < width; ++x) put_at<1>(y, block, row, x);
      for (std::size_t k = 0; k < kOutputs; ++k) {
        float* to = y_ + ((block * kOutputs + output_at(k)) * stretch_.height + y) * width;
        for (std::size_t at = 0; at < width; ++at) to[at] = made_[at * kOutputs + k];
      }
    }
  }

  const Latents& network_;
  const Feature* trunk_;
  const float *linear_, *level_;
  Stretch stretch_;
  float* y_;
  std::vector<Feature> scaled_, entered_;
  std::vector<float> made_;
  FactorsByLevel<Latents> known_{network_};
  float at_ = 0;
  const Latents::Factors* last_ = nullptr;
  std::size_t next_ = 0;
  Chain chain_;
};

}  // namespace

}  // namespace lic
