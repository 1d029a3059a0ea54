// Symbols of 6 bits in bit planes, each bit in a context of what is known around it: FORMAT.md 14.13, over bits.hpp.
//
// READ ME FIRST. Four surprises:
//
//  1. A group of channels goes in two halves, as a chequerboard has black and white, and contexts of a half look at the other half
//     of its own channels and at what was known before. So all of them are there before the first bit of the half is asked for.
//  2. `Answer` is asked for arrays of bits, and gives how many there are. One that knows the symbols writes down bits and contexts,
//     one with a decoder reads (ReadBits).
//  3. Nothing of a half counts before all three of its arrays are there: a cut stream leaves whole halves.
//  4. Arrays of symbols have a frame of zeros, one place wide: a place is a number in a framed array, and -1, 1, -stride and stride
//     lead to its sides.
//
// Invariants:
//     0 <= magnitude <= 31;  sign is -1 or 1 where the magnitude is not 0, else 0;  both are 0 in the frame
//     cut = min(magnitude >> plane, 3), all = the sum of cut over the channels, while a plane is walked
//     near <= 36,  |v| <= 2 * 31 + 32,  contexts < kSymbolContexts <= kMaxContexts
#pragma once

#include <cstdlib>

#include "bits.hpp"
#include "trellis.hpp"

namespace lic {

constexpr unsigned kMagnitudePlanes = 5;
constexpr std::size_t kSymbolGroups = 8, kSmoothGroups = 2, kOwnSigns = 24;
constexpr std::size_t kFirstOfGroup[kSymbolGroups] = {0, 1, 3, 6, 12, 24, 48, 72};
// The first context of each kind, and the number of all; those from kSymbolContexts on say which planes there are.
constexpr std::size_t kSignContexts = 64 * kMagnitudePlanes * kSymbolGroups, kRefinementContexts = kSignContexts + 9 * (kOwnSigns + 1),
                      kSymbolContexts = kRefinementContexts + 21 * kSymbolGroups;

// How many of 1, 2, 3, 5, 7, 10, 16 are not above `near` of n places of a row, by rows of `cut`; plus 8 times what is busy.
LIC_VERSIONS inline void magnitude_contexts(const std::uint8_t* above, const std::uint8_t* same, const std::uint8_t* below,
                                            const std::uint8_t* busy, std::size_t n, std::uint8_t* out) {
  for (std::size_t j = 0; j < n; ++j) {
    const std::uint8_t* const rows[] = {above + j, same + j, below + j};
    const auto near = static_cast<std::uint8_t>(rows[0][-1] + 2 * rows[0][0] + rows[0][1] + 2 * rows[1][-1] + 2 * rows[1][1] +
                                                rows[2][-1] + 2 * rows[2][0] + rows[2][1]);
    out[j] = static_cast<std::uint8_t>(8 * busy[j] + (near >= 1) + (near >= 2) + (near >= 3) + (near >= 5) + (near >= 7) +
                                       (near >= 10) + (near >= 16));
  }
}

// How many of 1, 8, 16, 32, 64, 128, 256 are not above 4 times `all` and `all` at the sides, of n places of a row.
LIC_VERSIONS inline void busy_eighths(const std::uint32_t* above, const std::uint32_t* same, const std::uint32_t* below, std::size_t n,
                                      std::uint8_t* out) {
  for (std::size_t j = 0; j < n; ++j) {
    const std::uint32_t around = 4 * same[j] + above[j] + below[j] + same[j - 1] + same[j + 1];
    out[j] = static_cast<std::uint8_t>((around >= 1) + (around >= 8) + (around >= 16) + (around >= 32) + (around >= 64) +
                                       (around >= 128) + (around >= 256));
  }
}

LIC_VERSIONS inline void cut_magnitudes(const std::int8_t* magnitude, std::size_t n, unsigned plane, std::uint8_t* cut) {
  for (std::size_t i = 0; i < n; ++i) cut[i] = static_cast<std::uint8_t>(std::min(magnitude[i] >> plane, 3));
}

LIC_VERSIONS inline void add_cut(const std::uint8_t* cut, std::size_t n, std::uint32_t* all) {
  for (std::size_t i = 0; i < n; ++i) all[i] += cut[i];
}

// Symbols of which more and more bits are known.
class SymbolPlanes {
 public:
  // tops: how many planes each channel has; throws std::invalid_argument for more than kMagnitudePlanes, or too many symbols.
  SymbolPlanes(std::size_t channels, std::size_t rows, std::size_t columns, const std::uint8_t* tops)
      : channels_(channels), rows_(rows), columns_(columns), stride_(columns + 2), tops_(tops, tops + channels) {
    for (const unsigned top : tops_)
      if (top > kMagnitudePlanes) throw std::invalid_argument("a channel has at most 5 planes, got " + std::to_string(top));
    constexpr std::size_t most = 0xFFFFFFFF;
    if (rows > 0xFFFFFF || columns > 0xFFFFFF || (channels && (rows + 2) * stride_ > most / channels))
      throw std::invalid_argument("there are too many symbols");
    magnitude_.resize(channels * area());
    sign_.resize(channels * area());
    cut_.resize(channels * area());
    all_.resize(area());
    busy_.resize(rows * columns);
    row_.resize(columns);
    for (const std::uint8_t top : tops_) unknown_.push_back({top, top});
  }

  std::size_t area() const { return (rows_ + 2) * stride_; }
  // The place of the first symbol of a row.
  std::size_t place(std::size_t channel, std::size_t row) const { return channel * area() + (row + 1) * stride_ + 1; }

  // Asks for the bits of the first `end` pairs of a plane and a channel; false where `answer` had not all that it was asked for.
  template <typename Answer>
  bool walk(std::size_t end, Answer& answer) {
    for (unsigned plane = kMagnitudePlanes; plane-- > 0;) {
      const std::size_t before = (kMagnitudePlanes - 1 - plane) * channels_;
      const std::size_t coded = std::min(channels_, end - std::min(end, before));
      cut_magnitudes(magnitude_.data(), magnitude_.size(), plane, cut_.data());
      std::fill(all_.begin(), all_.end(), 0u);
      for (std::size_t k = 0; k < channels_; ++k) add_cut(&cut_[k * area()], area(), all_.data());
      for (std::size_t group = 0; group < kSymbolGroups; ++group) {
        const std::size_t last = std::min(coded, group + 1 < kSymbolGroups ? kFirstOfGroup[group + 1] : coded);
        std::vector<std::size_t> chosen;
        for (std::size_t k = kFirstOfGroup[group]; k < last; ++k)
          if (tops_[k] > plane) chosen.push_back(k);
        for (unsigned half = 0; half < 2 && !chosen.empty(); ++half)
          if (!walk(plane, group, chosen, half, answer)) return false;
      }
    }
    return true;
  }

  // The symbols as far as they are known, (channels, rows, columns): unknown bits are 0.
  void symbols(std::int8_t* out) const {
    for (std::size_t k = 0; k < channels_; ++k)
      for (std::size_t i = 0; i < rows_; ++i)
        for (std::size_t j = 0, at = place(k, i); j < columns_; ++j)
          *out++ = static_cast<std::int8_t>(sign_[at + j] * magnitude_[at + j]);
  }

  // How many of the lowest planes of the symbols of a half are not known, (channels, 2).
  void unknown(std::uint8_t* out) const {
    for (const auto& halves : unknown_) out = std::copy(halves.begin(), halves.end(), out);
  }

 private:
  struct Beside {
    int level, spread;
  };

  template <typename Answer>
  bool walk(unsigned plane, std::size_t group, const std::vector<std::size_t>& chosen, unsigned half, Answer& answer) {
    const bool smooth = group < kSmoothGroups;
    if (!smooth) look_around();
    const std::size_t most = chosen.size() * rows_ * columns_ + 1;
    for (auto* places : {&fresh_, &known_}) places->resize(std::max(places->size(), most));
    contexts_.resize(std::max(contexts_.size(), most));
    std::size_t fresh = 0, known = 0;
    for (const std::size_t k : chosen) {
      const std::size_t offset = 64 * (kMagnitudePlanes * group + tops_[k] - 1 - plane);
      for (std::size_t i = 0; i < rows_; ++i) {
        const std::size_t at = place(k, i), first = (i + half) % 2;
        if (smooth) {
          for (std::size_t j = first; j < columns_; j += 2) row_[j] = value_context(beside(at + j, k, half, plane));
        } else {
          magnitude_contexts(&cut_[at - stride_], &cut_[at], &cut_[at + stride_], &busy_[i * columns_], columns_, row_.data());
        }
        for (std::size_t j = first; j < columns_; j += 2) {
          const bool is_known = magnitude_[at + j] != 0;
          fresh_[fresh] = known_[known] = static_cast<std::uint32_t>(at + j);
          contexts_[fresh] = static_cast<std::uint16_t>(offset + row_[j]);
          fresh += !is_known, known += is_known;
        }
      }
    }
    bits_.resize(fresh);
    if (answer(fresh_.data(), plane, contexts_.data(), bits_.data(), fresh) < fresh) return false;

    std::size_t found = 0;
    for (std::size_t i = 0; i < fresh; ++i) {
      fresh_[found] = fresh_[i];
      found += bits_[i];
    }
    for (std::size_t i = 0; i < found; ++i) {
      const std::int8_t* s = &sign_[fresh_[i]];
      const std::size_t own = std::min(fresh_[i] / area(), kOwnSigns);
      contexts_[i] = static_cast<std::uint16_t>(kSignContexts + 9 * own + 3 * (1 + sign_of(s[-1] + s[1])) + 1 +
                                                sign_of(*(s - stride_) + s[stride_]));
    }
    negative_.resize(found);
    if (answer(fresh_.data(), kSigns, contexts_.data(), negative_.data(), found) < found) return false;

    for (std::size_t i = 0; i < known; ++i) {
      const std::size_t at = known_[i];
      const Beside here = beside(at, at / area(), half, plane);
      const int m = magnitude_[at], size = smooth ? std::min(here.spread, 4) >> 1 : std::min(m >> (plane + 1), 4) >> 1;
      const int side = std::clamp((sign_[at] * here.level - 2 * (m >> plane) + 5) >> 1, 0, 6);
      contexts_[i] = static_cast<std::uint16_t>(kRefinementContexts + 21 * group + 7 * size + side);
    }
    bits_.resize(known);
    if (answer(known_.data(), plane, contexts_.data(), bits_.data(), known) < known) return false;

    for (std::size_t i = 0; i < found; ++i) {
      sign_[fresh_[i]] = static_cast<std::int8_t>(1 - 2 * negative_[i]);
      change(fresh_[i], 1u << plane, plane);
    }
    for (std::size_t i = 0; i < known; ++i) change(known_[i], static_cast<unsigned>(bits_[i]) << plane, plane);
    for (const std::size_t k : chosen) unknown_[k][half] = static_cast<std::uint8_t>(plane);
    return true;
  }

  static int sign_of(int value) { return (value > 0) - (value < 0); }

  void change(std::size_t at, unsigned bit, unsigned plane) {
    magnitude_[at] = static_cast<std::int8_t>(magnitude_[at] | bit);
    const auto cut = static_cast<std::uint8_t>(std::min(magnitude_[at] >> plane, 3));
    all_[at % area()] += cut - cut_[at];
    cut_[at] = cut;
  }

  void look_around() {
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::uint32_t* same = &all_[place(0, i)];
      busy_eighths(same - stride_, same, same + stride_, columns_, &busy_[i * columns_]);
    }
  }

  // What the values at the four sides say of one of a channel and half: their mean in halves of the plane's unit, and how far
  // apart they are in its units.
  LIC_INLINE Beside beside(std::size_t at, std::size_t channel, unsigned half, unsigned plane) const {
    const int rest = 1 << unknown_[channel][1 - half];
    int sum = 0, least = 1 << 30, largest = -least;
    for (const std::size_t side : {at - 1, at + 1, at - stride_, at + stride_}) {
      const int v = sign_[side] * (2 * magnitude_[side] + rest);
      sum += v, least = std::min(least, v), largest = std::max(largest, v);
    }
    return {sum >> (plane + 2), (largest - least) >> (plane + 1)};
  }

  static std::uint8_t value_context(Beside beside) {
    return static_cast<std::uint8_t>(std::min((std::abs(beside.level) + 1) >> 1, 7) + 8 * std::min(beside.spread, 7));
  }

 public:
  static constexpr unsigned kSigns = kMagnitudePlanes;  // the plane of which answers are 1 where a symbol is negative

 private:
  std::size_t channels_, rows_, columns_, stride_;
  std::vector<std::uint8_t> tops_;
  std::vector<std::array<std::uint8_t, 2>> unknown_;  // of each channel and half
  std::vector<std::int8_t> magnitude_, sign_;         // framed
  std::vector<std::uint8_t> cut_, busy_, row_, bits_, negative_;
  std::vector<std::uint32_t> all_, fresh_, known_;
  std::vector<std::uint16_t> contexts_;
};

// An answer that knows symbols, and keeps bits and contexts in the order of the stream.
struct KnownSymbols {
  // q: (channels, rows, columns), as `planes` has them.
  KnownSymbols(const std::int8_t* q, std::size_t channels, std::size_t rows, std::size_t columns, const SymbolPlanes& planes)
      : framed(channels * planes.area()) {
    for (std::size_t k = 0; k < channels; ++k)
      for (std::size_t i = 0; i < rows; ++i, q += columns) std::copy_n(q, columns, &framed[planes.place(k, i)]);
  }

  std::size_t operator()(const std::uint32_t* places, std::size_t plane, const std::uint16_t* of, std::uint8_t* answers, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const int q = framed[places[i]];
      answers[i] = static_cast<std::uint8_t>(plane == SymbolPlanes::kSigns ? q < 0 : std::abs(q) >> plane & 1);
    }
    bits.insert(bits.end(), answers, answers + n);
    contexts.insert(contexts.end(), of, of + n);
    return n;
  }

  std::vector<std::int8_t> framed;
  std::vector<std::uint8_t> bits;
  std::vector<std::uint16_t> contexts;
};

}  // namespace lic
