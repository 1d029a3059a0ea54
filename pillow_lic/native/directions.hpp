// Which way the picture changes most at a pixel, and how clearly (FORMAT.md, 8.7).
//
//     l = luma >> 2, 0..1020                                bend(p) = |2 l(x) - l(x + p) - l(x - p)|, 0..2040
//
//     along rows: p = (0, 1)    along columns: (1, 0)    along the diagonals: (1, 1), (1, -1)    each summed over 5x5 pixels
//
// Of the two pairs, straight and diagonal, the one whose sums differ more speaks, and of it the larger sum. It is clear by 0 to 8 eighths:
// from half of the smaller sum on all of it, and as far as the other pair's difference is less. By eighths, because decoders whose
// networks round otherwise must come to nearly the same pixels.
// Source: the classes of VVC's adaptive loop filter.
//
// Invariant: a sum <= 25 * 2040 = 51000 < 2^16.
#pragma once

#include <array>
#include <cstdlib>

#include "filter_places.hpp"
#include "rows.hpp"

namespace lic {

constexpr int kClearest = 8;
constexpr int kWindow = 2;  // pixels around one that its direction is taken from

LIC_VERSIONS inline void add_quarters(const std::int16_t* luma, std::size_t n, std::int16_t* quarters) {
  for (std::size_t x = 0; x < n; ++x) quarters[x] = static_cast<std::int16_t>(luma[x] >> 2);
}

// |2 luma(x) - a(x) - b(x)|
LIC_VERSIONS inline void add_bend(const std::int16_t* luma, const std::int16_t* a, const std::int16_t* b, std::size_t n,
                                  std::uint16_t* bend) {
  for (std::size_t x = 0; x < n; ++x) {
    const std::int16_t d = static_cast<std::int16_t>(2 * luma[x] - a[x] - b[x]);
    bend[x] = static_cast<std::uint16_t>(std::max<std::int16_t>(d, static_cast<std::int16_t>(-d)));
  }
}

LIC_VERSIONS inline void add_column(const std::uint16_t* const* rows, std::size_t n, std::uint16_t* sum) {
  for (std::size_t x = 0; x < n; ++x) sum[x] = static_cast<std::uint16_t>(rows[0][x] + rows[1][x] + rows[2][x] + rows[3][x] + rows[4][x]);
}

LIC_VERSIONS inline void add_across(const std::uint16_t* column, std::size_t n, std::uint16_t* sum) {
  for (std::size_t x = 0; x < n; ++x)
    sum[x] = static_cast<std::uint16_t>(column[x] + column[x + 1] + column[x + 2] + column[x + 3] + column[x + 4]);
}

// Masks (-1 or 0) of the four directions, and how clear they are, from the sums along rows, columns and the two diagonals.
LIC_VERSIONS inline void add_masks(const std::uint16_t* __restrict a, const std::uint16_t* __restrict b,
                                   const std::uint16_t* __restrict c, const std::uint16_t* __restrict d, std::size_t n,
                                   std::int16_t* __restrict masks) {
  std::int16_t *along_rows = masks, *along_columns = masks + n, *down = masks + 2 * n, *up = masks + 3 * n, *clear = masks + 4 * n;
  constexpr std::uint16_t all = 0xFFFF;
  for (std::size_t x = 0; x < n; ++x) {
    const std::uint16_t least = std::min(a[x], b[x]), more = static_cast<std::uint16_t>(std::max(a[x], b[x]) - least);
    const std::uint16_t least_across = std::min(c[x], d[x]), more_across = static_cast<std::uint16_t>(std::max(c[x], d[x]) - least_across);
    const std::uint16_t straight = more > more_across ? all : 0;
    const std::uint16_t most = std::max(more, more_across), lead = static_cast<std::uint16_t>(most - std::min(more, more_across));
    const std::uint16_t smaller = static_cast<std::uint16_t>((least & straight) | (least_across & ~straight));
    std::uint16_t of_smaller = 0, of_lead = 0, bound = smaller >> 1, lead_bound = 0;
    for (int k = 0; k < kClearest; ++k) {
      bound = static_cast<std::uint16_t>(bound + (smaller >> 4)), lead_bound = static_cast<std::uint16_t>(lead_bound + (most >> 5));
      of_smaller = static_cast<std::uint16_t>(of_smaller + (most > bound ? 1 : 0));
      of_lead = static_cast<std::uint16_t>(of_lead + (lead > lead_bound ? 1 : 0));
    }
    clear[x] = static_cast<std::int16_t>(std::min(of_smaller, of_lead));
    const std::uint16_t first = a[x] > b[x] ? all : 0, third = c[x] > d[x] ? all : 0;
    along_rows[x] = static_cast<std::int16_t>(straight & first);
    along_columns[x] = static_cast<std::int16_t>(straight & ~first);
    down[x] = static_cast<std::int16_t>(~straight & third);
    up[x] = static_cast<std::int16_t>(~straight & ~third);
  }
}

// The directions of the pixels from column `left` on, row by row.
class Directions {
 public:
  Directions(Rows& source, std::size_t left, std::size_t columns)
      : source_(source),
        left_(left),
        columns_(columns),
        wide_(columns + 2 * kWindow),
        luma_(kLumaRows * (wide_ + 2)),
        bends_(kDirections * kBendRows * wide_),
        column_(wide_),
        sums_(kDirections * columns),
        masks_((kDirections + 1) * columns + kRun),
        luma_of_(kLumaRows, kNone),
        bends_of_(kBendRows, kNone) {}

  // Masks of row y, one direction after another, and how clear they are, each of `columns`, which may be read in whole runs; rows come in their order, some may be left out.
  const std::int16_t* at(std::ptrdiff_t y) {
    for (std::ptrdiff_t row = y - kWindow; row <= y + kWindow; ++row) bend(row);
    for (std::size_t direction = 0; direction < kDirections; ++direction) {
      const std::uint16_t* rows[kBendRows];
      for (std::size_t row = 0; row < kBendRows; ++row) rows[row] = bends(direction, row);
      add_column(rows, wide_, column_.data());
      add_across(column_.data(), columns_, &sums_[direction * columns_]);
    }
    const auto sum = [&](std::size_t direction) { return &sums_[direction * columns_]; };
    add_masks(sum(0), sum(1), sum(2), sum(3), columns_, masks_.data());
    return masks_.data();
  }

 private:
  static constexpr std::size_t kLumaRows = 3, kBendRows = 2 * kWindow + 1;
  static constexpr std::ptrdiff_t kNone = PTRDIFF_MIN;

  static std::size_t slot(std::ptrdiff_t row, std::size_t count) { return static_cast<std::size_t>(row + kReach) % count; }
  std::uint16_t* bends(std::size_t direction, std::size_t slot) { return &bends_[(direction * kBendRows + slot) * wide_]; }

  // Of row y, which may lie kReach outside, from column left - kReach on.
  const std::int16_t* luma(std::ptrdiff_t y) {
    const std::size_t at = slot(y, kLumaRows);
    std::int16_t* row = &luma_[at * (wide_ + 2)];
    if (luma_of_[at] != y) {
      luma_of_[at] = y;
      add_quarters(source_.at(y, kLuma) + left_ - kReach, wide_ + 2, row);
    }
    return row;
  }

  void bend(std::ptrdiff_t y) {
    const std::size_t at = slot(y, kBendRows);
    if (bends_of_[at] == y) return;
    bends_of_[at] = y;
    const std::int16_t *above = luma(y - 1) + 1, *here = luma(y) + 1, *below = luma(y + 1) + 1;
    add_bend(here, here - 1, here + 1, wide_, bends(0, at));
    add_bend(here, above, below, wide_, bends(1, at));
    add_bend(here, above - 1, below + 1, wide_, bends(2, at));
    add_bend(here, above + 1, below - 1, wide_, bends(3, at));
  }

  Rows& source_;
  std::size_t left_, columns_, wide_;
  std::vector<std::int16_t> luma_;
  std::vector<std::uint16_t> bends_, column_, sums_;
  std::vector<std::int16_t> masks_;
  std::vector<std::ptrdiff_t> luma_of_, bends_of_;
};

}  // namespace lic
