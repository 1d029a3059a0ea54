// lanes.hpp in plain C++, for every processor: the definition that the others must equal. Compilers make what vectors they can of it.
#pragma once

#include <cmath>

#include "products.hpp"
#include "tables.hpp"

#define LIC_PRODUCT
#define LIC_PRODUCT_HERE LIC_HERE

namespace lic {

namespace {

constexpr std::size_t kAbreast = 4;

template <typename T>
struct Sixteen {
  T of[kOutputs];

  template <typename Make>
  static LIC_PRODUCT_INLINE Sixteen made(const Make& make) {
    Sixteen all;
    for (std::size_t k = 0; k < kOutputs; ++k) all.of[k] = static_cast<T>(make(k));
    return all;
  }
};
using Features = Sixteen<Feature>;
using Totals = Sixteen<std::int32_t>;
using Shifts = Totals;
using Reals = Sixteen<float>;
struct Weights {
  Features upper, lower;  // as in `Sums`, of the two inputs
};
using Couple = Weights;
struct Both {
  Feature one, other;
};

LIC_PRODUCT_INLINE Feature saturated(std::int32_t value) { return static_cast<Feature>(std::min(std::max(value, -32768), 32767)); }

LIC_PRODUCT_INLINE Features loaded(const Feature* from) {
  return Features::made([&](std::size_t k) { return from[k]; });
}
LIC_PRODUCT_INLINE void stored(Feature* to, const Features& values) { std::copy_n(values.of, kOutputs, to); }
LIC_PRODUCT_INLINE Features all(Feature value) {
  return Features::made([&](std::size_t) { return value; });
}
LIC_PRODUCT_INLINE Features at_least(const Features& values, Feature least) {
  return Features::made([&](std::size_t k) { return std::max(values.of[k], least); });
}
LIC_PRODUCT_INLINE Features at_most(const Features& values, Feature most) {
  return Features::made([&](std::size_t k) { return std::min(values.of[k], most); });
}
LIC_PRODUCT_INLINE Features bent(const Features& values) {
  return Features::made([&](std::size_t k) { return std::max<std::int32_t>(values.of[k], values.of[k] * kTenth >> 16); });
}
LIC_PRODUCT_INLINE Features plus(const Features& a, const Features& b) {
  return Features::made([&](std::size_t k) { return saturated(a.of[k] + b.of[k]); });
}
LIC_PRODUCT_INLINE Features minus(const Features& a, const Features& b) {
  return Features::made([&](std::size_t k) { return saturated(a.of[k] - b.of[k]); });
}
LIC_PRODUCT_INLINE Features times(const Features& a, const Features& b) {
  return Features::made([&](std::size_t k) { return static_cast<Feature>(a.of[k] * b.of[k]); });
}
LIC_PRODUCT_INLINE Features any(const Features& a, const Features& b) {
  return Features::made([&](std::size_t k) { return static_cast<Feature>(a.of[k] | b.of[k]); });
}
LIC_PRODUCT_INLINE Features either(const Features& mask, const Features& a, const Features& b) {
  return Features::made([&](std::size_t k) { return mask.of[k] ? a.of[k] : b.of[k]; });
}

LIC_PRODUCT_INLINE Features beyond(const Features& values, Feature least) {
  return Features::made([&](std::size_t k) { return std::abs(values.of[k]) < least ? 0 : values.of[k]; });
}

template <int by>
LIC_PRODUCT_INLINE Features down(const Features& values) {
  return Features::made([&](std::size_t k) { return values.of[k] >> by; });
}
LIC_PRODUCT_INLINE void stored_halves(Feature* first, Feature* second, const Features& values) {
  std::copy_n(values.of, 8, first), std::copy_n(values.of + 8, 8, second);
}

LIC_PRODUCT_INLINE Totals totals(const Sums& sums) {
  return Totals::made([&](std::size_t k) { return sums.of[k]; });
}
LIC_PRODUCT_INLINE Totals plus(const Totals& a, const Totals& b) {
  return Totals::made([&](std::size_t k) { return static_cast<std::uint32_t>(a.of[k]) + static_cast<std::uint32_t>(b.of[k]); });
}
LIC_PRODUCT_INLINE Shifts shifts(const Sums& by) { return totals(by); }
LIC_PRODUCT_INLINE Totals down(const Totals& sums, const Shifts& by) {
  return Totals::made([&](std::size_t k) { return sums.of[k] >> by.of[k]; });
}
template <int by>
LIC_PRODUCT_INLINE Totals down(const Totals& sums) {
  return Totals::made([&](std::size_t k) { return sums.of[k] >> by; });
}
LIC_PRODUCT_INLINE Features packed(const Totals& sums) {
  return Features::made([&](std::size_t k) { return saturated(sums.of[output_at(k)]); });
}

LIC_PRODUCT_INLINE Weights weights(const PairWeights& pair) {
  return {Features::made([&](std::size_t k) { return pair.of[PairWeights::at(output_at(k), 0)]; }),
          Features::made([&](std::size_t k) { return pair.of[PairWeights::at(output_at(k), 1)]; })};
}
LIC_PRODUCT_INLINE Weights alternating(const Feature (&turns)[2][2]) {
  return {Features::made([&](std::size_t k) { return turns[k % 2][0]; }), Features::made([&](std::size_t k) { return turns[k % 2][1]; })};
}
LIC_PRODUCT_INLINE Both both(const Feature* two) { return {two[0], two[1]}; }
LIC_PRODUCT_INLINE Couple coupled(const Features& upper, const Features& lower) {
  return {Features::made([&](std::size_t k) { return upper.of[output_at(k)]; }),
          Features::made([&](std::size_t k) { return lower.of[output_at(k)]; })};
}
LIC_PRODUCT_INLINE std::int32_t added(std::int32_t sum, std::int32_t one, std::int32_t other) {  // wraps around
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(one) + static_cast<std::uint32_t>(other));
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  for (std::size_t k = 0; k < kOutputs; ++k)
    sums.of[k] = added(sums.of[k], couple.upper.of[k] * by.upper.of[k], couple.lower.of[k] * by.lower.of[k]);
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, Both couple, const Weights& by) {
  for (std::size_t k = 0; k < kOutputs; ++k) sums.of[k] = added(sums.of[k], couple.one * by.upper.of[k], couple.other * by.lower.of[k]);
}

LIC_PRODUCT_INLINE Reals reals(const Totals& sums) {
  return Reals::made([&](std::size_t k) { return static_cast<float>(sums.of[k]); });
}
LIC_PRODUCT_INLINE Reals reals(const float* from) {
  return Reals::made([&](std::size_t k) { return from[k]; });
}
LIC_PRODUCT_INLINE Reals units(const Sums& shift) {
  return Reals::made([&](std::size_t k) { return std::ldexp(1.0f, -shift.of[k]); });
}
LIC_PRODUCT_INLINE Reals times(const Reals& a, const Reals& b) {
  return Reals::made([&](std::size_t k) { return a.of[k] * b.of[k]; });
}
LIC_PRODUCT_INLINE Reals times(const Reals& a, float b) {
  return Reals::made([&](std::size_t k) { return a.of[k] * b; });
}
LIC_PRODUCT_INLINE Reals plus(const Reals& a, const Reals& b) {
  return Reals::made([&](std::size_t k) { return a.of[k] + b.of[k]; });
}
LIC_PRODUCT_INLINE Reals plus(const Reals& a, float b) {
  return Reals::made([&](std::size_t k) { return a.of[k] + b; });
}
LIC_PRODUCT_INLINE Reals larger(const Reals& a, const Reals& b) {
  return Reals::made([&](std::size_t k) { return std::max(a.of[k], b.of[k]); });
}
LIC_PRODUCT_INLINE Reals magnitudes(const Reals& a) {
  return Reals::made([&](std::size_t k) { return std::fabs(a.of[k]); });
}
LIC_PRODUCT_INLINE float largest(const Reals& values) { return *std::max_element(values.of, values.of + kOutputs); }
LIC_PRODUCT_INLINE void stored(float* to, const Reals& values) { std::copy_n(values.of, kOutputs, to); }
LIC_PRODUCT_INLINE void stored_square(float* to, std::size_t apart, const Reals& values) {
  for (std::size_t k = 0; k < kOutputs; ++k) to[k / 4 * apart + k % 4] = values.of[output_at(k)];
}
LIC_PRODUCT_INLINE Features nearest(const Reals& values) {
  return Features::made([&](std::size_t k) { return feature(values.of[output_at(k)]); });
}

template <typename Row, typename Factor>
LIC_PRODUCT_INLINE void turn(const Row& row, const Factor& factor, Feature* to, std::size_t apart) {
  for (std::size_t k = 0; k < 8; ++k)
    for (std::size_t i = 0; i < 8; ++i) to[i * apart + k] = feature(row(k)[i] * factor(k));
}

LIC_PRODUCT_INLINE void flip(const float* from, std::size_t apart, float* to, std::size_t to_apart) {
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t k = 0; k < 4; ++k) to[i * to_apart + k] = from[k * apart + i];
}

// 16 numbers of 0 to 255 of each of three colours, one pixel after another.
LIC_PRODUCT_INLINE void stored_pixels(std::uint8_t* out, const Features (&colours)[3]) {
  for (std::size_t k = 0; k < 3 * kOutputs; ++k) out[k] = static_cast<std::uint8_t>(colours[k % 3].of[k / 3]);
}

}  // namespace

}  // namespace lic
