#include "synthesis.hpp"

namespace lic {

namespace {

constexpr int kLatentBits = 11;     // after the point, of latents as features
constexpr float kNothing = 0x1p-5f;  // of the step that pixels see least: latents of less are taken to be 0

// Weights (outputs, inputs), by kOutputs outputs and pair of inputs.
std::vector<PairWeights> paired(const std::vector<Feature>& flat, std::size_t inputs) {
  std::vector<PairWeights> made(flat.size() / kOutputs / 2);
  for (std::size_t block = 0; block < made.size() / (inputs / 2); ++block)
    for (std::size_t k = 0; k < kOutputs; ++k)
      for (std::size_t input = 0; input < inputs; ++input)
        made[block * inputs / 2 + input / 2].of[PairWeights::at(k, input % 2)] = flat[(block * kOutputs + k) * inputs + input];
  return made;
}

std::vector<Sums> sums_of(const std::vector<std::int32_t>& flat) {
  std::vector<Sums> made(flat.size() / kOutputs);
  for (std::size_t n = 0; n < flat.size(); ++n) made[n / kOutputs].of[n % kOutputs] = flat[ordered(n)];
  return made;
}

}  // namespace

Synthesis::Synthesis(Numbers numbers)
    : latents(numbers.take<float>(kAnchors * kLatents)), fine(numbers.take<float>(kAnchors * kFine)),
      context(numbers.take<float>(kAnchors * kContext)), entry(numbers, kLatents, kCoarse), coarse(numbers, kCoarse),
      wider(numbers, kCoarse, 4 * kFine), blocks{Block(numbers, kFine), Block(numbers, kFine), Block(numbers, kFine)},
      to_context(numbers, kFine, kContext), bias(sums_of(numbers.take<std::int32_t>(kPlanes * kSquare))),
      last(paired(numbers.take<Feature>(kPlanes * kSquare * kFine), kFine)),
      straight(paired(numbers.take<Feature>(4 * kPlanes * kSquare * kLatents), kLatents)) {}

Synthesis::Factors Synthesis::factors(float level) const {
  const AmongAnchors at(level);
  Factors found{level, 0, std::vector<float>(kLatents), std::vector<float>(kFine), std::vector<float>(kContext)};
  for (std::size_t k = 0; k < kLatents; ++k) found.latents[k] = at.factor(latents.data(), kLatents, k) * static_cast<float>(1 << kLatentBits);
  found.least = feature(kNothing * *std::min_element(found.latents.begin(), found.latents.end()));
  for (std::size_t k = 0; k < kFine; ++k) found.fine[k] = at.factor(fine.data(), kFine, ordered(k));
  for (std::size_t k = 0; k < kContext; ++k) found.context[k] = at.number(context.data(), kContext, ordered(k));
  return found;
}

}  // namespace lic
