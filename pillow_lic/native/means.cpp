#include "means.hpp"

#include <stdexcept>

namespace lic {

namespace {

std::vector<RoundedLayer> take_rounded_places(Numbers& numbers, std::size_t inputs, std::size_t outputs) {
  std::vector<RoundedLayer> found;
  for (std::size_t place = 0; place < 4; ++place) found.emplace_back(numbers, inputs, outputs);
  return found;
}

// The layer of features and latents as one of features and one of each group of latents, so that each has units of its own.
std::vector<RoundedLayer> take_context(Numbers& numbers, const Means::Sizes& sizes) {
  const std::size_t features = sizes.features, group = sizes.group(), inputs = features + sizes.latents;
  const auto bias = numbers.take<float>(features);
  const auto flat = take_halves(numbers, features * inputs);
  const std::vector<float> none(features);
  const auto part = [&](const std::vector<float>& of, std::size_t first, std::size_t count) {
    std::vector<float> chosen;
    for (auto row = flat.begin(); row != flat.end(); row += static_cast<std::ptrdiff_t>(inputs))
      chosen.insert(chosen.end(), row + static_cast<std::ptrdiff_t>(first), row + static_cast<std::ptrdiff_t>(first + count));
    return RoundedLayer(of, chosen);
  };
  std::vector<RoundedLayer> found{part(bias, 0, features)};
  for (std::size_t number = 0; number < Means::kGroups; ++number) found.push_back(part(none, features + number * group, group));
  return found;
}

// What a level adds, (kAnchors, features), in the order of rows.
std::vector<float> take_level(Numbers& numbers, std::size_t features) {
  const auto flat = numbers.take<float>(kAnchors * features);
  std::vector<float> found(flat.size());
  for (std::size_t n = 0; n < flat.size(); ++n) found[n] = flat[n / features * features + ordered(n % features)];
  return found;
}

}  // namespace

bool Means::Sizes::legal() const {
  return hyper_latents && hyper_latents % kOutputs == 0 && features && features % kOutputs == 0 && features < 4096 && latents &&
         latents % (kGroups * kOutputs) == 0 && stages && stages <= kPasses;
}

std::size_t Means::features_of(const std::uint8_t* numbers, std::size_t size) {
  std::uint32_t found = 0;
  if (size >= sizeof(found)) std::memcpy(&found, numbers, sizeof(found));
  return found;
}

std::size_t Means::Sizes::bytes() const {
  std::size_t n = 4 + 4 * RoundedLayer::bytes(hyper_latents, features) + 4 * RoundedLayer::bytes(features, features) + 4 * kAnchors * features +
                  RoundedBlock::bytes(kFirstSide, features);
  for (std::size_t stage = 0; stage < stages; ++stage)
    n += (stage ? RoundedLayer::bytes(features + latents, features) : 0) + RoundedBlock::bytes(kSide, features) +
         kGroups * passes(stage) * (4 + RoundedLayer::bytes(features, group()));
  return n;
}

Means::Means(Numbers numbers, const Sizes& sizes)
    : sizes{sizes.hyper_latents, numbers.take<std::uint32_t>(1)[0], sizes.latents, sizes.stages},
      first(take_rounded_places(numbers, sizes.hyper_latents, sizes.features)), second(take_rounded_places(numbers, sizes.features, sizes.features)),
      level(take_level(numbers, sizes.features)), start(numbers, kFirstSide, sizes.features) {
  for (std::size_t stage = 0; stage < sizes.stages; ++stage) {
    auto context = stage ? take_context(numbers, sizes) : std::vector<RoundedLayer>{};
    RoundedBlock body(numbers, kSide, sizes.features);
    std::vector<Leave> leave;
    for (std::size_t number = 0; number < kGroups * sizes.passes(stage); ++number) {
      const std::size_t place = static_cast<std::size_t>(numbers.take<std::int32_t>(1)[0]) % kGroups;
      leave.push_back({place, RoundedLayer(numbers, sizes.features, sizes.group())});
      known[place].push_back(number % kGroups);
    }
    for (const auto& groups : known)
      if (groups.size() != stage + sizes.passes(stage)) throw std::invalid_argument("a pass must code another place of each group");
    stages.push_back({std::move(context), std::move(body), std::move(leave)});
  }
}

}  // namespace lic
