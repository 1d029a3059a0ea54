// Near-lossless colours for a coder that copies (VP8L): every row takes the cheapest way through its pixels, error counted.
//
// READ ME FIRST. Three surprises:
//
//  1. A way is made of tokens: one colour of a palette; the pixel before, again and again; or pixels of rows above, from a place that goes
//     along. Only the first pixel of a token costs bits. Rows are chosen one by one, and later ones copy what was chosen.
//  2. What tokens cost comes from how often the pass before used them. So there are several passes, and between them the colours of the
//     palette become the means of the pixels that they stand for.
//  3. Costs are whole numbers, 1/256 bit each, and relative to the best way so far.
//
// Invariants, at every pixel of a row, before the next:
//     best way = 0;  a run or a copy has a token where its cost is below kNever;  runs are those of `active_`
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "snap_palette.hpp"
#include "snap_places.hpp"
#include "snap_ways.hpp"

namespace lic {

class Snapping {
 public:
  static constexpr std::size_t kMostPixels = std::size_t{1} << 28;

  // What passes leave for more of them, of these pixels or with other holes: shown (height, width), indexes of colors (n, channels) or kHole.
  struct State {
    std::vector<SnapPalette::Index> shown;
    std::vector<std::uint8_t> colors;
    SnapPalette::Counts counts;
  };

  // colors (height, width, channels), exact (height, width); slope: as of SnapPalette. before: what other passes left, with a colour at the least.
  Snapping(const std::uint8_t* colors, const std::uint8_t* exact, std::size_t height, std::size_t width, std::size_t channels,
           std::uint64_t slope, const std::optional<State>& before)
      : height_(height), width_(width), is_new_(!before), palette_(palette(SnapColors(colors, exact, height * width, channels), slope, before)),
        places_(palette_.kinds(), height, width), shown_(before ? before->shown : std::vector<Index>(height * width, Index{kHole})),
        bits_(height * width), counts_(before ? before->counts : SnapPalette::Counts{}) {}
  Snapping(const Snapping&) = delete;
  Snapping& operator=(const Snapping&) = delete;

  void run(unsigned passes) {
    if (!palette_.kinds().count()) {
      std::fill(shown_.begin(), shown_.end(), Index{kHole});
      return;
    }
    if (is_new_) guess();
    for (unsigned pass = 0; pass < passes; ++pass) {
      if (pass || !is_new_) palette_.refine(shown_, counts_);
      palette_.price_by(counts_);
      palette_.find_candidates();
      counts_ = {};
      places_.forget();
      std::fill(bits_.begin(), bits_.end(), 0);
      goes_on_ = kNear;
      for (std::size_t y = 0; y < height_; ++y) row(y);
    }
  }

  State state() const { return {shown_, palette_.colors(), counts_}; }

  // The units that the token which begins at a pixel costs, 0 where none does.
  const std::vector<std::int32_t>& bits() const { return bits_; }

  // Writes the chosen colours of pixels that are not holes.
  void show(std::uint8_t* out) const {
    const std::size_t channels = palette_.kinds().channels();
    for (std::size_t i = 0; i < shown_.size(); ++i)
      if (shown_[i] != kHole) std::copy_n(palette_.color(shown_[i]), channels, out + i * channels);
  }

 private:
  using Index = SnapPalette::Index;
  static constexpr std::size_t kNear = SnapWays::kNear;
  static constexpr std::int32_t kNone = SnapWays::kNone;
  static constexpr Index kHole = SnapPalette::kHole;
  static constexpr std::size_t kLeap = 8, kLeft = 4;  // flat pixels that are leapt over at the least, and those before the next step

  static SnapPalette palette(SnapColors kinds, std::uint64_t slope, const std::optional<State>& before) {
    return before ? SnapPalette(std::move(kinds), slope, before->colors) : SnapPalette(std::move(kinds), slope);
  }

  Index first_of(std::size_t pixel) const {
    const std::int32_t kind = palette_.kinds().of(pixel);
    return kind == SnapColors::kHole ? kHole : palette_.candidates(kind).colors[0];
  }

  // Takes pixels for new whose nearest colour is none of their neighbours'.
  void guess() {
    std::uint32_t all = 1;
    for (std::size_t y = 0, i = 0; y < height_; ++y)
      for (std::size_t x = 0; x < width_; ++x, ++i) {
        const Index own = first_of(i);
        if ((x && first_of(i - 1) == own) || (y && first_of(i - width_) == own)) continue;
        ++counts_.colors[own];
        ++all;
      }
    for (std::uint32_t& count : counts_.colors) ++count;
    counts_.runs = counts_.near = all / 8 + 1;
    counts_.far = 1;
  }

  void row(std::size_t y) {
    ways_.begin_row(goes_on_);
    std::int32_t before = kNone;
    for (std::size_t x = 0; x < width_; ++x) {
      before = ways_.step(y, x, before);
      if (const std::size_t flat = flat_after(y, x); flat >= kLeap) {
        before = ways_.leap(palette_.kinds().of(y * width_ + x), shown_[(y - 1) * width_ + x], flat, before);
        x += flat;
      }
    }
    choose(y, before);
    places_.remember(y);
  }

  // How many pixels after one are as it is, and lie as it does below pixels of one colour, where those two before it, which begin runs, are
  // as it is too; some more at the end are left to look at.
  std::size_t flat_after(std::size_t y, std::size_t x) const {
    if (!y || x < 2) return 0;
    const std::int32_t* kinds = palette_.kinds().row(y * width_);
    const Index* above = shown_.data() + (y - 1) * width_;
    std::size_t end = x + 1;
    if (above[x - 1] != above[x] || kinds[x - 1] != kinds[x] || kinds[x - 2] != kinds[x]) return 0;
    while (end < width_ && kinds[end] == kinds[x] && above[end] == above[x]) ++end;
    const std::size_t flat = end - x - 1;
    return flat > kLeft ? flat - kLeft : 0;
  }

  // Follows the tokens of a row back from its last, and lays them down.
  void choose(std::size_t y, std::int32_t last) {
    std::vector<SnapWays::Token>& way = way_;
    way.clear();
    for (std::int32_t at = last; at != kNone; at = way.back().before) way.push_back(ways_.token(at));
    goes_on_ = kNear;
    std::size_t end = width_;
    for (const SnapWays::Token& one : way) {
      ends_.push_back(end);
      end = static_cast<std::size_t>(one.start);
    }
    for (std::size_t k = way.size(); k--;) {
      const SnapWays::Token& one = way[k];
      const std::size_t first = y * width_ + static_cast<std::size_t>(one.start), behind = y * width_ + ends_[k];
      for (std::size_t i = first; i < behind; ++i)
        shown_[i] = one.form == SnapWays::Form::kCopy ? shown_[i - static_cast<std::size_t>(-one.from)] : one.value;
      if (one.form == SnapWays::Form::kColor) {
        ++counts_.colors[one.value];
        bits_[first] = palette_.price(one.value);
      } else if (one.form == SnapWays::Form::kRun) {
        ++counts_.runs;
        bits_[first] = palette_.run();
      } else if (one.place < kNear) {
        ++counts_.near;
        bits_[first] = one.start ? palette_.near() : 0;
        if (!k) goes_on_ = one.place;
      } else {
        ++counts_.far;
        bits_[first] = palette_.far();
      }
    }
    ends_.clear();
  }

  std::size_t height_, width_;
  bool is_new_;  // whether there were no passes before
  SnapPalette palette_;
  SnapPlaces places_;
  std::vector<Index> shown_;
  std::vector<std::int32_t> bits_;
  SnapPalette::Counts counts_;
  std::size_t goes_on_ = kNear;
  std::vector<SnapWays::Token> way_;
  SnapWays ways_{palette_, places_, shown_, width_};
  std::vector<std::size_t> ends_;
};

}  // namespace lic
