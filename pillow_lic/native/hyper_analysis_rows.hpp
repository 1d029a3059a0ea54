// hyper_analysis.hpp: rows of latents on their way to hyper-latents, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "hyper_analysis.hpp"
#include "rounded_rows.hpp"
#include "stretch.hpp"

namespace lic {

namespace {

class Descent {
 public:
  Descent(const HyperAnalysis& network, const float* y, const Stretch& stretch, float* hyper_latents)
      : network_(network), y_(y), stretch_(stretch), hyper_latents_(hyper_latents),
        squares_(2 * stretch.width * network.sizes.channels), halved_(stretch.width / 2 * network.sizes.channels),
        again_(stretch.width * network.sizes.channels), left_(stretch.width / 4 * network.sizes.hyper_latents), body_(network.block, stretch.width),
        entered_(stretch.width, network.sizes.latents), square_(stretch.width / 2, 4 * network.sizes.channels) {}

  LIC_PRODUCT void run() {
    constexpr std::size_t kStride = HyperAnalysis::kStride, kEdge = HyperAnalysis::kSide / 2;
    next_ = stretch_.first > kStride ? stretch_.first - kStride : 0;
    const std::size_t end = std::min(stretch_.last + kEdge, stretch_.height);
    for (std::size_t y = next_; y < end; ++y) {
      enter(y);
      leave(body_.push(true));
    }
    if (end == stretch_.height)
      for (std::size_t edge = 0; edge < kEdge; ++edge) leave(body_.push(false));
  }

 private:
  LIC_PRODUCT void enter(std::size_t y) {
    const std::size_t latents = network_.sizes.latents, width = stretch_.width;
    entered_.take(Planes{y_ + y * width, stretch_.height * width, 1}, latents, width);
    apply(network_.enter, entered_, width, body_.next(), network_.sizes.channels, PutReals{});
  }

  LIC_PRODUCT void leave(const float* row) {
    if (!row) return;
    const std::size_t y = next_++, channels = network_.sizes.channels, width = stretch_.width;
    if (y < stretch_.first || y >= stretch_.last) return;
    pair(row, y % 2, width / 2, squares_.data());
    if (y % 2 == 0) return;
    square_.take(Places{squares_.data(), 4 * channels}, 4 * channels, width / 2);
    apply(network_.halve, square_, width / 2, halved_.data(), channels, BendReals{});
    pair(halved_.data(), y / 2 % 2, width / 4, again_.data());
    if (y / 2 % 2 == 0) return;
    const std::size_t hyper_latents = network_.sizes.hyper_latents, across = width / 4, plane = stretch_.height / 4 * across;
    square_.take(Places{again_.data(), 4 * channels}, 4 * channels, across);
    apply(network_.leave, square_, across, left_.data(), hyper_latents, PutReals{});
    std::transform(left_.begin(), left_.end(), left_.begin(), whole);
    planes_of(left_.data(), hyper_latents, across, hyper_latents_ + y / 4 * across, plane);
  }

  // Places of an upper or lower row, two by two, as halves of `count` squares.
  void pair(const float* row, std::size_t lower, std::size_t count, float* squares) const {
    const std::size_t two = 2 * network_.sizes.channels;
    for (std::size_t x = 0; x < count; ++x) std::copy_n(row + x * two, two, squares + (2 * x + lower) * two);
  }

  // The nearest hyper-latent; of what is no number the smallest.
  static float whole(float value) {
    constexpr float kMost = 127.0f;
    return static_cast<float>(std::lrint(value > -kMost ? std::min(value, kMost) : -kMost));
  }

  const HyperAnalysis& network_;
  const float* y_;
  Stretch stretch_;
  float* hyper_latents_;
  std::vector<float> squares_, halved_, again_, left_;  // of two rows, square by square; of one half as long; of two of these; of one
  std::size_t next_ = 0;                                       // the row that comes out of the block
  RoundedPassage body_;
  RoundedRow entered_, square_;
};

}  // namespace

}  // namespace lic
