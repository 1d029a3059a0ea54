// synthesis.hpp: latents on their way to a picture, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "passage.hpp"
#include "synthesis.hpp"

namespace lic {

namespace {

using Factors = Synthesis::Factors;

// Rows of latents on their way to the picture.
class Course {
 public:
  Course(const Synthesis& network, const float* latents, const float* level, std::size_t height, std::size_t width, float* picture,
         float* context)
      : network_(network), latents_(latents), level_(level), height_(height), width_(width), picture_(picture), context_(context),
        straight_(kHeld * width * Synthesis::kLatents), entered_(width * Synthesis::kCoarse), wider_(4 * width * Synthesis::kFine),
        factors_(kHeld * width), coarse_(network.coarse, width) {
    for (const Block& block : network.blocks) fine_.emplace_back(block, 2 * width);
  }

  void run() {
    for (std::size_t y = 0; y < height_ + kEdge; ++y) {
      if (y < height_) enter(y);
      if (const Feature* row = coarse_.push(y < height_ ? entered_.data() : nullptr)) {
        widen(y - kEdge, row);
        for (std::size_t half = 0; half < 2; ++half) pass(0, &wider_[half * 2 * width_ * Synthesis::kFine]);
      }
    }
    for (std::size_t block = 0; block < fine_.size(); ++block)
      for (std::size_t i = 0; i < kEdge; ++i) pass(block, nullptr);
  }

 private:
  static constexpr std::size_t kHeld = 8;  // rows of latents that are held: a row of the picture is done when those up to 5 below have come
  static constexpr std::size_t kEdge = Passage::kEdge;

  Feature* straight(std::size_t y) { return &straight_[y % kHeld * width_ * Synthesis::kLatents]; }
  const Factors** factors(std::size_t y) { return &factors_[y % kHeld * width_]; }

  const Factors* factors_at(float level) {
    level = level > 0.0f ? std::min(level, Synthesis::kLargestLevel) : 0.0f;  // what is no number too
    auto found = known_.find(level);
    if (found == known_.end()) found = known_.emplace(level, network_.factors(level)).first;
    return &found->second;
  }

  // Row y of the latents as features, and the entry.
  LIC_PRODUCT void enter(std::size_t y) {
    const Factors** own = factors(y);
    for (std::size_t x = 0; x < width_; ++x) {
      const bool same = x && level_[y * width_ + x] == level_[y * width_ + x - 1];
      own[x] = same ? own[x - 1] : factors_at(level_[y * width_ + x]);
    }
    Feature* row = straight(y);
    for (std::size_t x = 0, n = 0; x < width_; x += n) {  // stretches of one level
      n = static_cast<std::size_t>(std::find_if(own + x, own + width_, [&](const Factors* other) { return other != own[x]; }) - own) - x;
      turn_row(latents_ + y * width_ + x, height_ * width_, Synthesis::kLatents, own[x]->latents.data(), 1, n, row + x * Synthesis::kLatents,
               Synthesis::kLatents);
    }
    apply(network_.entry, row, width_, entered_.data(), Synthesis::kCoarse, Put{});
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void widen_at(std::size_t y, std::size_t block, const Feature* row, std::size_t x) {
    constexpr std::size_t kBlocksOfPlace = Synthesis::kFine / kOutputs;
    const std::size_t place = block / kBlocksOfPlace, first = block % kBlocksOfPlace * kOutputs;
    const Layer& layer = network_.wider;
    Totals sums[n];
    begin(layer.bias[block], sums);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, &layer.weights[block * layer.inputs / 2], sums);
    const Reals unit = units(layer.shift[block]);
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      Feature* to = &wider_[(place / 2 * 2 * width_ + 2 * (x + i) + place % 2) * Synthesis::kFine + first];
      stored(to, nearest(times(times(reals(sums[i]), unit), reals(&factors(y)[x + i]->fine[first]))));
    });
  }

  // Two fine rows of a coarse one.
  LIC_PRODUCT void widen(std::size_t y, const Feature* row) {
    for (std::size_t block = 0; block < network_.wider.bias.size(); ++block) {
      std::size_t x = 0;
      for (; x + kAbreast <= width_; x += kAbreast) widen_at<kAbreast>(y, block, row, x);
      for (; x < width_; ++x) widen_at<1>(y, block, row, x);
    }
  }

  // Gives a row, or nullptr after the last one, to a block and what it returns to those behind it.
  void pass(std::size_t block, const Feature* row) {
    row = fine_[block].push(row);
    if (!row) return;
    if (block + 1 < fine_.size()) {
      pass(block + 1, row);
    } else {
      leave(left_, row);
      leave_context(left_, row);
      ++left_;
    }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_at(std::size_t y, std::size_t plane, std::size_t half, const Feature* row, std::size_t x) {
    const std::size_t place = y % 2 * 2 + half;
    Totals sums[n];
    begin(network_.bias[plane], sums);
    multiply(straight(y / 2) + x * Synthesis::kLatents, Synthesis::kLatents, Synthesis::kLatents / 2,
             &network_.straight[(place * Synthesis::kPlanes + plane) * Synthesis::kLatents / 2], sums);
    multiply(row + (2 * x + half) * Synthesis::kFine, 2 * Synthesis::kFine, Synthesis::kFine / 2,
             &network_.last[plane * Synthesis::kFine / 2], sums);
    constexpr float kLevel = 1.0f / static_cast<float>(1 << Synthesis::kPictureBits);
    const std::size_t width = 8 * width_;
    each<n>([&](auto i) LIC_PRODUCT_HERE { stored_square(picture_ + (plane * 8 * height_ + 4 * y) * width + 4 * (2 * (x + i) + half), width, times(reals(sums[i]), kLevel)); });
  }

  // Row y at 1/8 of the picture, from its features and the latents.
  LIC_PRODUCT void leave(std::size_t y, const Feature* row) {
    for (std::size_t plane = 0; plane < Synthesis::kPlanes; ++plane)
      for (std::size_t half = 0; half < 2; ++half) {
        std::size_t x = 0;
        for (; x + kAbreast <= width_; x += kAbreast) leave_at<kAbreast>(y, plane, half, row, x);
        for (; x < width_; ++x) leave_at<1>(y, plane, half, row, x);
      }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_context_at(std::size_t y, const Feature* row, std::size_t x) {
    const Layer& layer = network_.to_context;
    Totals sums[n];
    begin(layer.bias[0], sums);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, layer.weights.data(), sums);
    const Reals unit = units(layer.shift[0]);
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      float made[kOutputs];
      stored(made, plus(times(reals(sums[i]), unit), reals(factors(y / 2)[(x + i) / 2]->context.data())));
      for (std::size_t k = 0; k < kOutputs; ++k) context_[(output_at(k) * 2 * height_ + y) * 2 * width_ + x + i] = made[k];
    });
  }

  LIC_PRODUCT void leave_context(std::size_t y, const Feature* row) {
    std::size_t x = 0;
    for (; x + kAbreast <= 2 * width_; x += kAbreast) leave_context_at<kAbreast>(y, row, x);
    for (; x < 2 * width_; ++x) leave_context_at<1>(y, row, x);
  }

  const Synthesis& network_;
  const float *latents_, *level_;
  std::size_t height_, width_;
  float *picture_, *context_;
  std::vector<Feature> straight_, entered_, wider_;
  std::map<float, Factors> known_;
  std::vector<const Factors*> factors_;
  Passage coarse_;
  std::vector<Passage> fine_;
  std::size_t left_ = 0;  // rows at 1/8 that are done
};

}  // namespace

}  // namespace lic
