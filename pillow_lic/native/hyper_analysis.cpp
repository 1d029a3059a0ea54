#include "hyper_analysis.hpp"

namespace lic {

namespace {

constexpr std::size_t kMostChannels = 4096;

bool multiple(std::size_t channels) { return channels && channels % kOutputs == 0 && channels <= kMostChannels; }

}  // namespace

bool HyperAnalysis::Sizes::legal() const { return multiple(latents) && multiple(channels) && multiple(hyper_latents); }

std::size_t HyperAnalysis::Sizes::bytes() const {
  return RoundedLayer::bytes(latents, channels) + RoundedBlock::bytes(kSide, channels) + RoundedLayer::bytes(4 * channels, channels) +
         RoundedLayer::bytes(4 * channels, hyper_latents);
}

HyperAnalysis::HyperAnalysis(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), enter(numbers, sizes.latents, sizes.channels), block(numbers, kSide, sizes.channels),
      halve(numbers, 4 * sizes.channels, sizes.channels), leave(numbers, 4 * sizes.channels, sizes.hyper_latents) {}

}  // namespace lic
