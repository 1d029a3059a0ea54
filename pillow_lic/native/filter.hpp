// READ ME FIRST. The last step of a decoder: a filter of 5x5 pixels whose coefficients stand in the file (FORMAT.md, 8.7).
//
//     v  colours in 1/16 of a level, 0..4080           d(p) = v(x + p) - v(x), the difference from a neighbour
//
//     out = v + (sum over colours c and pairs of neighbours p, -p
//                  wide[c][p]    * (d_c(p) + d_c(-p))                    12 pairs: those of 5x5
//                + clipped[c][p] * (clip(d_c(p)) + clip(d_c(-p)))         4 pairs: those of 3x3
//               ) / 2^shift                                               clip: to -threshold..threshold
//
// Differences make the sum of all weights 1, so flat ground stays as it is, and pairs halve what a file has to say. The clipped ones
// see edges as no more than noise: they smooth beside an edge without dulling it.
// Sources: the Wiener filter of AV1's loop restoration, the constrained differences of its CDEF.
//
// Invariants, all int32:  |coefficient| <= 127, |d(p) + d(-p)| <= 8160, 3 * (12 + 4) products:  |sum| <= 48 * 127 * 8160 < 2^26;
// shift <= 9:  v * 2^shift < 2^21. Neighbours beyond the array are the nearest pixel in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "filter_rows.hpp"
#include "trellis.hpp"

namespace lic {

constexpr int kColours = 3, kWide = 12, kClipped = 4, kTaps = kWide + kClipped;
constexpr int kReach = 2, kFraction = 4, kLargest = 255 << kFraction, kLargestShift = 9, kLargestCoefficient = 127;
// Rows and columns of one of each pair; the first four are those of 3x3.
constexpr int kPlaces[kWide][2] = {{0, 1}, {1, -1}, {1, 0}, {1, 1},  {0, 2}, {1, -2},
                                    {1, 2}, {2, -2}, {2, -1}, {2, 0}, {2, 1}, {2, 2}};

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
  std::int16_t coefficients[kColours][kColours][kTaps];  // of what comes out, of what goes in, wide ones and then clipped ones
  std::int16_t threshold;
  int shift;

  bool uses(int colour, int tap) const {
    return coefficients[0][colour][tap] || coefficients[1][colour][tap] || coefficients[2][colour][tap];
  }
};

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

LIC_VERSIONS inline void add_product(const std::int16_t* sum, std::int16_t coefficient, std::size_t n, std::int32_t* total) {
  for (std::size_t x = 0; x < n; ++x) total[x] += static_cast<std::int32_t>(sum[x]) * coefficient;
}

LIC_VERSIONS inline void finish_row(const std::int16_t* v, const std::int32_t* total, std::size_t n, int shift, std::uint8_t* out) {
  const std::int32_t half = 1 << (shift + kFraction - 1);
  for (std::size_t x = 0; x < n; ++x) {
    const std::int32_t level = ((static_cast<std::int32_t>(v[x]) << shift) + total[x] + half) >> (shift + kFraction);
    out[kColours * x] = static_cast<std::uint8_t>(std::min(std::max(level, 0), 255));
  }
}

// Rows of an array (height, width, 3), one colour of a row after another, with kReach more pixels on both sides; the last 5 are kept.
class Rows {
 public:
  Rows(const std::uint16_t* pixels, std::size_t height, std::size_t width)
      : pixels_(pixels), height_(height), width_(width), kept_(kKept * kColours * stride() + kSlack), held_(kKept, kNone) {}

  // Of row y, which may lie kReach outside; valid until 5 other rows have been asked for.
  const std::int16_t* at(std::ptrdiff_t y, int colour) {
    const std::size_t row = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(y, 0, static_cast<std::ptrdiff_t>(height_) - 1));
    const std::size_t slot = row % kKept;
    if (held_[slot] != row) fill(row, slot);
    return &kept_[(slot * kColours + static_cast<std::size_t>(colour)) * stride() + kReach];
  }

 private:
  // kSlack: places behind the last one that may be read, for rows are worked on in whole vectors.
  static constexpr std::size_t kKept = 2 * kReach + 1, kNone = static_cast<std::size_t>(-1), kSlack = 16;
  std::size_t stride() const { return width_ + 2 * kReach; }

  void fill(std::size_t row, std::size_t slot) {
    held_[slot] = row;
    const std::uint16_t* from = pixels_ + row * width_ * kColours;
    for (std::size_t colour = 0; colour < kColours; ++colour) {
      std::int16_t* to = &kept_[(slot * kColours + colour) * stride()];
      for (std::size_t x = 0; x < width_; ++x) to[kReach + x] = static_cast<std::int16_t>(from[kColours * x + colour]);
      for (std::size_t x = 0; x < kReach; ++x) to[x] = to[kReach], to[kReach + width_ + x] = to[kReach + width_ - 1];
    }
  }

  const std::uint16_t* pixels_;
  std::size_t height_, width_;
  std::vector<std::int16_t> kept_;
  std::vector<std::size_t> held_;
};

// A place of a filter that has coefficients, among those of its kind, wide or clipped.
struct Place {
  int colour, tap;

  const int* offset() const { return kPlaces[tap < kWide ? tap : tap - kWide]; }
};

inline std::vector<Place> places_of(const Filter& filter, int first, int last) {
  std::vector<Place> places;
  for (int colour = 0; colour < kColours; ++colour)
    for (int tap = first; tap < last; ++tap)
      if (filter.uses(colour, tap)) places.push_back({colour, tap});
  return places;
}

#ifdef LIC_HAS_AVX2
// Two places at a time of a row, from column `left` on; the second of the last ones counts nothing where their number is odd.
inline void set_row(Rows& source, std::ptrdiff_t y, std::size_t left, const std::vector<Place>& places, const Filter& filter,
                    std::vector<avx2::Two>& made) {
  made.resize((places.size() + 1) / 2);
  for (std::size_t k = 0; k < 2 * made.size(); ++k) {
    const bool counts = k < places.size();
    const Place& place = places[counts ? k : k - 1];
    const int *offset = place.offset(), colour = place.colour;
    std::int16_t out[kColours] = {};
    for (int to = 0; counts && to < kColours; ++to) out[to] = filter.coefficients[to][colour][place.tap];
    made[k / 2].set(k % 2, source.at(y, colour) + left, source.at(y + offset[0], colour) + left + offset[1],
                    source.at(y - offset[0], colour) + left - offset[1], out);
  }
}
#endif

// The pixels (rows, columns, 3) from (top, left) on of an array (height, width, 3) of sixteenths of a level, 0..4080; `plain`: by the loops
// that every processor has.
inline void filtered(const std::uint16_t* pixels, std::size_t height, std::size_t width, std::size_t top, std::size_t left,
                     std::size_t rows, std::size_t columns, const Filter& filter, bool plain, std::uint8_t* out) {
  Rows source(pixels, height, width);
  const std::vector<Place> wide = places_of(filter, 0, kWide), clipped = places_of(filter, kWide, kTaps);
  (void)plain;
#ifdef LIC_HAS_AVX2
  if (!plain && avx2::here()) {
    std::vector<avx2::Two> wides, clips;
    for (std::size_t row = 0; row < rows; ++row, out += kColours * columns) {
      const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(top + row);
      set_row(source, y, left, wide, filter, wides);
      set_row(source, y, left, clipped, filter, clips);
      const std::int16_t* const v[kColours] = {source.at(y, 0) + left, source.at(y, 1) + left, source.at(y, 2) + left};
      avx2::row(wides, clips, v, columns, filter.threshold, filter.shift, kFraction, out);
    }
    return;
  }
#endif
  std::vector<std::int16_t> sum(columns);
  std::vector<std::int32_t> totals(kColours * columns);
  for (std::size_t row = 0; row < rows; ++row, out += kColours * columns) {
    const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(top + row);
    std::fill(totals.begin(), totals.end(), 0);
    for (const std::vector<Place>* places : {&wide, &clipped})
      for (const Place& place : *places) {
        const int *offset = place.offset(), colour = place.colour;
        const std::int16_t* v = source.at(y, colour) + left;
        const std::int16_t* a = source.at(y + offset[0], colour) + left + offset[1];
        const std::int16_t* b = source.at(y - offset[0], colour) + left - offset[1];
        if (place.tap < kWide) add_wide(v, a, b, columns, sum.data());
        else add_clipped(v, a, b, columns, filter.threshold, sum.data());
        for (int made = 0; made < kColours; ++made)
          if (const std::int16_t coefficient = filter.coefficients[made][colour][place.tap])
            add_product(sum.data(), coefficient, columns, &totals[static_cast<std::size_t>(made) * columns]);
      }
    for (int colour = 0; colour < kColours; ++colour)
      finish_row(source.at(y, colour) + left, &totals[static_cast<std::size_t>(colour) * columns], columns, filter.shift, out + colour);
  }
}

// The sum of products of two rows: 32 products of at most 8160^2 < 2^26 fit an int32.
LIC_VERSIONS inline std::int64_t dot(const std::int16_t* a, const std::int16_t* b, std::size_t n) {
  std::int64_t total = 0;
  std::size_t x = 0;
  for (; x + 32 <= n; x += 32) {
    std::int32_t some = 0;
    for (std::size_t k = 0; k < 32; ++k) some += static_cast<std::int32_t>(a[x + k]) * b[x + k];
    total += some;
  }
  for (; x < n; ++x) total += static_cast<std::int32_t>(a[x]) * b[x];
  return total;
}

constexpr std::size_t kFeatures = kColours * kTaps;

// Adds the sums that least squares need: of f f' over the upper triangle, and of f e, to (kFeatures, kFeatures + kColours). f are the
// differences of a pixel by colour and tap, e is what its colours lack of the picture, in sixteenths; every `every`-th row counts.
inline void add_sums(const std::uint16_t* pixels, const std::uint8_t* picture, std::size_t height, std::size_t width,
                     std::size_t every, std::int16_t threshold, std::int64_t* sums) {
  Rows source(pixels, height, width);
  std::vector<std::int16_t> seen((kFeatures + kColours) * width);
  const auto row_of = [&](std::size_t feature) { return &seen[feature * width]; };
  for (std::size_t row = 0; row < height; row += every) {
    const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(row);
    for (int colour = 0; colour < kColours; ++colour) {
      for (int tap = 0; tap < kTaps; ++tap) {
        const int* place = kPlaces[tap < kWide ? tap : tap - kWide];
        const std::int16_t* v = source.at(y, colour);
        const std::int16_t* a = source.at(y + place[0], colour) + place[1];
        const std::int16_t* b = source.at(y - place[0], colour) - place[1];
        std::int16_t* sum = row_of(static_cast<std::size_t>(colour * kTaps + tap));
        if (tap < kWide) add_wide(v, a, b, width, sum);
        else add_clipped(v, a, b, width, threshold, sum);
      }
      const std::int16_t* v = source.at(y, colour);
      std::int16_t* lacks = row_of(kFeatures + static_cast<std::size_t>(colour));
      const std::uint8_t* wanted = picture + row * width * kColours + colour;
      for (std::size_t x = 0; x < width; ++x) lacks[x] = static_cast<std::int16_t>((wanted[kColours * x] << kFraction) - v[x]);
    }
    for (std::size_t one = 0; one < kFeatures; ++one)
      for (std::size_t other = one; other < kFeatures + kColours; ++other)
        sums[one * (kFeatures + kColours) + other] += dot(row_of(one), row_of(other), width);
  }
}

}  // namespace lic
