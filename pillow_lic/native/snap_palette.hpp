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
    levels_[kHole].first = kBeyond;
    find_candidates();
  }

  // Of colours (n, channels), n from 1 to kMost, that a palette had before; nothing is priced.
  SnapPalette(SnapColors kinds, std::uint64_t slope, std::vector<std::uint8_t> colors)
      : kinds_(std::move(kinds)), slope_(slope), prices_(kMost + 1, kFirst), colors_(std::move(colors)) {
    levels_[kHole].first = kBeyond;
  }

  const SnapColors& kinds() const { return kinds_; }
  const std::vector<std::uint8_t>& colors() const { return colors_; }
  const std::uint8_t* color(Index value) const { return colors_.data() + value * kinds_.channels(); }
  std::int32_t price(Index value) const { return prices_[value]; }
  std::int32_t run() const { return run_; }
  std::int32_t near() const { return near_; }
  std::int32_t far() const { return far_; }

  // The levels of a colour, 0 where it has no such channel; those of a hole are beyond all others.
  struct Levels {
    std::int32_t first = 0, second = 0, third = 0;
  };
  static constexpr std::int32_t kBeyond = 1 << 12;

  Levels levels(std::int32_t kind) const { return kind == SnapColors::kHole ? Levels{kBeyond} : levels_of(kinds_.color(kind)); }

  // What a pixel of those levels loses as a colour of the palette.
  std::int32_t error(const Levels& wanted, Index value) const {
    const Levels& own = levels_[value];
    const std::int32_t first = wanted.first - own.first, second = wanted.second - own.second, third = wanted.third - own.third;
    const std::int32_t distance = first * first + second * second + third * third;
    if (distance >= kFromHole) return kNever;
    return static_cast<std::int32_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(distance) * slope_ >> 16, kMostError));
  }

  // The colours, up to kTried of them, that cost least for a kind, error counted; in order. The nearest is one of them, if the last: it may be
  // too dear for a pixel, but not for the ground that begins there.
  struct Candidates {
    std::array<std::int32_t, kTried> costs;
    std::array<Index, kTried> colors;
  };
  const Candidates& candidates(std::int32_t kind) const { return candidates_[static_cast<std::size_t>(kind)]; }
  std::size_t tried() const { return std::min(kTried, colors_.size() / kinds_.channels()); }

  void find_candidates() {
    const std::size_t entries = colors_.size() / kinds_.channels();
    for (std::size_t entry = 0; entry < entries; ++entry) levels_[entry] = levels_of(color(static_cast<Index>(entry)));
    candidates_.resize(kinds_.count());
    for (std::size_t kind = 0; kind < kinds_.count(); ++kind) {
      const Levels wanted = levels(static_cast<std::int32_t>(kind));
      Candidates& own = candidates_[kind];
      own.costs.fill(kNever);
      std::pair<std::int32_t, std::int32_t> least{kNever, kNever};  // error and cost of the nearest
      Index nearest = 0;
      for (std::size_t entry = 0; entry < entries; ++entry) {
        const std::int32_t lost = error(wanted, static_cast<Index>(entry)), cost = lost + prices_[entry];
        if (const std::pair now{lost, cost}; now < least) least = now, nearest = static_cast<Index>(entry);
        if (cost >= own.costs.back()) continue;
        std::size_t at = kTried - 1;
        for (; at && own.costs[at - 1] > cost; --at) own.costs[at] = own.costs[at - 1], own.colors[at] = own.colors[at - 1];
        own.costs[at] = cost;
        own.colors[at] = static_cast<Index>(entry);
      }
      const auto end = own.colors.begin() + static_cast<std::ptrdiff_t>(tried());
      if (std::find(own.colors.begin(), end, nearest) == end) *(end - 1) = nearest, own.costs[tried() - 1] = least.second;
    }
  }

  // Takes for every colour the mean of the pixels that show it; those that none shows are gone, from the counts too. All stay if none is shown.
  void refine(const std::vector<Index>& shown, Counts& counts) {
    const std::size_t channels = kinds_.channels(), entries = colors_.size() / channels;
    std::vector<std::uint64_t> sums(entries * channels), uses(entries);
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (shown[i] == kHole || kinds_.of(i) == SnapColors::kHole) continue;
      ++uses[shown[i]];
      const std::uint8_t* color = kinds_.color(kinds_.of(i));
      for (std::size_t c = 0; c < channels; ++c) sums[shown[i] * channels + c] += color[c];
    }
    if (std::all_of(uses.begin(), uses.end(), [](std::uint64_t one) { return !one; })) return;
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

  static constexpr std::int32_t kFromHole = 1 << 20;   // squared distance from which on one of two colours is a hole

  Levels levels_of(const std::uint8_t* color) const {
    Levels result;
    std::int32_t* own[] = {&result.first, &result.second, &result.third};
    for (std::size_t c = 0; c < kinds_.channels(); ++c) *own[c] = color[c];
    return result;
  }

  static std::int32_t information(double share) { return static_cast<std::int32_t>(std::lrint(-kBit * std::log2(share))); }

  SnapColors kinds_;
  std::uint64_t slope_;
  std::vector<std::int32_t> prices_;  // of the colours of the palette, and of a hole
  std::int32_t run_ = 0, near_ = 0, far_ = 0;
  std::vector<std::uint8_t> colors_;
  std::array<Levels, kMost + 1> levels_{};  // of the colours of the palette, and of a hole
  std::vector<Candidates> candidates_;      // of the kinds
};

}  // namespace lic
