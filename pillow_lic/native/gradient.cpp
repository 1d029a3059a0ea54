#include "gradient.hpp"

namespace lic {

namespace {

constexpr std::size_t kMostLatents = 4096;

}  // namespace

bool ErrorGradient::Sizes::legal() const { return latents && latents % kOutputs == 0 && latents <= kMostLatents; }

std::size_t ErrorGradient::Sizes::bytes() const { return 4 * kAnchors * (1 + latents) + Layer::bytes(kInputs, latents); }

ErrorGradient::ErrorGradient(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), parts(numbers.take<float>(kAnchors)), latents(numbers.take<float>(kAnchors * sizes.latents)),
      layer(numbers, kInputs, sizes.latents) {}

ErrorGradient::Factors ErrorGradient::factors(float level) const {
  const AmongAnchors at(level);
  Factors found{feature(at.number(parts.data(), 1, 0) * 65536.0f), std::vector<float>(sizes.latents)};
  for (std::size_t k = 0; k < sizes.latents; ++k) found.latents[k] = at.factor(latents.data(), sizes.latents, ordered(k));
  return found;
}

}  // namespace lic
