// The colours of exact pixels: each kind once, how often it is there, and few that stand for all of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kinds.hpp"
#include "leaders.hpp"

namespace lic {

// A pixel that is not exact is a hole, of no kind.
class SnapColors {
 public:
  static constexpr std::int32_t kHole = -1;
  static constexpr std::int64_t kGrounds = 255;  // a colour of one of so many pixels, or more, is a ground, for which no other stands

  // colors (count, channels), channels 1 to 4; exact (count): 0 for holes.
  SnapColors(const std::uint8_t* colors, const std::uint8_t* exact, std::size_t count, std::size_t channels)
      : channels_(channels), of_(count, kHole) {
    for (std::size_t i = 0; i < count; ++i)
      if (exact[i]) of_[i] = kind_of(colors + i * channels);
  }

  std::size_t count() const { return kinds_.numbers().size(); }
  std::size_t channels() const { return channels_; }
  std::size_t pixels() const { return of_.size(); }
  std::int32_t of(std::size_t pixel) const { return of_[pixel]; }
  const std::int32_t* row(std::size_t first) const { return of_.data() + first; }
  const std::uint8_t* color(std::int32_t kind) const { return colors_.data() + static_cast<std::size_t>(kind) * channels_; }

  // Colours (n, channels), n at most `most`, which is kGrounds or more: the commonest kinds, none within that squared distance of another
  // but grounds; the distance grows until that is enough of them.
  std::vector<std::uint8_t> palette(double within, std::size_t most) const {
    const std::vector<std::int64_t>& counts = kinds_.counts();
    std::vector<std::int64_t> order(count());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t one, std::int64_t other) { return counts[one] > counts[other]; });
    const auto grounds = std::count_if(counts.begin(), counts.end(), [&](std::int64_t one) {
      return kGrounds * one >= static_cast<std::int64_t>(pixels());
    });
    for (;; within = 1.5 * within + 1) {
      const auto limit = static_cast<std::int32_t>(std::min(within, kMostApart));
      const std::vector<std::int64_t> chosen =
          leaders(colors_.data(), channels_, order.data(), order.size(), static_cast<std::size_t>(grounds), limit, most + 1);
      if (chosen.size() > most) continue;
      std::vector<std::uint8_t> result;
      for (const std::int64_t kind : chosen) result.insert(result.end(), color(static_cast<std::int32_t>(kind)), color(static_cast<std::int32_t>(kind) + 1));
      return result;
    }
  }

 private:
  static constexpr double kMostApart = 4 * 255 * 255;  // squared distance of two colours at the most

  std::int32_t kind_of(const std::uint8_t* color) {
    std::uint32_t number = 0;
    for (std::size_t c = 0; c < channels_; ++c) number = number << 8 | color[c];
    const std::size_t known = count();
    const auto kind = static_cast<std::int32_t>(kinds_.add(number));
    if (count() > known) colors_.insert(colors_.end(), color, color + channels_);
    return kind;
  }

  std::size_t channels_;
  std::vector<std::int32_t> of_;
  Kinds kinds_;
  std::vector<std::uint8_t> colors_;  // of the kinds
};

}  // namespace lic
