// Few colours that stand for others near them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "distance.hpp"

namespace lic {

// Rows of colours by the level of their middle channel: those near another lie few levels from it.
class ByLevel {
 public:
  explicit ByLevel(std::size_t channels) : channels_(channels), rows_(256) {}

  void add(const std::uint8_t* color, std::size_t row) { rows_[color[channels_ / 2]].push_back(row); }

  // Visits the rows 0, 1, 2 ... levels from a colour while goes_on(levels) is true, and until visit(row) is; returns whether that was.
  template <typename GoesOn, typename Visit>
  bool outward(const std::uint8_t* color, const GoesOn& goes_on, const Visit& visit) const {
    const int level = color[channels_ / 2];
    for (int away = 0; away < 256 && goes_on(away); ++away)
      for (int side : {-1, 1}) {
        const int there = level + side * away;
        if (there < 0 || there > 255 || (!away && side > 0)) continue;
        for (const std::size_t row : rows_[there])
          if (visit(row)) return true;
      }
    return false;
  }

 private:
  std::size_t channels_;
  std::vector<std::vector<std::size_t>> rows_;
};

// The rows of colours that stay, in order: the first `fixed`, and each that is not within the squared distance `limit` of one; at most `most`.
inline std::vector<std::int64_t> leaders(const std::uint8_t* colors, std::size_t channels, const std::int64_t* order, std::size_t n,
                                         std::size_t fixed, std::int32_t limit, std::size_t most) {
  ByLevel chosen(channels);
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < n && (i < fixed || result.size() < most); ++i) {
    const std::size_t row = static_cast<std::size_t>(order[i]);
    const std::uint8_t* color = colors + row * channels;
    const auto is_near = [&](std::size_t other) { return squared_distance(color, colors + other * channels, channels) <= limit; };
    if (i >= fixed && chosen.outward(color, [=](int away) { return away * away <= limit; }, is_near)) continue;
    chosen.add(color, row);
    result.push_back(order[i]);
  }
  return result;
}

// Of every colour the row of the nearest of those that stay, the first of several; 0 where none stay.
inline void nearest(const std::uint8_t* colors, std::size_t n, const std::uint8_t* staying, std::size_t m, std::size_t channels,
                    std::int64_t* rows) {
  ByLevel by_level(channels);
  for (std::size_t row = 0; row < m; ++row) by_level.add(staying + row * channels, row);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* color = colors + i * channels;
    std::int32_t least = INT32_MAX;
    std::size_t best = 0;
    by_level.outward(color, [&](int away) { return away * away <= least; }, [&](std::size_t row) {
      const std::int32_t distance = squared_distance(color, staying + row * channels, channels);
      if (distance < least || (distance == least && row < best)) least = distance, best = row;
      return false;
    });
    rows[i] = static_cast<std::int64_t>(best);
  }
}

}  // namespace lic
