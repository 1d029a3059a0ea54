#include "draft.hpp"

namespace lic {

namespace {

constexpr std::size_t kMostLatents = 4096, kMostSide = 16;

}  // namespace

bool Draft::Sizes::legal() const {
  return latents && latents % 8 == 0 && latents <= kMostLatents && near % 2 == 0 && near <= latents && side && side <= kMostSide;
}

Draft::Draft(Numbers numbers, const Sizes& sizes)
    : sizes(sizes), logs(numbers.take<float>(kAnchors * sizes.latents)), layer(numbers, sizes.inputs(), sizes.outputs()) {}

std::vector<float> Draft::factors(float level) const {
  const AmongAnchors at(level);
  std::vector<float> found(sizes.latents);
  for (std::size_t k = 0; k < found.size(); ++k) found[k] = at.factor(logs.data(), found.size(), k);
  return found;
}

}  // namespace lic
