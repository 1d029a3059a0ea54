// gradient.hpp: what a picture lacks on its way to the latents, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "apply.hpp"
#include "gradient.hpp"

namespace lic {

namespace {

// Pixels (height, width, 3) as they are shown, and as they should be.
struct Lacking {
  const std::uint8_t *shown, *wanted;
  std::size_t height, width;
};

class GradientRows {
 public:
  GradientRows(const ErrorGradient& network, const Lacking& pixels, const float* level, const Stretch& stretch, float* gradient)
      : network_(network), pixels_(pixels), level_(level), stretch_(stretch), gradient_(gradient), length_(stretch.width * kRow),
        held_(kHeld * (length_ + 2 * kMargin)), sums_(length_ + 2 * kMargin), seen_(ErrorGradient::kSquare * length_), parts_(length_),
        made_(stretch.width * kOutputs), factors_(stretch.width) {}

  LIC_PRODUCT void run() {
    const std::size_t first = ErrorGradient::kSquare * stretch_.first;
    taken_ = first > ErrorGradient::kReach ? first - ErrorGradient::kReach : 0;
    for (std::size_t y = stretch_.first; y < stretch_.last; ++y) {
      weigh(y);
      for (std::size_t row = 0; row < ErrorGradient::kSquare; ++row) smooth(ErrorGradient::kSquare * y + row, &seen_[row * length_]);
      put(y);
    }
  }

 private:
  static constexpr std::size_t kRow = ErrorGradient::kRow, kReach = ErrorGradient::kReach, kMargin = kReach * ErrorGradient::kColours;
  static constexpr std::size_t kHeld = 2 * kReach + 2;  // rows around one, and that which leaves them

  // Errors of a row, in levels, with a margin of zeros on both sides.
  Feature* held(std::size_t row) { return &held_[row % kHeld * (length_ + 2 * kMargin)]; }

  // What depends on the levels of row y of the latents.
  void weigh(std::size_t y) {
    for (std::size_t x = 0; x < stretch_.width; ++x) {
      factors_[x] = &known_.at(level_[y * stretch_.width + x]);
      std::fill_n(&parts_[x * kRow], kRow, factors_[x]->part);
    }
  }

  // The next row of pixels, among the sums over those that are held.
  LIC_PRODUCT LIC_APART void take() {
    Feature *to = held(taken_), *sums = sums_.data();
    const std::size_t n = pixels_.width * ErrorGradient::kColours;
    if (taken_ < pixels_.height) {
      const std::uint8_t *shown = pixels_.shown + taken_ * n, *wanted = pixels_.wanted + taken_ * n;
      Feature* inside = to + kMargin;
      for (std::size_t k = 0; k < n; ++k) inside[k] = static_cast<Feature>(shown[k] - wanted[k]);
    } else {
      std::fill_n(to, length_ + 2 * kMargin, Feature{0});
    }
    const Feature* from = held(taken_ + 1);  // the one that leaves, or nothing yet
    for (std::size_t k = 0; k < length_ + 2 * kMargin; ++k) sums[k] = static_cast<Feature>(sums[k] + to[k] - from[k]);
    ++taken_;
  }

  // The errors of row y of the pixels, smoothed, as features. 7x7 errors are below 2^14.
  LIC_PRODUCT LIC_APART void smooth(std::size_t y, Feature* to) {
    constexpr std::int32_t kUnit = 1 << ErrorGradient::kErrorBits, kShare = (kUnit * 65536 + ErrorGradient::kAround / 2) / ErrorGradient::kAround, kHalf = 1 << 15;
    while (taken_ <= y + kReach) take();
    const Feature *errors = held(y) + kMargin, *sums = sums_.data(), *parts = parts_.data();
    constexpr std::size_t kColours = ErrorGradient::kColours;
    for (std::size_t k = 0; k < length_; ++k) {
      const Feature around = static_cast<Feature>(sums[k] + sums[k + kColours] + sums[k + 2 * kColours] + sums[k + 3 * kColours] +
                                                  sums[k + 4 * kColours] + sums[k + 5 * kColours] + sums[k + 6 * kColours]);
      const Feature own = static_cast<Feature>(errors[k] * kUnit), mean = static_cast<Feature>((around * kShare + kHalf) >> 16);
      const Feature out = static_cast<Feature>(own - mean);
      to[k] = static_cast<Feature>(own - ((out * parts[k] + kHalf) >> 16));
    }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void put_at(std::size_t block, std::size_t x) {
    constexpr std::size_t kPairs = kRow / 2;
    const Layer& layer = network_.layer;
    const PairWeights* weights = &layer.weights[block * layer.inputs / 2];
    Totals sums[n];
    begin(layer.bias[block], sums);
    for (std::size_t row = 0; row < ErrorGradient::kSquare; ++row) multiply(&seen_[row * length_ + x * kRow], kRow, kPairs, weights + row * kPairs, sums);
    const Reals unit = units(layer.shift[block]);
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      stored(&made_[(x + i) * kOutputs], times(times(reals(sums[i]), unit), reals(&factors_[x + i]->latents[block * kOutputs])));
    });
  }

  LIC_PRODUCT LIC_APART void put(std::size_t y) {
    const std::size_t width = stretch_.width;
    for (std::size_t block = 0; block < network_.layer.bias.size(); ++block) {
      std::size_t x = 0;
      for (; x + kAbreast <= width; x += kAbreast) put_at<kAbreast>(block, x);
      for (; x < width; ++x) put_at<1>(block, x);
      for (std::size_t k = 0; k < kOutputs; ++k) {
        float* to = gradient_ + ((block * kOutputs + output_at(k)) * stretch_.height + y) * width;
        for (std::size_t at = 0; at < width; ++at) to[at] = made_[at * kOutputs + k];
      }
    }
  }

  const ErrorGradient& network_;
  Lacking pixels_;
  const float* level_;
  Stretch stretch_;
  float* gradient_;
  std::size_t length_, taken_ = 0;  // numbers of a row; the row of pixels that comes next
  std::vector<Feature> held_, sums_, seen_, parts_;
  std::vector<float> made_;
  FactorsByLevel<ErrorGradient> known_{network_};
  std::vector<const ErrorGradient::Factors*> factors_;
};

}  // namespace

}  // namespace lic
