// The encoder's side of filter.hpp: the sums that least squares need to fit a filter to a picture.
#pragma once

#include "filter.hpp"

namespace lic {

// The sum of products of two rows, of which so many in a row fit an int32.
LIC_VERSIONS inline std::int64_t dot(const std::int16_t* a, const std::int16_t* b, std::size_t n, std::size_t together) {
  std::int64_t total = 0;
  for (std::size_t x = 0; x < n; x += together) {
    const std::size_t some = std::min(together, n - x);
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < some; ++k) sum += static_cast<std::int32_t>(a[x + k]) * b[x + k];
    total += sum;
  }
  return total;
}

LIC_VERSIONS inline std::int16_t largest_of(const std::int16_t* row, std::size_t n) {
  std::int16_t result = 1;
  for (std::size_t x = 0; x < n; ++x) result = std::max(result, std::max(row[x], static_cast<std::int16_t>(-row[x])));
  return result;
}

constexpr std::size_t kPlain = kColours * kTaps, kAlternating = kColours * kInner;
constexpr std::size_t kFeatures = kPlain + kDirected + kTurns * kAlternating;

// Adds the sums that least squares need: of f f' over the upper triangle, and of f e, to (kFeatures, kFeatures + kColours). f are the
// differences of a pixel, plain ones by colour and tap, directed ones, alternating ones by turn, colour and tap; e is what its colours
// lack of the picture, in sixteenths; every `every`-th row counts.
inline void add_sums(const std::uint16_t* pixels, const std::uint8_t* picture, std::size_t height, std::size_t width,
                     std::size_t every, std::int16_t threshold, std::int64_t* sums) {
  Rows source(pixels, height, width);
  Differences differences(source, 0, width, threshold);
  std::vector<std::int16_t> seen((kFeatures + kColours) * width);
  const auto row_of = [&](std::size_t feature) { return &seen[feature * width]; };
  for (std::size_t row = 0; row < height; row += every) {
    const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(row);
    for (std::size_t feature = 0; feature < kPlain; ++feature)
      std::copy_n(differences.of(y, static_cast<int>(feature / kTaps), static_cast<int>(feature % kTaps)), width, row_of(feature));
    differences.choose_directed(y);
    for (std::size_t tap = 0; tap < kDirected; ++tap) std::copy_n(differences.directed(static_cast<int>(tap)), width, row_of(kPlain + tap));
    for (std::size_t feature = 0; feature < kTurns * kAlternating; ++feature) {
      const std::size_t turn = feature / kAlternating, colour = feature % kAlternating / kInner, tap = feature % kInner;
      const std::int16_t* plain = row_of(colour * kTaps + tap);
      std::int16_t* turned = row_of(kPlain + kDirected + feature);
      for (std::size_t x = 0; x < width; ++x)
        turned[x] = static_cast<std::int16_t>(sign_of(static_cast<int>(turn), row, x) * plain[x]);
    }
    for (int colour = 0; colour < kColours; ++colour) {
      const std::int16_t* v = source.at(y, colour);
      std::int16_t* lacks = row_of(kFeatures + static_cast<std::size_t>(colour));
      const std::uint8_t* wanted = picture + row * width * kColours + colour;
      for (std::size_t x = 0; x < width; ++x) lacks[x] = static_cast<std::int16_t>((wanted[kColours * x] << kFraction) - v[x]);
    }
    const std::int64_t largest = largest_of(seen.data(), seen.size());
    const std::size_t together = static_cast<std::size_t>(INT32_MAX / (largest * largest)) / 32 * 32;
    for (std::size_t one = 0; one < kFeatures; ++one)
      for (std::size_t other = one; other < kFeatures + kColours; ++other)
        sums[one * (kFeatures + kColours) + other] += dot(row_of(one), row_of(other), width, together);
  }
}

}  // namespace lic
