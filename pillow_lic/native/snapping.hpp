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
        places_(palette_.kinds(), height, width), shown_(height * width, Index{kHole}), bits_(height * width) {}

  // What passes leave for more of them, of these pixels or with other holes: shown (height, width), indexes of colors (n, channels) or kHole.
  struct State {
    std::vector<SnapPalette::Index> shown;
    std::vector<std::uint8_t> colors;
    SnapPalette::Counts counts;
  };

  Snapping(const std::uint8_t* colors, const std::uint8_t* exact, std::size_t height, std::size_t width, std::size_t channels,
           std::uint64_t slope, State before)
      : height_(height), width_(width), palette_(SnapColors(colors, exact, height * width, channels), slope, std::move(before.colors)),
        places_(palette_.kinds(), height, width), shown_(std::move(before.shown)), bits_(height * width), counts_(before.counts), goes_on_after_(true) {}

  void run(unsigned passes) {
    if (!palette_.kinds().count()) {
      std::fill(shown_.begin(), shown_.end(), Index{kHole});
      return;
    }
    if (!goes_on_after_) guess();
    for (unsigned pass = 0; pass < passes; ++pass) {
      if (pass || goes_on_after_) palette_.refine(shown_, counts_);
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
  // token: the last one; or what says which it is, until it is wanted: kNew, or of a way that ends in a copy, kCopies and its place.
  struct Way {
    std::int32_t cost = kNever, token = kNone;
  };
  static constexpr std::int32_t kNew = -2, kCopies = -3;
  struct Copy {
    std::int32_t from = 0;  // pixels from where it copies to here, less than 0
    Way way;
    std::int32_t start = 0, before = kNone;  // of its token, where that is new
  };
  struct Ending {
    std::int32_t value = 0;  // of four bytes, as all of a structure is copied at once
    Way way;
  };
  struct Run {
    std::int32_t value = 0;
    Way way;
  };

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
    tokens_.clear();
    end_runs();
    endings_.clear();
    copies_.fill({});
    for (std::size_t k = 0; k < kNear; ++k) {
      copies_[k].from = kAcross[k] - kAbove[k] * static_cast<std::int32_t>(width_);
      if (k == goes_on_) copies_[k].way = {0, added(Form::kCopy, 0, k, 0, kNone, copies_[k].from)};
    }
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
    const SnapPalette::Levels wanted = palette_.levels(kind);
    best_ = {};
    const auto over = [&](Way& way, Index value, std::int32_t token) {
      const std::int64_t cost = way.cost + static_cast<std::int64_t>(flat) * palette_.error(wanted, value);
      way.cost = static_cast<std::int32_t>(std::min<std::int64_t>(cost, kNever));
      if (way.cost < best_.cost) best_ = {way.cost, token}, best_value_ = value;
    };
    for (Run& run : runs_) over(run.way, run.value, run.way.token);
    for (std::size_t k = 0; k < copies_.size(); ++k)
      if (k < kNear && kAbove[k] == 1 && copies_[k].way.token != kNone)
        over(copies_[k].way, above, token_of(k));
      else
        copies_[k].way = {};
    if (best_.token == kNone) return before;
    const std::int32_t last = best_token(0, before);
    for (Run& run : runs_) run.way.cost -= best_.cost;
    prune();
    for (Copy& copy : copies_) lower(copy.way);
    endings_.assign(1, {best_value_, {0, last}});
    return last;
  }

  // Takes all ways one pixel on; before: the last token of the best one. Returns that of the best one after it.
  std::int32_t step(std::size_t y, std::size_t x, std::int32_t before) {
    const std::size_t here = y * width_ + x;
    const std::int32_t kind = palette_.kinds().of(here);
    const SnapPalette::Levels wanted = palette_.levels(kind);
    best_ = {};
    now_.clear();
    ++tick_;
    go_on_with_runs(wanted, x);
    before_ = before;
    for (std::size_t k = 0; k < kNear; ++k) {
      if (palette_.near() < copies_[k].way.cost) begin(copies_[k], palette_.near(), x, before);
      go_on(k, here, y * width_, wanted);
    }
    for (std::size_t k = kNear; k < copies_.size(); ++k)
      if (copies_[k].way.token != kNone) go_on(k, here, y * width_, wanted);
    begin_far(here, x, wanted, before);
    if (kind == SnapColors::kHole) {
      offer(kHole, {palette_.price(kHole), kNew});
    } else {
      const SnapPalette::Candidates& own = palette_.candidates(kind);
      for (std::size_t at = 0; at < palette_.tried(); ++at) offer(own.colors[at], {own.costs[at], kNew});
    }
    const std::int32_t last = best_token(x, before);
    for (Copy& copy : copies_) lower(copy.way);
    for (Run& run : runs_) run.way.cost -= best_.cost;
    for (Ending& ending : now_) ending.way.cost -= best_.cost;
    endings_.swap(now_);
    return last;
  }

  void go_on_with_runs(const SnapPalette::Levels& wanted, std::size_t x) {
    for (Run& run : runs_) run.way.cost += palette_.error(wanted, run.value);
    prune();
    for (const Ending& ending : endings_) {
      const std::int32_t cost = ending.way.cost + palette_.run() + palette_.error(wanted, ending.value);
      if (cost > kPruned) continue;
      std::uint16_t& place = places_of_runs_[ending.value];
      if (place == kNoRun) {
        place = static_cast<std::uint16_t>(runs_.size());
        runs_.emplace_back().value = ending.value;
      }
      Way& run = runs_[place].way;
      if (cost < run.cost) run = {cost, added(Form::kRun, ending.value, 0, x, token_of(ending, x - 1), -1)};
    }
    for (const Run& run : runs_)
      if (run.way.cost < best_.cost) best_ = run.way, best_value_ = run.value;
  }

  // Ends the runs that cost too much.
  void prune() {
    std::size_t kept = 0;
    for (const Run& run : runs_)
      if (run.way.cost > kPruned) {
        places_of_runs_[run.value] = kNoRun;
      } else {
        places_of_runs_[run.value] = static_cast<std::uint16_t>(kept);
        runs_[kept++] = run;
      }
    runs_.resize(kept);
  }

  void end_runs() {
    places_of_runs_.fill(kNoRun);
    runs_.clear();
  }

  static void begin(Copy& copy, std::int32_t cost, std::size_t x, std::int32_t before) {
    copy.way = {cost, kNew};
    copy.start = static_cast<std::int32_t>(x);
    copy.before = before;
  }

  // A copy ends where it would come to pixels that are not chosen; they are not before `known`.
  void go_on(std::size_t k, std::size_t here, std::size_t known, const SnapPalette::Levels& wanted) {
    Copy& copy = copies_[k];
    const std::size_t back = static_cast<std::size_t>(-copy.from);
    if (back > here || here - back >= known) {
      copy.way = {};
      return;
    }
    const Index value = shown_[here - back];
    copy.way.cost += palette_.error(wanted, value);
    if (copy.way.cost > kNever / 2)
      copy.way = {};
    else
      offer(value, {copy.way.cost, kCopies - static_cast<std::int32_t>(k)});
  }

  void begin_far(std::size_t here, std::size_t x, const SnapPalette::Levels& wanted, std::int32_t before) {
    const SnapPlaces::Bucket* alike = places_.like(here);
    if (!alike) return;
    for (const std::int32_t there : *alike) {
      if (there < 0) break;
      const std::int32_t from = there - static_cast<std::int32_t>(here);
      const Index value = shown_[static_cast<std::size_t>(there)];
      const std::int32_t cost = palette_.far() + palette_.error(wanted, value);
      if (cost > kNever / 2) continue;
      std::size_t same = copies_.size(), dearest = kNear;
      for (std::size_t k = kNear; k < copies_.size(); ++k) {
        if (copies_[k].from == from && copies_[k].way.token != kNone) same = std::min(same, k);
        if (copies_[k].way.cost > copies_[dearest].way.cost) dearest = k;
      }
      if (same == copies_.size()) same = dearest;
      Copy& copy = copies_[same];
      if (cost >= copy.way.cost) continue;
      if (copy.way.token != kNone) settle(same);
      copy.from = from;
      begin(copy, cost, x, before);
      offer(value, {cost, kCopies - static_cast<std::int32_t>(same)});
    }
  }

  // Writes the token of a copy for the ways of this pixel that end in it, before another takes its place.
  void settle(std::size_t k) {
    const std::int32_t name = kCopies - static_cast<std::int32_t>(k);
    if (best_.token == name) best_.token = token_of(k);
    for (Ending& ending : now_)
      if (ending.way.token == name) ending.way.token = token_of(k);
  }

  void lower(Way& way) const {
    if (way.token != kNone) way.cost -= best_.cost;
  }

  // Takes a way that ends in a colour into account.
  void offer(Index value, Way way) {
    if (way.cost < best_.cost) best_ = way, best_value_ = value;
    if (ticks_[value] != tick_) {
      ticks_[value] = tick_;
      places_of_endings_[value] = static_cast<std::uint16_t>(now_.size());
      Ending& ending = now_.emplace_back();
      ending.value = value;
      ending.way = way;
    } else if (Way& known = now_[places_of_endings_[value]].way; way.cost < known.cost) {
      known = way;
    }
  }

  // The token of a copy.
  std::int32_t token_of(std::size_t k) {
    Copy& copy = copies_[k];
    if (copy.way.token == kNew) copy.way.token = added(Form::kCopy, 0, std::min(k, kNear), static_cast<std::size_t>(copy.start), copy.before, copy.from);
    return copy.way.token;
  }

  // That of a way that ended at a pixel, behind the token `before_` where its own is a colour.
  std::int32_t token_of(const Ending& ending, std::size_t x) {
    if (ending.way.token >= 0) return ending.way.token;
    if (ending.way.token == kNew) return added(Form::kColor, ending.value, 0, x, before_, 0);
    return token_of(static_cast<std::size_t>(kCopies - ending.way.token));
  }

  // That of the best way to a pixel.
  std::int32_t best_token(std::size_t x, std::int32_t before) {
    before_ = before;
    return token_of(Ending{best_value_, best_}, x);
  }

  std::int32_t added(Form form, Index value, std::size_t place, std::size_t start, std::int32_t before, std::int32_t from) {
    Token& token = tokens_.emplace_back();
    token.form = form;
    token.value = value;
    token.place = static_cast<std::uint8_t>(place);
    token.start = static_cast<std::int32_t>(start);
    token.before = before;
    token.from = from;
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
  std::vector<Index> shown_;
  std::vector<std::int32_t> bits_;
  SnapPalette::Counts counts_;
  bool goes_on_after_ = false;  // whether there were passes before
  static constexpr std::uint16_t kNoRun = kMost + 1;
  std::vector<Run> runs_;
  std::array<Copy, kNear + kFar> copies_{};  // the near ones first
  std::vector<Ending> endings_, now_;
  Way best_;
  Index best_value_ = 0;
  std::int32_t before_ = kNone;  // the best way before the pixel that `endings_` end at
  std::uint32_t tick_ = 0;       // pixels so far
  std::array<std::uint32_t, kMost + 1> ticks_{};
  std::array<std::uint16_t, kMost + 1> places_of_runs_{}, places_of_endings_{};  // of the colours; kNoRun where there is none
  std::size_t goes_on_ = kNear;
  std::vector<Token> tokens_, way_;
  std::vector<std::size_t> ends_;
};

}  // namespace lic
