#include "analysis.hpp"

#include <algorithm>

#include "exponent.hpp"

namespace lic {

namespace {

constexpr float kSpacing = 128.0f;  // levels between two anchors
constexpr std::size_t kMostChannels = 4096, kMostBlocks = 64;

constexpr std::size_t ordered(std::size_t n) { return n / kOutputs * kOutputs + output_at(n % kOutputs); }

bool multiple(std::size_t channels) { return channels && channels % kOutputs == 0 && channels <= kMostChannels; }

std::vector<Block> take_blocks(Numbers& numbers, std::size_t count, std::size_t channels) {
  std::vector<Block> found;
  for (std::size_t block = 0; block < count; ++block) found.emplace_back(numbers, channels);
  return found;
}

std::vector<Layer> take_leave(Numbers& numbers, const Analysis::Sizes& sizes) {
  std::vector<Layer> found;
  if (sizes.channels != sizes.features) found.emplace_back(numbers, sizes.channels, sizes.features);
  return found;
}

}  // namespace

bool Analysis::Sizes::legal() const { return multiple(channels) && multiple(features) && multiple(latents) && blocks <= kMostBlocks; }

std::size_t Analysis::Sizes::bytes() const {
  return Layer::bytes(kInputs, channels) + blocks * Block::bytes(channels) + (channels != features ? Layer::bytes(channels, features) : 0) +
         Layer::bytes(4 * kInputs, latents);
}

Analysis::Analysis(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), enter(numbers, kInputs, sizes.channels), blocks(take_blocks(numbers, sizes.blocks, sizes.channels)),
      leave(take_leave(numbers, sizes)), linear(numbers, 4 * kInputs, sizes.latents) {}

bool Latents::Sizes::legal() const { return multiple(features) && multiple(channels) && multiple(latents); }

std::size_t Latents::Sizes::bytes() const {
  return 4 * kAnchors * (features + latents) + Layer::bytes(4 * features, channels) + kBlocks * Block::bytes(channels) +
         Layer::bytes(channels, latents);
}

Latents::Latents(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), trunk(numbers.take<float>(kAnchors * sizes.features)), latents(numbers.take<float>(kAnchors * sizes.latents)),
      enter(numbers, 4 * sizes.features, sizes.channels), blocks(take_blocks(numbers, kBlocks, sizes.channels)),
      leave(numbers, sizes.channels, sizes.latents) {}

Latents::Factors Latents::factors(float level) const {
  const float at = (level > 0.0f ? std::min(level, kLargestLevel) : 0.0f) / kSpacing;
  const std::size_t below = std::min(static_cast<std::size_t>(at), kAnchors - 2);
  const float share = at - static_cast<float>(below);
  const auto between = [&](const std::vector<float>& anchors) {
    const std::size_t n = anchors.size() / kAnchors;
    std::vector<float> found(n);
    for (std::size_t k = 0; k < n; ++k) {
      const float* table = &anchors[below * n + ordered(k)];
      found[k] = static_cast<float>(exponential(std::clamp(table[0] * (1.0f - share) + table[n] * share, -60.0f, 60.0f)));
    }
    return found;
  };
  return {between(trunk), between(latents)};
}

}  // namespace lic
