// What the rows of filter.hpp are made from, as filter_rows.hpp reads it: places of a filter two by two, for two of them are one instruction.
//
// Runs begin at even columns of a row, so that even and odd pixels stand by turns, and so do their coefficients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lic {

constexpr int kWide = 12, kDirections = 4;  // pairs of neighbours in 5x5; ways that the picture changes
constexpr std::size_t kRun = 16;  // pixels that are made in one go: rows may be read so far

// Of two places, by colour that comes out and by even and odd pixels.
struct Coefficients {
  std::int16_t of[3][2][2] = {};
};

// Two places of colours: the pixel, which only clipped ones look at, and its neighbours on both sides.
struct Two {
  const std::int16_t *v[2], *a[2], *b[2];
  Coefficients coefficients;
};

// Two differences of luma that are turned: for each of the directions, the number among wide pairs and then clipped ones.
struct TwoTurned {
  std::uint8_t number[2][kDirections];
  Coefficients coefficients;
};

// Luma of a row, and its neighbours by pair on both sides; masks of the directions and how clear they are (directions.hpp).
struct Turned {
  const std::int16_t *v, *a[kWide], *b[kWide];
  const std::int16_t* masks[kDirections + 1];
  std::vector<TwoTurned> two;
};

// What a row of pixels is made from: its colours in sixteenths, sums of neighbours, clipped differences from them, and turned ones. Of the
// pixel itself, red and green together and blue alone, `own` takes off what the sums of neighbours have too much of.
struct RowPlaces {
  const std::int16_t* v[3];
  Coefficients own[2];
  std::vector<Two> wide, clipped;
  Turned turned;
  std::int16_t threshold;
  int shift, fraction;  // bits after the point, of coefficients and of colours
};

}  // namespace lic
