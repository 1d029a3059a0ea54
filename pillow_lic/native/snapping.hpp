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
#include <vector>

#include "snap_palette.hpp"
#include "snap_places.hpp"

namespace lic {

class Snapping {
 public:
  static constexpr std::size_t kMostPixels = std::size_t{1} << 28;

  // colors (height, width, channels), exact (height, width); slope: as of SnapPalette.
  Snapping(const std::uint8_t* colors, const std::uint8_t* exact, std::size_t height, std::size_t width, std::size_t channels,
           std::uint64_t slope)
      : height_(height), width_(width), palette_(SnapColors(colors, exact, height * width, channels), slope),
        places_(palette_.kinds(), height, width), shown_(height * width, Index{kHole}), bits_(height * width), runs_(kMost + 1) {}

  void run(unsigned passes) {
    if (!palette_.kinds().count()) return;
    guess();
    for (unsigned pass = 0; pass < passes; ++pass) {
      if (pass) palette_.refine(shown_, counts_);
      palette_.price_by(counts_);
      palette_.find_candidates();
      counts_ = {};
      places_.forget();
      std::fill(bits_.begin(), bits_.end(), 0);
      goes_on_ = kNear;
      for (std::size_t y = 0; y < height_; ++y) row(y);
    }
  }

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
  static constexpr std::size_t kMost = SnapPalette::kMost, kTried = SnapPalette::kTried;
  static constexpr Index kHole = SnapPalette::kHole;
  static constexpr std::int32_t kNever = SnapPalette::kNever, kNone = -1;
  static constexpr std::int32_t kPruned = 40 * SnapPalette::kBit;  // above the best way, where a run ends
  static constexpr std::size_t kFar = 6;                           // copies from farther away that are followed at a time
  static constexpr std::size_t kNear = 4;
  static constexpr std::int32_t kAcross[kNear] = {0, -1, 1, 0}, kAbove[kNear] = {1, 1, 1, 2};
  static constexpr std::size_t kLeap = 8, kLeft = 4;  // flat pixels that are leapt over at the least, and those before the next step

  enum class Form : std::uint8_t { kColor, kRun, kCopy };
  struct Token {
    Form form;
    Index value;
    std::uint8_t place;  // of a copy: which of the near ones, kNear for others
    std::int32_t start, before, from;
  };
  struct Way {
    std::int32_t cost = kNever, token = kNone;
  };
  struct Copy {
    std::int32_t from = 0;  // pixels from where it copies to here, less than 0
    Way way;
  };
  struct Ending {
    Index value;
    Way way;
  };

  Index first_of(std::size_t pixel) const {
    const std::int32_t kind = palette_.kinds().of(pixel);
    return kind == SnapColors::kHole ? kHole : *palette_.candidates(kind);
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
    tokens_.clear();
    active_.clear();
    endings_.clear();
    std::fill(runs_.begin(), runs_.end(), Way{});
    for (std::size_t k = 0; k < kNear; ++k) {
      near_copies_[k] = {kAcross[k] - kAbove[k] * static_cast<std::int32_t>(width_), {}};
      if (k == goes_on_) near_copies_[k].way = {0, added(Form::kCopy, 0, k, 0, kNone, near_copies_[k].from)};
    }
    far_copies_.fill({});
    std::int32_t before = kNone;
    for (std::size_t x = 0; x < width_; ++x) {
      before = step(y, x, before);
      if (const std::size_t flat = flat_after(y, x); flat >= kLeap) {
        before = leap(palette_.kinds().of(y * width_ + x), shown_[(y - 1) * width_ + x], flat, before);
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

  // Takes runs and copies of the row above over flat pixels at once; nothing else is cheaper there. Returns the last token of the best way.
  std::int32_t leap(std::int32_t kind, Index above, std::size_t flat, std::int32_t before) {
    const auto over = [&](Way& way, Index value) {
      const std::int64_t cost = way.cost + static_cast<std::int64_t>(flat) * palette_.error(kind, value);
      way.cost = static_cast<std::int32_t>(std::min<std::int64_t>(cost, kNever));
      if (way.cost < best_.cost) best_ = way, best_value_ = value;
    };
    best_ = {};
    for (const Index value : active_) over(runs_[value], value);
    for (std::size_t k = 0; k < kNear; ++k)
      if (kAbove[k] == 1 && near_copies_[k].way.token != kNone)
        over(near_copies_[k].way, above);
      else
        near_copies_[k].way = {};
    far_copies_.fill({});
    if (best_.token == kNone) return before;
    std::size_t kept = 0;
    for (const Index value : active_) {
      runs_[value].cost -= best_.cost;
      if (runs_[value].cost > kPruned)
        runs_[value] = {};
      else
        active_[kept++] = value;
    }
    active_.resize(kept);
    for (Copy& copy : near_copies_) lower(copy.way);
    endings_.assign(1, {best_value_, {0, best_.token}});
    return best_.token;
  }

  // Takes all ways one pixel on; before: the last token of the best one. Returns that of the best one after it.
  std::int32_t step(std::size_t y, std::size_t x, std::int32_t before) {
    const std::size_t here = y * width_ + x;
    const std::int32_t kind = palette_.kinds().of(here);
    best_ = {};
    now_.clear();
    go_on_with_runs(kind, x);
    for (std::size_t k = 0; k < kNear; ++k) {
      Copy& copy = near_copies_[k];
      if (palette_.near() < copy.way.cost) copy.way = {palette_.near(), added(Form::kCopy, 0, k, x, before, copy.from)};
      go_on(copy, here, y * width_, kind);
    }
    for (Copy& copy : far_copies_)
      if (copy.way.token != kNone) go_on(copy, here, y * width_, kind);
    begin_far(here, x, kind, before);
    if (kind == SnapColors::kHole) {
      offer(kHole, {palette_.price(kHole), added(Form::kColor, kHole, 0, x, before, 0)});
    } else {
      const Index* own = palette_.candidates(kind);
      for (std::size_t at = 0; at < kTried && (!at || own[at] != own[0]); ++at)
        offer(own[at], {palette_.price(own[at]) + palette_.error(kind, own[at]), added(Form::kColor, own[at], 0, x, before, 0)});
    }
    for (Copy& copy : near_copies_) lower(copy.way);
    for (Copy& copy : far_copies_) lower(copy.way);
    for (const Index value : active_) runs_[value].cost -= best_.cost;
    for (Ending& ending : now_) ending.way.cost -= best_.cost;
    endings_.swap(now_);
    return best_.token;
  }

  void go_on_with_runs(std::int32_t kind, std::size_t x) {
    std::size_t kept = 0;
    for (const Index value : active_) {
      runs_[value].cost += palette_.error(kind, value);
      if (runs_[value].cost > kPruned)
        runs_[value] = {};
      else
        active_[kept++] = value;
    }
    active_.resize(kept);
    for (const Ending& ending : endings_) {
      const std::int32_t cost = ending.way.cost + palette_.run() + palette_.error(kind, ending.value);
      Way& run = runs_[ending.value];
      if (cost >= run.cost || cost > kPruned) continue;
      if (run.token == kNone) active_.push_back(ending.value);
      run = {cost, added(Form::kRun, ending.value, 0, x, ending.way.token, -1)};
    }
    for (const Index value : active_)
      if (runs_[value].cost < best_.cost) best_ = runs_[value];
  }

  // A copy ends where it would come to pixels that are not chosen; they are not before `known`.
  void go_on(Copy& copy, std::size_t here, std::size_t known, std::int32_t kind) {
    const std::size_t back = static_cast<std::size_t>(-copy.from);
    if (back > here || here - back >= known) {
      copy.way = {};
      return;
    }
    const Index value = shown_[here - back];
    copy.way.cost += palette_.error(kind, value);
    if (copy.way.cost > kNever / 2)
      copy.way = {};
    else
      offer(value, copy.way);
  }

  void begin_far(std::size_t here, std::size_t x, std::int32_t kind, std::int32_t before) {
    const SnapPlaces::Bucket* alike = places_.like(here);
    if (!alike) return;
    for (const std::int32_t there : *alike) {
      if (there < 0) break;
      const std::int32_t from = there - static_cast<std::int32_t>(here);
      const Index value = shown_[static_cast<std::size_t>(there)];
      const std::int32_t cost = palette_.far() + palette_.error(kind, value);
      auto same = std::find_if(far_copies_.begin(), far_copies_.end(), [&](const Copy& one) { return one.way.token != kNone && one.from == from; });
      if (same == far_copies_.end())
        same = std::max_element(far_copies_.begin(), far_copies_.end(), [](const Copy& one, const Copy& other) { return one.way.cost < other.way.cost; });
      if (cost >= same->way.cost || cost > kNever / 2) continue;
      *same = {from, {cost, added(Form::kCopy, 0, kNear, x, before, from)}};
      offer(value, same->way);
    }
  }

  void lower(Way& way) const {
    if (way.token != kNone) way.cost -= best_.cost;
  }

  // Takes a way that ends in a colour into account.
  void offer(Index value, Way way) {
    if (way.cost < best_.cost) best_ = way;
    for (Ending& ending : now_)
      if (ending.value == value) {
        if (way.cost < ending.way.cost) ending.way = way;
        return;
      }
    now_.push_back({value, way});
  }

  std::int32_t added(Form form, Index value, std::size_t place, std::size_t start, std::int32_t before, std::int32_t from) {
    tokens_.push_back({form, value, static_cast<std::uint8_t>(place), static_cast<std::int32_t>(start), before, from});
    return static_cast<std::int32_t>(tokens_.size()) - 1;
  }

  // Follows the tokens of a row back from its last, and lays them down.
  void choose(std::size_t y, std::int32_t last) {
    std::vector<Token>& way = way_;
    way.clear();
    for (std::int32_t at = last; at != kNone; at = way.back().before) way.push_back(tokens_[static_cast<std::size_t>(at)]);
    goes_on_ = kNear;
    std::size_t end = width_;
    for (const Token& one : way) {
      ends_.push_back(end);
      end = static_cast<std::size_t>(one.start);
    }
    for (std::size_t k = way.size(); k--;) {
      const Token& one = way[k];
      const std::size_t first = y * width_ + static_cast<std::size_t>(one.start), behind = y * width_ + ends_[k];
      for (std::size_t i = first; i < behind; ++i)
        shown_[i] = one.form == Form::kCopy ? shown_[i - static_cast<std::size_t>(-one.from)] : one.value;
      if (one.form == Form::kColor) {
        ++counts_.colors[one.value];
        bits_[first] = palette_.price(one.value);
      } else if (one.form == Form::kRun) {
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
  SnapPalette palette_;
  SnapPlaces places_;
  std::vector<Index> shown_, active_;
  std::vector<std::int32_t> bits_;
  SnapPalette::Counts counts_;
  std::vector<Way> runs_;
  std::array<Copy, kNear> near_copies_{};
  std::array<Copy, kFar> far_copies_{};
  std::vector<Ending> endings_, now_;
  Way best_;
  Index best_value_ = 0;
  std::size_t goes_on_ = kNear;
  std::vector<Token> tokens_, way_;
  std::vector<std::size_t> ends_;
};

}  // namespace lic
