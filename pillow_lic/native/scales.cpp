#include "scales.hpp"

#include <algorithm>
#include <cstdlib>

namespace lic {

namespace {

constexpr std::int32_t kSpacing = 128;  // levels between two anchors

}  // namespace

Stage::Stage(Numbers& numbers, bool magnitudes, std::size_t passes)
    : entry(numbers, inputs(magnitudes), kFeatures), around(numbers, kFeatures), between(numbers, kFeatures, kFeatures),
      again(numbers, kFeatures) {
  for (std::size_t quarter = 0; quarter < kGroups * passes; ++quarter) {
    places.push_back(static_cast<std::size_t>(numbers.take<std::int32_t>(1)[0]) % kGroups);
    ends.emplace_back(numbers, kFeatures, kOfGroup);
  }
  by_anchor = numbers.take<std::int32_t>(passes * kLatents * kAnchors);
}

std::int32_t Stage::nearness(std::int32_t level, std::size_t anchor) {
  return std::max(kSpacing - std::abs(level - kSpacing * static_cast<std::int32_t>(anchor)), 0);
}

std::vector<Sums> Stage::added(std::int32_t level) const {
  std::vector<Sums> found(passes() * kLatents / kOutputs);
  for (std::size_t n = 0; n < passes() * kLatents; ++n) {
    const std::size_t output = n / kOutputs * kOutputs + output_at(n % kOutputs);
    std::int32_t sum = 0;
    for (std::size_t anchor = 0; anchor < kAnchors; ++anchor) sum += nearness(level, anchor) * by_anchor[output * kAnchors + anchor];
    found[n / kOutputs].of[n % kOutputs] = (sum >> 7) + 8;
  }
  return found;
}

}  // namespace lic
