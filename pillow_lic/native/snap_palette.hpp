// The palette of snapped colours: what its colours lose, and what the tokens that write them cost (snapping.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "distance.hpp"
#include "snap_colors.hpp"

namespace lic {

class SnapPalette {
 public:
  using Index = std::uint8_t;
  static constexpr std::size_t kMost = 255;  // colours of the palette; a hole is one more
  static constexpr Index kHole = kMost;
  static constexpr std::size_t kTried = 6;  // colours that are tried for a pixel
  static constexpr std::int32_t kBit = 256, kNever = 1 << 26;

  // How often a pass used the colours of the palette, runs, and copies from the rows next above and from farther away.
  struct Counts {
    std::array<std::uint32_t, kMost + 1> colors{};
    std::uint32_t runs = 0, near = 0, far = 0;
  };

  // slope: units that a squared level of one channel costs, in 1/65536.
  SnapPalette(SnapColors kinds, std::uint64_t slope)
      : kinds_(std::move(kinds)), slope_(slope), prices_(kMost + 1, kFirst),
        colors_(kinds_.palette(kRadius * 65536.0 / static_cast<double>(std::max<std::uint64_t>(slope, 1)), kMost)) {
    find_candidates();
  }

  const SnapColors& kinds() const { return kinds_; }
  const std::uint8_t* color(Index value) const { return colors_.data() + value * kinds_.channels(); }
  std::int32_t price(Index value) const { return prices_[value]; }
  std::int32_t run() const { return run_; }
  std::int32_t near() const { return near_; }
  std::int32_t far() const { return far_; }

  std::int32_t error(std::int32_t kind, Index value) const {
    if (kind == SnapColors::kHole || value == kHole) return (kind == SnapColors::kHole) == (value == kHole) ? 0 : kNever;
    const std::int32_t distance = squared_distance(kinds_.color(kind), color(value), kinds_.channels());
    return static_cast<std::int32_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(distance) * slope_ >> 16, kMostError));
  }

  // The kTried colours that cost least for a kind, in order; the first again where there are fewer.
  const Index* candidates(std::int32_t kind) const { return candidates_.data() + static_cast<std::size_t>(kind) * kTried; }

  void find_candidates() {
    const std::size_t entries = colors_.size() / kinds_.channels();
    candidates_.assign(kinds_.count() * kTried, 0);
    for (std::size_t kind = 0; kind < kinds_.count(); ++kind) {
      std::array<std::int32_t, kTried> costs;
      costs.fill(kNever);
      Index* own = candidates_.data() + kind * kTried;
      for (std::size_t entry = 0; entry < entries; ++entry) {
        const std::int32_t cost = error(static_cast<std::int32_t>(kind), static_cast<Index>(entry)) + prices_[entry];
        if (cost >= costs.back()) continue;
        std::size_t at = kTried - 1;
        for (; at && costs[at - 1] > cost; --at) costs[at] = costs[at - 1], own[at] = own[at - 1];
        costs[at] = cost;
        own[at] = static_cast<Index>(entry);
      }
      for (std::size_t at = entries; at < kTried; ++at) own[at] = own[0];
    }
  }

  // Takes for every colour the mean of the pixels that show it; those that none shows are gone, from the counts too.
  void refine(const std::vector<Index>& shown, Counts& counts) {
    const std::size_t channels = kinds_.channels(), entries = colors_.size() / channels;
    std::vector<std::uint64_t> sums(entries * channels), uses(entries);
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (shown[i] == kHole) continue;
      ++uses[shown[i]];
      const std::uint8_t* color = kinds_.color(kinds_.of(i));
      for (std::size_t c = 0; c < channels; ++c) sums[shown[i] * channels + c] += color[c];
    }
    std::size_t kept = 0;
    for (std::size_t entry = 0; entry < entries; ++entry) {
      if (!uses[entry]) continue;
      for (std::size_t c = 0; c < channels; ++c)
        colors_[kept * channels + c] = static_cast<std::uint8_t>((sums[entry * channels + c] + uses[entry] / 2) / uses[entry]);
      counts.colors[kept++] = counts.colors[entry];
    }
    colors_.resize(kept * channels);
  }

  // Prices tokens by how often they were used.
  void price_by(const Counts& counts) {
    double all = 0;
    for (const std::uint32_t count : counts.colors) all += count;
    const double runs = counts.runs + 1.0, near = counts.near + 1.0, copies = runs + near + counts.far + 1.0;
    all += copies;
    for (std::size_t value = 0; value <= kMost; ++value) {
      const double count = std::max<double>(counts.colors[value], 0.5), entry = value == kHole ? 0 : kEntry / count;
      prices_[value] = std::min(information(count / all) + static_cast<std::int32_t>(entry), 40 * kBit);
    }
    const std::int32_t copy = information(copies / all) + kLength;
    run_ = copy + information(runs / copies);
    near_ = copy + information(near / copies) + kBit;
    far_ = copy + information(std::max(counts.far + 1.0, copies / 32) / copies) + kDistance;
  }

 private:
  static constexpr std::int32_t kMostError = 1 << 20;
  static constexpr std::int32_t kFirst = 6 * kBit;     // a colour, before anything is counted
  static constexpr std::int32_t kLength = 4 * kBit;    // how far a copy goes
  static constexpr std::int32_t kDistance = 9 * kBit;  // from where, beyond the rows next above
  static constexpr double kEntry = 14 * kBit;          // a colour that is put into the palette
  static constexpr double kRadius = 3 * kBit;          // error up to which one colour of the palette stands for another

  static std::int32_t information(double share) { return static_cast<std::int32_t>(std::lrint(-kBit * std::log2(share))); }

  SnapColors kinds_;
  std::uint64_t slope_;
  std::vector<std::int32_t> prices_;  // of the colours of the palette, and of a hole
  std::int32_t run_ = 0, near_ = 0, far_ = 0;
  std::vector<std::uint8_t> colors_;
  std::vector<Index> candidates_;
};

}  // namespace lic
