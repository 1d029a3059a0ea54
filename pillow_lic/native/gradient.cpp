#include "gradient.hpp"

#include <algorithm>

#include "exponent.hpp"

namespace lic {

namespace {

constexpr float kSpacing = 128.0f, kLargestLevel = 1024.0f;  // levels between two anchors, and the last one's
constexpr std::size_t kMostLatents = 4096;

constexpr std::size_t ordered(std::size_t n) { return n / kOutputs * kOutputs + output_at(n % kOutputs); }

}  // namespace

bool ErrorGradient::Sizes::legal() const { return latents && latents % kOutputs == 0 && latents <= kMostLatents; }

std::size_t ErrorGradient::Sizes::bytes() const { return 4 * kAnchors * (1 + latents) + Layer::bytes(kInputs, latents); }

ErrorGradient::ErrorGradient(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), parts(numbers.take<float>(kAnchors)), latents(numbers.take<float>(kAnchors * sizes.latents)),
      layer(numbers, kInputs, sizes.latents) {}

ErrorGradient::Factors ErrorGradient::factors(float level) const {
  const float at = (level > 0.0f ? std::min(level, kLargestLevel) : 0.0f) / kSpacing;
  const std::size_t below = std::min(static_cast<std::size_t>(at), kAnchors - 2);
  const float share = at - static_cast<float>(below);
  const auto between = [&](const float* table, std::size_t apart) { return table[0] * (1.0f - share) + table[apart] * share; };
  Factors found{feature(between(&parts[below], 1) * 65536.0f), std::vector<float>(sizes.latents)};
  for (std::size_t k = 0; k < sizes.latents; ++k)
    found.latents[k] = static_cast<float>(exponential(std::clamp(between(&latents[below * sizes.latents + ordered(k)], sizes.latents), -60.0f, 60.0f)));
  return found;
}

}  // namespace lic
