#include "hyper_analysis.hpp"

#include <algorithm>
#include <cmath>

#include "real_rows.hpp"

namespace lic {

namespace {

constexpr std::size_t kMostChannels = 4096;

bool multiple(std::size_t channels) { return channels && channels % kOutputs == 0 && channels <= kMostChannels; }

}  // namespace

bool HyperAnalysis::Sizes::legal() const { return multiple(latents) && multiple(channels) && multiple(hyper_latents); }

std::size_t HyperAnalysis::Sizes::bytes() const {
  return RealLayer::bytes(latents, channels) + RealBlock::bytes(kSide, channels) + RealLayer::bytes(4 * channels, channels) +
         RealLayer::bytes(4 * channels, hyper_latents);
}

HyperAnalysis::HyperAnalysis(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), enter(numbers, sizes.latents, sizes.channels), block(numbers, kSide, sizes.channels),
      halve(numbers, 4 * sizes.channels, sizes.channels), leave(numbers, 4 * sizes.channels, sizes.hyper_latents) {}

#ifndef LIC_VECTORS

bool HyperAnalysis::fast() { return false; }
void HyperAnalysis::run(const float*, const Stretch&, float*) const {}

#else

bool HyperAnalysis::fast() { return multiplies_and_adds(); }

namespace {

// Rows of latents on their way to hyper-latents.
class Descent {
 public:
  Descent(const HyperAnalysis& network, const float* y, const Stretch& stretch, float* hyper_latents)
      : network_(network), y_(y), stretch_(stretch), hyper_latents_(hyper_latents), seen_(stretch.width * network.sizes.latents),
        pair_(2 * stretch.width * network.sizes.channels), halved_(stretch.width * network.sizes.channels),
        left_(stretch.width / 4 * network.sizes.hyper_latents), body_(network.block, stretch.width) {}

  void run() {
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
  void enter(std::size_t y) {
    const std::size_t latents = network_.sizes.latents, channels = network_.sizes.channels, width = stretch_.width;
    for (std::size_t column = 0; column < 2; ++column)
      places_of(y_ + y * width + column, stretch_.height * width, latents, width / 2, &seen_[column * latents], 2 * latents);
    layer_row(network_.enter, {seen_.data(), latents, latents}, {}, width, body_.next(), channels, End::kPut);
  }

  void leave(const float* row) {
    if (!row) return;
    const std::size_t y = next_++, channels = network_.sizes.channels, size = stretch_.width * channels;
    if (y < stretch_.first || y >= stretch_.last) return;
    std::copy_n(row, size, &pair_[y % 2 * size]);
    if (y % 2 == 0) return;
    float* halved = &halved_[y / 2 % 2 * (size / 2)];
    layer_row(network_.halve, two(pair_.data()), two(&pair_[size]), stretch_.width / 2, halved, channels, End::kBend);
    if (y / 2 % 2 == 0) return;
    const std::size_t hyper_latents = network_.sizes.hyper_latents, across = stretch_.width / 4;
    layer_row(network_.leave, two(halved_.data()), two(&halved_[size / 2]), across, left_.data(), hyper_latents, End::kPut);
    const std::size_t plane = stretch_.height / 4 * across;
    float* to = hyper_latents_ + y / 4 * across;
    planes_of(left_.data(), hyper_latents, hyper_latents, across, to, plane);
    for (std::size_t channel = 0; channel < hyper_latents; ++channel) std::transform(to + channel * plane, to + channel * plane + across, to + channel * plane, whole);
  }

  // Two places beside each other, again and again.
  Input two(const float* row) const { return {row, 2 * network_.sizes.channels, 2 * network_.sizes.channels}; }

  // The nearest hyper-latent; of what is no number the smallest.
  static float whole(float value) {
    constexpr float kMost = 127.0f;
    return static_cast<float>(std::lrint(value > -kMost ? std::min(value, kMost) : -kMost));
  }

  const HyperAnalysis& network_;
  const float* y_;
  Stretch stretch_;
  float* hyper_latents_;
  std::vector<float> seen_, pair_, halved_, left_;  // of a row; of two; of two half as long; of one
  std::size_t next_ = 0;                            // the row that comes out of the block
  RealPassage body_;
};

}  // namespace

void HyperAnalysis::run(const float* y, const Stretch& stretch, float* hyper_latents) const { Descent(*this, y, stretch, hyper_latents).run(); }

#endif

}  // namespace lic
