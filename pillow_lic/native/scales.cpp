#include "scales.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace lic {

namespace {

constexpr std::int32_t kSpacing = 128;  // levels between two anchors

// The layer of all magnitudes as one for each place, of those that are known there.
std::vector<Layer> take_entry(Numbers& numbers, const Stage::Known& known) {
  constexpr std::size_t kBefore = Stage::kBefore, kOfGroup = Stage::kOfGroup;
  const std::size_t inputs = Stage::inputs(!known[0].empty());
  const auto bias = numbers.take<std::int32_t>(Stage::kFeatures), shifts = numbers.take<std::int32_t>(Stage::kFeatures);
  const auto flat = numbers.take<Feature>(Stage::kFeatures * inputs);
  std::vector<Layer> found;
  for (const auto& groups : known) {
    std::vector<Feature> chosen;
    for (const Feature* row = flat.data(); row < flat.data() + flat.size(); row += inputs) {
      chosen.insert(chosen.end(), row, row + kBefore);
      for (const std::size_t group : groups) chosen.insert(chosen.end(), row + kBefore + group * kOfGroup, row + kBefore + (group + 1) * kOfGroup);
    }
    found.emplace_back(bias, shifts, chosen);
  }
  return found;
}

}  // namespace

std::vector<Layer> take_places(Numbers& numbers, std::size_t inputs, std::size_t outputs) {
  std::vector<Layer> found;
  for (std::size_t place = 0; place < 4; ++place) found.emplace_back(numbers, inputs, outputs);
  return found;
}

Hyper::Hyper(Numbers& numbers)
    : entry(numbers, kLatents, kWidth), around(numbers, kWidth), wider(take_places(numbers, kWidth, kWidth)), again(numbers, kWidth),
      leave(take_places(numbers, kWidth, kFeatures)) {}

Scales::Scales(Numbers numbers, std::size_t count) : hyper(numbers) {
  Stage::Known known;
  for (std::size_t stage = 0; stage < count; ++stage) {
    stages.emplace_back(numbers, known, passes_of(stage, count));
    const auto& places = stages.back().places;
    for (std::size_t quarter = 0; quarter < places.size(); ++quarter) known[places[quarter]].push_back(quarter % Stage::kGroups);
    for (const auto& groups : known)
      if (groups.size() != stage + passes_of(stage, count)) throw std::invalid_argument("a pass must code another place of each group");
  }
}

Stage::Stage(Numbers& numbers, const Known& known, std::size_t passes)
    : known(known), entry(take_entry(numbers, known)), around(numbers, kFeatures), between(numbers, kFeatures, kFeatures),
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
