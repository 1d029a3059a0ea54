// What a network has at nine levels, 0, 128 and so on to 1024; between two of them it has a part of both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "exponent.hpp"

namespace lic {

inline constexpr std::size_t kAnchors = 9;

// Return a level as networks know it: 0 for one below that or no number, 1024 for one above.
inline float bounded(float level) { return level > 0.0f ? std::min(level, 1024.0f) : 0.0f; }

// A level, whatever number it is, among the anchors.
class AmongAnchors {
 public:
  explicit AmongAnchors(float level) {
    constexpr float kSpacing = 128.0f;
    const float at = bounded(level) / kSpacing;
    below_ = std::min(static_cast<std::size_t>(at), kAnchors - 2);
    share_ = at - static_cast<float>(below_);
  }

  // Return the k-th of the numbers at this level, of a table (kAnchors, count).
  float number(const float* table, std::size_t count, std::size_t k) const {
    const float* below = table + below_ * count + k;
    return below[0] * (1.0f - share_) + below[count] * share_;
  }

  // Return e to that number, which is within -60 and 60 or is taken for these.
  float factor(const float* logs, std::size_t count, std::size_t k) const {
    return static_cast<float>(exponential(std::clamp(number(logs, count, k), -60.0f, 60.0f)));
  }

 private:
  std::size_t below_;
  float share_;
};

// What the `factors` of a network are at levels, made once for each.
template <typename Network>
class FactorsByLevel {
 public:
  using Factors = decltype(std::declval<const Network&>().factors(0.0f));

  explicit FactorsByLevel(const Network& network) : network_(network) {}

  const Factors& at(float level) {
    const float known = bounded(level);
    auto found = made_.find(known);
    if (found == made_.end()) found = made_.emplace(known, network_.factors(known)).first;
    return found->second;
  }

 private:
  const Network& network_;
  std::map<float, Factors> made_;
};

}  // namespace lic
