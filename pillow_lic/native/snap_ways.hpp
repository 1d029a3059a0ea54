// The ways through the pixels of a row, up to one of them: the best one, and those that go on in a run or a copy (snapping.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snap_palette.hpp"
#include "snap_places.hpp"

namespace lic {

class SnapWays {
 public:
  using Index = SnapPalette::Index;
  static constexpr std::int32_t kNone = -1;
  static constexpr std::size_t kNear = 4;

  enum class Form : std::uint8_t { kColor, kRun, kCopy };
  struct Token {
    Form form;
    Index value;
    std::uint8_t place;  // of a copy: which of the near ones, kNear for others
    std::int32_t start, before, from;
  };

  // shown (height, width): what was chosen of the rows before.
  SnapWays(const SnapPalette& palette, const SnapPlaces& places, const std::vector<Index>& shown, std::size_t width)
      : palette_(palette), places_(places), shown_(shown), width_(width) {}

  const Token& token(std::int32_t at) const { return tokens_[static_cast<std::size_t>(at)]; }

  // Begins a row; goes_on: which near copy reached the end of the one before, kNear for none.
  void begin_row(std::size_t goes_on) {
    tokens_.clear();
    places_of_runs_.fill(kNoRun);
    runs_.clear();
    endings_.clear();
    copies_.fill({});
    for (std::size_t k = 0; k < kNear; ++k) {
      copies_[k].from = kAcross[k] - kAbove[k] * static_cast<std::int32_t>(width_);
      if (k == goes_on) copies_[k].way = {0, added(Form::kCopy, 0, k, 0, kNone, copies_[k].from)};
    }
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

 private:
  static constexpr std::int32_t kNever = SnapPalette::kNever;
  static constexpr std::int32_t kPruned = 40 * SnapPalette::kBit;  // above the best way, where a run ends
  static constexpr std::size_t kFar = 6;                           // copies from farther away that are followed at a time
  static constexpr std::int32_t kAcross[kNear] = {0, -1, 1, 0}, kAbove[kNear] = {1, 1, 1, 2};
  static constexpr std::size_t kMost = SnapPalette::kMost;
  static constexpr Index kHole = SnapPalette::kHole;

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

  const SnapPalette& palette_;
  const SnapPlaces& places_;
  const std::vector<Index>& shown_;
  std::size_t width_;
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
  std::vector<Token> tokens_;
};

}  // namespace lic
