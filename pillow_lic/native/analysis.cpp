#include "analysis.hpp"

namespace lic {

namespace {

constexpr std::size_t kMostChannels = 4096, kMostBlocks = 64;

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
  const AmongAnchors at(level);
  const auto factors_of = [&](const std::vector<float>& logs) {
    std::vector<float> found(logs.size() / kAnchors);
    for (std::size_t k = 0; k < found.size(); ++k) found[k] = at.factor(logs.data(), found.size(), ordered(k));
    return found;
  };
  return {factors_of(trunk), factors_of(latents)};
}

}  // namespace lic
