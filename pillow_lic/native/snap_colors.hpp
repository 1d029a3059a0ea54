// The colours of exact pixels: each kind once, how often it is there, and few that stand for all of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "distance.hpp"

namespace lic {

// Kinds are numbered in the order in which they first come; a pixel that is not exact is a hole, of no kind.
class SnapColors {
 public:
  static constexpr std::int32_t kHole = -1;
  static constexpr std::size_t kGrounds = 255;  // a colour of one of so many pixels, or more, is a ground, for which no other stands

  // colors (count, channels), exact (count): 0 for holes.
  SnapColors(const std::uint8_t* colors, const std::uint8_t* exact, std::size_t count, std::size_t channels)
      : channels_(channels), of_(count, kHole), table_(std::size_t{1} << 12, kHole) {
    for (std::size_t i = 0; i < count; ++i)
      if (exact[i]) of_[i] = numbered(colors + i * channels);
  }

  std::size_t count() const { return counts_.size(); }
  std::size_t channels() const { return channels_; }
  std::size_t pixels() const { return of_.size(); }
  std::int32_t of(std::size_t pixel) const { return of_[pixel]; }
  const std::int32_t* row(std::size_t first) const { return of_.data() + first; }
  const std::uint8_t* color(std::int32_t kind) const { return kinds_.data() + static_cast<std::size_t>(kind) * channels_; }

  // Colours (n, channels), n at most `most`: the commonest kinds, none within that distance of another; the distance grows until that
  // is enough of them.
  std::vector<std::uint8_t> palette(double within, std::size_t most) const {
    std::vector<std::size_t> order(count());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) { return counts_[one] > counts_[other]; });
    std::vector<std::uint8_t> chosen;
    for (bool fits = false; !fits; within = 1.5 * within + 1) {
      chosen.clear();
      fits = true;
      for (const std::size_t kind : order) {
        const bool is_ground = kGrounds * std::size_t{counts_[kind]} >= pixels();
        if (near(chosen, kinds_.data() + kind * channels_, is_ground ? 0 : within)) continue;
        fits = chosen.size() < most * channels_;
        if (!fits) break;
        chosen.insert(chosen.end(), kinds_.begin() + static_cast<std::ptrdiff_t>(kind * channels_),
                      kinds_.begin() + static_cast<std::ptrdiff_t>((kind + 1) * channels_));
      }
    }
    return chosen;
  }

 private:
  std::int32_t numbered(const std::uint8_t* color) {
    if (2 * count() >= table_.size()) widen();
    std::size_t at = place(color);
    while (table_[at] != kHole && !std::equal(color, color + channels_, this->color(table_[at]))) at = (at + 1) & (table_.size() - 1);
    if (table_[at] == kHole) {
      table_[at] = static_cast<std::int32_t>(count());
      kinds_.insert(kinds_.end(), color, color + channels_);
      counts_.push_back(0);
    }
    ++counts_[static_cast<std::size_t>(table_[at])];
    return table_[at];
  }

  void widen() {
    table_.assign(4 * table_.size(), kHole);
    for (std::size_t kind = 0; kind < count(); ++kind) {
      std::size_t at = place(color(static_cast<std::int32_t>(kind)));
      while (table_[at] != kHole) at = (at + 1) & (table_.size() - 1);
      table_[at] = static_cast<std::int32_t>(kind);
    }
  }

  std::size_t place(const std::uint8_t* color) const {
    std::uint32_t key = 0;
    for (std::size_t c = 0; c < channels_; ++c) key = key << 8 | color[c];
    return (key * 2654435761u >> 7) & (table_.size() - 1);
  }

  bool near(const std::vector<std::uint8_t>& chosen, const std::uint8_t* color, double within) const {
    for (std::size_t at = 0; at < chosen.size(); at += channels_)
      if (squared_distance(chosen.data() + at, color, channels_) <= within) return true;
    return false;
  }

  std::size_t channels_;
  std::vector<std::int32_t> of_, table_;
  std::vector<std::uint8_t> kinds_;
  std::vector<std::uint32_t> counts_;
};

}  // namespace lic
