// The encoder's side of filter.hpp: the sums that least squares need to fit a filter to a picture.
//
// An alternating difference is a plain one times 1 or -1, by row and column. So products are summed apart for even and odd rows and
// columns, of plain and directed differences alone, and what alternates is made of these sums.
#pragma once

#include "filter.hpp"

namespace lic {

constexpr std::size_t kPlain = kColours * kTaps, kAlternating = kColours * kInner;
constexpr std::size_t kFeatures = kPlain + kDirected + kTurns * kAlternating;

// Sums of the products of 3 rows with 4, of which n fit an int32.
LIC_VERSIONS inline void add_products(const std::int16_t* const* three, const std::int16_t* const* four, std::size_t n, std::int64_t* sums,
                                      std::size_t apart) {
  const std::int16_t *__restrict a = three[0], *__restrict b = three[1], *__restrict c = three[2];
  const std::int16_t *__restrict p = four[0], *__restrict q = four[1], *__restrict r = four[2], *__restrict s = four[3];
  std::int32_t ap = 0, aq = 0, ar = 0, as = 0, bp = 0, bq = 0, br = 0, bs = 0, cp = 0, cq = 0, cr = 0, cs = 0;
  for (std::size_t x = 0; x < n; ++x) {
    ap += a[x] * p[x], aq += a[x] * q[x], ar += a[x] * r[x], as += a[x] * s[x];
    bp += b[x] * p[x], bq += b[x] * q[x], br += b[x] * r[x], bs += b[x] * s[x];
    cp += c[x] * p[x], cq += c[x] * q[x], cr += c[x] * r[x], cs += c[x] * s[x];
  }
  const std::int32_t found[3][4] = {{ap, aq, ar, as}, {bp, bq, br, bs}, {cp, cq, cr, cs}};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 4; ++k) sums[i * apart + k] += found[i][k];
}

LIC_VERSIONS inline std::int16_t largest_of(const std::int16_t* row, std::size_t n) {
  std::int16_t result = 1;
  for (std::size_t x = 0; x < n; ++x) result = std::max(result, std::max(row[x], static_cast<std::int16_t>(-row[x])));
  return result;
}

LIC_VERSIONS inline void part(const std::int16_t* __restrict row, std::size_t n, std::int16_t* __restrict even, std::int16_t* __restrict odd) {
  for (std::size_t k = 0; k < n / 2; ++k) even[k] = row[2 * k], odd[k] = row[2 * k + 1];
  if (n % 2) even[n / 2] = row[n - 1];
}

// Sums of products, by parity of row and column.
class ProductSums {
 public:
  static constexpr std::size_t kRows = kPlain + kDirected, kColumns = kRows + kColours + 1;  // the last is 0: columns come by fours

  explicit ProductSums(std::size_t width) : half_((width + 1) / 2), width_(width), rows_(2 * kColumns * half_), sums_(4 * kRows * kColumns) {}

  // Takes number `which` of the rows of a row y of the picture: a difference, or, from kRows on, what a colour lacks.
  void take(std::size_t which, const std::int16_t* row) { part(row, width_, at(0, which), at(1, which)); }

  // Adds the products of a row y, all of which has been taken.
  void add(std::size_t y) {
    const std::int64_t largest = largest_of(rows_.data(), rows_.size());
    const std::size_t together = static_cast<std::size_t>(INT32_MAX / (largest * largest)) / 32 * 32;
    for (std::size_t parity = 0; parity < 2; ++parity)
      for (std::size_t first = 0, some = 0, n = (width_ + 1 - parity) / 2; first < n; first += some) {
        some = std::min(together, n - first);
        for (std::size_t one = 0; one < kRows; one += 3)
          for (std::size_t other = one / 4 * 4; other < kColumns; other += 4) {
            const std::int16_t *three[3], *four[4];
            for (std::size_t i = 0; i < 3; ++i) three[i] = at(parity, one + i) + first;
            for (std::size_t i = 0; i < 4; ++i) four[i] = at(parity, other + i) + first;
            add_products(three, four, some, &sums_[((y % 2 * 2 + parity) * kRows + one) * kColumns + other], kColumns);
          }
      }
  }

  // The sum of the products of two of the rows, `one` no larger than `other`, each counted as it alternates (`sign_of`), or plainly.
  std::int64_t of(std::size_t one, int turn, std::size_t other, int other_turn) const {
    if (one > other) std::swap(one, other);
    std::int64_t sum = 0;
    for (std::size_t row = 0; row < 2; ++row)
      for (std::size_t column = 0; column < 2; ++column) {
        const int sign = (turn < 0 ? 1 : sign_of(turn, row, column)) * (other_turn < 0 ? 1 : sign_of(other_turn, row, column));
        sum += sign * sums_[((row * 2 + column) * kRows + one) * kColumns + other];
      }
    return sum;
  }

 private:
  std::int16_t* at(std::size_t parity, std::size_t which) { return &rows_[(parity * kColumns + which) * half_]; }

  std::size_t half_, width_;
  std::vector<std::int16_t> rows_;
  std::vector<std::int64_t> sums_;
};

// Adds the sums that least squares need: of f f' over the upper triangle, and of f e, to (kFeatures, kFeatures + kColours). f are the
// differences of a pixel, plain ones by colour and tap, directed ones, alternating ones by turn, colour and tap; e is what its colours
// lack of the picture, in sixteenths; every `every`-th row counts.
inline void add_sums(const std::uint16_t* pixels, const std::uint8_t* picture, std::size_t height, std::size_t width, std::size_t first,
                     std::size_t last, std::size_t every, std::int16_t threshold, std::int64_t* sums) {
  Rows source(pixels, height, width);
  Differences differences(source, 0, width, threshold);
  ProductSums products(width);
  std::vector<std::int16_t> lacks(width);
  for (std::size_t row = first; row < last; row += every) {
    const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(row);
    for (std::size_t feature = 0; feature < kPlain; ++feature)
      products.take(feature, differences.of(y, static_cast<int>(feature / kTaps), static_cast<int>(feature % kTaps)));
    differences.choose_directed(y);
    for (std::size_t tap = 0; tap < kDirected; ++tap) products.take(kPlain + tap, differences.directed(static_cast<int>(tap)));
    for (int colour = 0; colour < kColours; ++colour) {
      const std::int16_t* v = source.at(y, colour);
      const std::uint8_t* wanted = picture + row * width * kColours + colour;
      for (std::size_t x = 0; x < width; ++x) lacks[x] = static_cast<std::int16_t>((wanted[kColours * x] << kFraction) - v[x]);
      products.take(ProductSums::kRows + static_cast<std::size_t>(colour), lacks.data());
    }
    products.add(row);
  }
  // The number of a feature among the rows of the sums, and how it alternates.
  const auto row_of = [](std::size_t feature) {
    if (feature < ProductSums::kRows) return std::pair<std::size_t, int>{feature, -1};
    const std::size_t number = feature - ProductSums::kRows, place = number % kAlternating;
    return std::pair<std::size_t, int>{place / kInner * kTaps + place % kInner, static_cast<int>(number / kAlternating)};
  };
  for (std::size_t one = 0; one < kFeatures; ++one) {
    const auto [from, turn] = row_of(one);
    std::int64_t* to = sums + one * (kFeatures + kColours);
    for (std::size_t other = one; other < kFeatures; ++other) {
      const auto [column, other_turn] = row_of(other);
      to[other] += products.of(from, turn, column, other_turn);
    }
    for (std::size_t colour = 0; colour < kColours; ++colour) to[kFeatures + colour] += products.of(from, turn, ProductSums::kRows + colour, -1);
  }
}

}  // namespace lic
