// READ ME FIRST. The last step of a decoder: a filter of 5x5 pixels whose coefficients stand in the file (FORMAT.md, 8.7).
//
//     v  colours in 1/16 of a level, 0..4080           d(p) = v(x + p) - v(x), the difference from a neighbour
//
//     out = v + (sum over colours c and pairs of neighbours p, -p
//                  wide[c][p]    * (d_c(p) + d_c(-p))                    12 pairs: those of 5x5
//                + clipped[c][p] * (clip(d_c(p)) + clip(d_c(-p)))         4 pairs: those of 3x3
//               ) / 2^shift                                               clip: to -threshold..threshold
//
// Two more kinds may be there. Directed ones, where the picture changes most along rows, columns or a diagonal (directions.hpp): the same
// of luma, 12 wide and 12 clipped pairs, whose places are turned to that direction, weighed by how clear it is. Alternating ones, added
// to the wide 3x3 or taken off by turns, from row to row, from column to column, or both.
//
// Differences make the sum of all weights 1, so flat ground stays as it is, and pairs halve what a file has to say. The clipped ones
// see edges as no more than noise: they smooth beside an edge without dulling it. The directed ones know how an edge lies, and the
// alternating ones undo what a camera or a network makes of pixels by the place in their 2x2.
// Sources: the Wiener filter of AV1's loop restoration, the constrained differences of its CDEF, the turned classes of VVC's loop filter.
//
// Invariants, all int32:  |coefficient| <= 127, with what alternates <= 4 * 127,  |d(p) + d(-p)| <= 8160:
// |sum| <= (3 * (4 * 4 + 12) + 24) * 127 * 8160 < 2^27;  shift <= 9:  v * 2^shift < 2^21. Neighbours beyond the array are the nearest in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "directions.hpp"
#include "filter_places.hpp"
#include "kernels.hpp"
#include "rows.hpp"
#include "trellis.hpp"

namespace lic {

constexpr int kInner = 4, kTaps = kWide + kInner, kDirected = 2 * kWide, kTurns = 3;
constexpr int kFraction = 4, kLargest = 255 << kFraction, kLargestShift = 9, kLargestCoefficient = 127;
// Rows and columns of one of each pair; the first four are those of 3x3.
constexpr int kPlaces[kWide][2] = {{0, 1}, {1, -1}, {1, 0}, {1, 1},  {0, 2}, {1, -2},
                                    {1, 2}, {2, -2}, {2, -1}, {2, 0}, {2, 1}, {2, 2}};
// The pairs that stand for them where the picture changes along rows, along columns, down and up the diagonals.
constexpr int kTurned[kDirections][kWide] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
                                             {2, 1, 0, 3, 9, 8, 10, 7, 5, 4, 6, 11},
                                             {3, 0, 1, 2, 11, 6, 10, 4, 5, 7, 8, 9},
                                             {1, 0, 3, 2, 7, 5, 8, 4, 6, 11, 10, 9}};

LIC_INLINE std::uint16_t fixed(float level) {
  const float sixteenths = level * (1 << kFraction);
  return static_cast<std::uint16_t>(std::min(std::max(0.0f, sixteenths), static_cast<float>(kLargest)) + 0.5f);
}

// Rows of cells (12, height, width), channels by colour, row and column in a cell of 2x2, in levels, to pixels (2 * rows, 2 * width, 3) in
// sixteenths, half up; what is not a number becomes 0.
LIC_VERSIONS inline void spread(const float* cells, std::size_t height, std::size_t width, std::size_t first, std::size_t last,
                                std::uint16_t* out) {
  for (std::size_t row = first; row < last; ++row)
    for (std::size_t inner = 0; inner < 2; ++inner, out += 2 * width * kColours)
      for (std::size_t colour = 0; colour < kColours; ++colour) {
        const float* left = cells + ((4 * colour + 2 * inner) * height + row) * width;
        const float* right = left + height * width;
        for (std::size_t x = 0; x < width; ++x) {
          out[2 * x * kColours + colour] = fixed(left[x]);
          out[(2 * x + 1) * kColours + colour] = fixed(right[x]);
        }
      }
}

struct Filter {
  std::int16_t coefficients[kColours][kColours][kTaps];          // of what comes out, of what goes in; wide ones, clipped ones
  std::int16_t directed[kColours][kDirected];                    // of what comes out; of luma, wide ones, clipped ones
  std::int16_t alternating[kTurns][kColours][kColours][kInner];  // by rows, by columns, by both; of what comes out, of what goes in
  std::int16_t threshold;
  int shift;
};

// 1 or -1: how an alternating coefficient counts in a row and column.
constexpr int sign_of(int turn, std::size_t row, std::size_t column) {
  return ((turn != 1 ? row : 0) + (turn != 0 ? column : 0)) % 2 ? -1 : 1;
}

// What a difference counts for the three colours that come out, in even and odd pixels of a run, which begins at an even column.
struct Weights {
  std::int16_t of[kColours][2] = {};
  bool any = false;

  void set(int made, std::size_t column, int weight) {
    of[made][column] = static_cast<std::int16_t>(weight);
    any |= weight != 0;
  }
};

inline Weights weights_of(const Filter& filter, std::size_t row, std::size_t left, int colour, int tap) {
  Weights result;
  for (std::size_t column = 0; column < 2; ++column)
    for (int made = 0; made < kColours; ++made) {
      int sum = filter.coefficients[made][colour][tap];
      for (int turn = 0; tap < kInner && turn < kTurns; ++turn)
        sum += sign_of(turn, row, left + column) * filter.alternating[turn][made][colour][tap];
      result.set(made, column, sum);
    }
  return result;
}

inline Weights weights_of(const Filter& filter, int tap) {
  Weights result;
  for (std::size_t column = 0; column < 2; ++column)
    for (int made = 0; made < kColours; ++made) result.set(made, column, filter.directed[made][tap]);
  return result;
}

LIC_VERSIONS inline void add_wide(const std::int16_t* v, const std::int16_t* a, const std::int16_t* b, std::size_t n, std::int16_t* sum) {
  for (std::size_t x = 0; x < n; ++x) sum[x] = static_cast<std::int16_t>(a[x] + b[x] - 2 * v[x]);
}

LIC_VERSIONS inline void add_clipped(const std::int16_t* v, const std::int16_t* a, const std::int16_t* b, std::size_t n,
                              std::int16_t threshold, std::int16_t* sum) {
  const std::int16_t low = static_cast<std::int16_t>(-threshold);
  for (std::size_t x = 0; x < n; ++x) {
    const std::int16_t first = static_cast<std::int16_t>(a[x] - v[x]), second = static_cast<std::int16_t>(b[x] - v[x]);
    sum[x] = static_cast<std::int16_t>(std::min(std::max(first, low), threshold) + std::min(std::max(second, low), threshold));
  }
}

// Of each pixel the one of four rows that its direction says, as far as that is clear.
LIC_VERSIONS inline void choose(const std::int16_t* const* rows, const std::int16_t* masks, std::size_t n, std::int16_t* out) {
  const std::int16_t *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  const std::int16_t *first = masks, *second = first + n, *third = second + n, *fourth = third + n, *clear = fourth + n;
  for (std::size_t x = 0; x < n; ++x) {
    const std::int16_t chosen = static_cast<std::int16_t>((a[x] & first[x]) | (b[x] & second[x]) | (c[x] & third[x]) | (d[x] & fourth[x]));
    out[x] = static_cast<std::int16_t>(static_cast<std::int16_t>((chosen >> 1) * clear[x]) >> 2);
  }
}

// The differences of a row's pixels, by plane and pair, and those of luma that their directions choose.
class Differences {
 public:
  Differences(Rows& source, std::size_t left, std::size_t columns, std::int16_t threshold)
      : source_(source),
        directions_(source, left, columns),
        left_(left),
        columns_(columns),
        padded_((columns + kRun - 1) / kRun * kRun),
        threshold_(threshold),
        one_(padded_),
        luma_(kDirected * padded_),
        chosen_(kDirected * padded_) {}

  // Those of a pair of a plane in row y; wide ones, and clipped ones from kWide on. Valid until the next call.
  const std::int16_t* of(std::ptrdiff_t y, int plane, int pair) {
    make(y, plane, pair, one_.data());
    return one_.data();
  }

  // Makes those that the directions of row y choose.
  void choose_directed(std::ptrdiff_t y) {
    for (int pair = 0; pair < kDirected; ++pair) make(y, kLuma, pair, row(luma_, pair));
    const std::int16_t* masks = directions_.at(y);
    for (int pair = 0; pair < kDirected; ++pair) {
      const std::int16_t* rows[kDirections];
      for (int direction = 0; direction < kDirections; ++direction)
        rows[direction] = row(luma_, pair / kWide * kWide + kTurned[direction][pair % kWide]);
      choose(rows, masks, columns_, row(chosen_, pair));
    }
  }

  // Of a pair, in whole runs, valid until the next row is chosen.
  const std::int16_t* directed(int pair) { return row(chosen_, pair); }

 private:
  std::int16_t* row(std::vector<std::int16_t>& rows, int pair) { return &rows[static_cast<std::size_t>(pair) * padded_]; }

  void make(std::ptrdiff_t y, int plane, int pair, std::int16_t* out) {
    const int* place = kPlaces[pair % kWide];
    const std::int16_t* v = source_.at(y, plane) + left_;
    const std::int16_t* a = source_.at(y + place[0], plane) + left_ + place[1];
    const std::int16_t* b = source_.at(y - place[0], plane) + left_ - place[1];
    if (pair < kWide) add_wide(v, a, b, columns_, out);
    else add_clipped(v, a, b, columns_, threshold_, out);
  }

  Rows& source_;
  Directions directions_;
  std::size_t left_, columns_, padded_;
  std::int16_t threshold_;
  std::vector<std::int16_t> one_, luma_, chosen_;
};

// A place of a filter, and what it counts in a row.
struct Place {
  int colour, pair;
  Weights weights;
};

// Those of a row that count anything, wide ones before clipped ones.
inline std::vector<Place> places_of(const Filter& filter, std::size_t row, std::size_t left) {
  std::vector<Place> places;
  for (const auto& [first, last] : {std::pair{0, kWide}, std::pair{kWide, kTaps}})
    for (int colour = 0; colour < kColours; ++colour)
      for (int tap = first; tap < last; ++tap)
        if (const Weights weights = weights_of(filter, row, left, colour, tap); weights.any) places.push_back({colour, tap, weights});
  return places;
}

inline std::vector<Place> directed_places_of(const Filter& filter) {
  std::vector<Place> places;
  for (int tap = 0; tap < kDirected; ++tap)
    if (const Weights weights = weights_of(filter, tap); weights.any) places.push_back({kLuma, tap, weights});
  return places;
}

// Adds coefficients of a place to the last of `all`, or to a new one that a later place may join: the second of the last counts nothing
// where their number is odd.
template <typename Pair>
Pair& joined(std::vector<Pair>& all, std::size_t which, const Weights& weights) {
  if (!which) all.emplace_back();
  for (std::size_t colour = 0; colour < kColours; ++colour)
    for (std::size_t column = 0; column < 2; ++column) all.back().coefficients.of[colour][column][which] = weights.of[colour][column];
  return all.back();
}

// The places of a row from column `left` on.
inline void set_places(Rows& source, std::ptrdiff_t y, std::size_t left, const std::vector<Place>& places, RowPlaces& out) {
  out.wide.clear(), out.clipped.clear();
  for (int colour = 0; colour < kColours; ++colour) out.v[colour] = source.at(y, colour) + left;
  // The pixel itself, less twice for each wide place of its colour: at most 512 + 2 * (4 * 4 + 8) * 127 < 2^15.
  for (Coefficients& own : out.own) own = {};
  for (std::size_t colour = 0; colour < kColours; ++colour)
    for (std::size_t column = 0; column < 2; ++column) out.own[colour / 2].of[colour][column][colour % 2] = static_cast<std::int16_t>(1 << out.shift);
  std::size_t wide = 0, clipped = 0;
  for (const Place& place : places) {
    const bool inside = place.pair < kWide;
    const std::size_t which = (inside ? wide : clipped)++ % 2;
    for (std::size_t made = 0; inside && made < kColours; ++made)
      for (std::size_t column = 0; column < 2; ++column) {
        std::int16_t& own = out.own[place.colour / 2].of[made][column][place.colour % 2];
        own = static_cast<std::int16_t>(own - 2 * place.weights.of[made][column]);
      }
    Two& two = joined(inside ? out.wide : out.clipped, which, place.weights);
    const int *offset = kPlaces[place.pair % kWide], colour = place.colour;
    for (std::size_t k = which; k < 2; ++k) {
      two.v[k] = source.at(y, colour) + left;
      two.a[k] = source.at(y + offset[0], colour) + left + offset[1];
      two.b[k] = source.at(y - offset[0], colour) + left - offset[1];
    }
  }
}

inline void set_directed(const std::vector<Place>& places, RowPlaces& out) {
  for (std::size_t k = 0; k < places.size(); ++k) {
    TwoTurned& two = joined(out.turned.two, k % 2, places[k].weights);
    for (std::size_t which = k % 2; which < 2; ++which)
      for (int direction = 0; direction < kDirections; ++direction) {
        const int pair = places[k].pair;
        two.number[which][direction] = static_cast<std::uint8_t>(pair / kWide * kWide + kTurned[direction][pair % kWide]);
      }
  }
}

// The luma of a row from column `left` on, and its directions.
inline void turn(Rows& source, Directions& directions, std::ptrdiff_t y, std::size_t left, std::size_t columns, Turned& out) {
  const std::int16_t* masks = directions.at(y);
  for (std::size_t k = 0; k <= kDirections; ++k) out.masks[k] = masks + k * columns;
  out.v = source.at(y, kLuma) + left;
  for (std::size_t pair = 0; pair < kWide; ++pair) {
    out.a[pair] = source.at(y + kPlaces[pair][0], kLuma) + left + kPlaces[pair][1];
    out.b[pair] = source.at(y - kPlaces[pair][0], kLuma) + left - kPlaces[pair][1];
  }
}

// Writes the pixels (rows, columns, 3) from (top, left) on of an array (height, width, 3) of sixteenths of a level, 0..4080. Rows lie
// `apart` numbers from each other, those of `out` `out_apart`.
inline void filtered(const std::uint16_t* pixels, std::size_t height, std::size_t width, std::size_t apart, std::size_t top, std::size_t left,
                     std::size_t rows, std::size_t columns, const Filter& filter, std::uint8_t* out, std::size_t out_apart) {
  Rows source(pixels, height, width, apart);
  Directions directions(source, left, columns);
  const std::vector<Place> by_parity[2] = {places_of(filter, 0, left), places_of(filter, 1, left)}, directed = directed_places_of(filter);
  RowPlaces made{{}, {}, {}, {}, {}, filter.threshold, filter.shift, kFraction};
  set_directed(directed, made);
  for (std::size_t row = 0; row < rows; ++row, out += out_apart) {
    const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(top + row);
    if (!directed.empty()) turn(source, directions, y, left, columns, made.turned);
    set_places(source, y, left, by_parity[(top + row) % 2], made);
    kernels().filter_row(made, columns, out);
  }
}

}  // namespace lic
