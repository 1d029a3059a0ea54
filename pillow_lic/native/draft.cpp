#include "draft.hpp"

#include <algorithm>

#include "exponent.hpp"

namespace lic {

namespace {

constexpr float kSpacing = 128.0f, kMostLog = 60.0f;  // levels between two anchors
constexpr std::size_t kMostLatents = 4096, kMostSide = 16;

}  // namespace

bool Draft::Sizes::legal() const {
  return latents && latents % 8 == 0 && latents <= kMostLatents && near % 2 == 0 && near <= latents && side && side <= kMostSide;
}

Draft::Draft(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), logs(numbers.take<float>(kAnchors * sizes.latents)), layer(numbers, sizes.inputs(), sizes.outputs()) {}

std::vector<float> Draft::factors(float level) const {
  const float at = (level > 0.0f ? std::min(level, kLargestLevel) : 0.0f) / kSpacing;
  const std::size_t below = std::min(static_cast<std::size_t>(at), kAnchors - 2);
  const float share = at - static_cast<float>(below), *table = &logs[below * sizes.latents];
  std::vector<float> found(sizes.latents);
  for (std::size_t k = 0; k < found.size(); ++k) {
    const float log = table[k] * (1.0f - share) + table[sizes.latents + k] * share;
    found[k] = static_cast<float>(exponential(std::clamp(log, -kMostLog, kMostLog)));
  }
  return found;
}

}  // namespace lic
