// lanes.hpp for every x86-64: SSE2.
#pragma once

#include <emmintrin.h>

#include "products.hpp"
#include "tables.hpp"

#define LIC_PRODUCT
#define LIC_PRODUCT_HERE LIC_HERE

namespace lic {

namespace {

constexpr std::size_t kAbreast = 2;  // 8 sums of 4 numbers, for 16 registers

struct Features {
  __m128i first, second;
};
struct Totals {
  __m128i of[4];
};
using Weights = Totals;
using Couple = Totals;
struct Both {
  __m128i all;
};
struct Shifts {
  __m128i by[kOutputs];  // for each sum: the instruction shifts all numbers of a register alike
};
struct Reals {
  __m128 of[4];
};

LIC_PRODUCT_INLINE __m128i whole(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
template <typename Each>
LIC_PRODUCT_INLINE Totals by_four(const Each& each) {
  return {{each(0), each(1), each(2), each(3)}};
}

LIC_PRODUCT_INLINE Features loaded(const Feature* from) { return {whole(from), whole(from + 8)}; }
LIC_PRODUCT_INLINE void stored(Feature* to, Features values) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), values.first);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 8), values.second);
}
LIC_PRODUCT_INLINE Features all(Feature value) { return {_mm_set1_epi16(value), _mm_set1_epi16(value)}; }
LIC_PRODUCT_INLINE Features at_least(Features values, Feature least) {
  return {_mm_max_epi16(values.first, _mm_set1_epi16(least)), _mm_max_epi16(values.second, _mm_set1_epi16(least))};
}
LIC_PRODUCT_INLINE Features at_most(Features values, Feature most) {
  return {_mm_min_epi16(values.first, _mm_set1_epi16(most)), _mm_min_epi16(values.second, _mm_set1_epi16(most))};
}
LIC_PRODUCT_INLINE Features bent(Features values) {
  const __m128i tenth = _mm_set1_epi16(kTenth);
  return {_mm_max_epi16(values.first, _mm_mulhi_epi16(values.first, tenth)), _mm_max_epi16(values.second, _mm_mulhi_epi16(values.second, tenth))};
}
LIC_PRODUCT_INLINE Features plus(Features a, Features b) { return {_mm_adds_epi16(a.first, b.first), _mm_adds_epi16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features minus(Features a, Features b) { return {_mm_subs_epi16(a.first, b.first), _mm_subs_epi16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features times(Features a, Features b) { return {_mm_mullo_epi16(a.first, b.first), _mm_mullo_epi16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features any(Features a, Features b) { return {_mm_or_si128(a.first, b.first), _mm_or_si128(a.second, b.second)}; }
LIC_PRODUCT_INLINE __m128i either(__m128i mask, __m128i a, __m128i b) { return _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b)); }
LIC_PRODUCT_INLINE Features either(Features mask, Features a, Features b) {
  return {either(mask.first, a.first, b.first), either(mask.second, a.second, b.second)};
}

LIC_PRODUCT_INLINE __m128i beyond(__m128i values, Feature least) {
  const __m128i sizes = _mm_max_epi16(values, _mm_subs_epi16(_mm_setzero_si128(), values));
  return _mm_andnot_si128(_mm_cmpgt_epi16(_mm_set1_epi16(least), sizes), values);
}
LIC_PRODUCT_INLINE Features beyond(Features values, Feature least) { return {beyond(values.first, least), beyond(values.second, least)}; }

template <int by>
LIC_PRODUCT_INLINE Features down(Features values) {
  return {_mm_srai_epi16(values.first, by), _mm_srai_epi16(values.second, by)};
}
LIC_PRODUCT_INLINE void stored_halves(Feature* first, Feature* second, Features values) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(first), values.first);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(second), values.second);
}

LIC_PRODUCT_INLINE Totals totals(const Sums& sums) {
  return by_four([&](std::size_t i) { return whole(sums.of + 4 * i); });
}
LIC_PRODUCT_INLINE Totals plus(Totals a, Totals b) {
  return by_four([&](std::size_t i) { return _mm_add_epi32(a.of[i], b.of[i]); });
}
LIC_PRODUCT_INLINE Shifts shifts(const Sums& by) {
  Shifts made;
  for (std::size_t k = 0; k < kOutputs; ++k) made.by[k] = _mm_cvtsi32_si128(by.of[k]);
  return made;
}
LIC_PRODUCT_INLINE Totals down(Totals sums, const Shifts& by) {
  return by_four([&](std::size_t i) {
    const __m128i a = _mm_sra_epi32(sums.of[i], by.by[4 * i]), b = _mm_sra_epi32(sums.of[i], by.by[4 * i + 1]);
    const __m128i c = _mm_sra_epi32(sums.of[i], by.by[4 * i + 2]), d = _mm_sra_epi32(sums.of[i], by.by[4 * i + 3]);
    const __m128 even = _mm_castsi128_ps(_mm_unpacklo_epi64(a, _mm_unpackhi_epi64(c, c)));  // a0 a1 c2 c3
    const __m128 odd = _mm_castsi128_ps(_mm_unpacklo_epi64(b, _mm_unpackhi_epi64(d, d)));   // b0 b1 d2 d3
    return _mm_shuffle_epi32(_mm_castps_si128(_mm_shuffle_ps(even, odd, _MM_SHUFFLE(3, 1, 2, 0))), _MM_SHUFFLE(3, 1, 2, 0));
  });
}
template <int by>
LIC_PRODUCT_INLINE Totals down(Totals sums) {
  return by_four([&](std::size_t i) { return _mm_srai_epi32(sums.of[i], by); });
}
LIC_PRODUCT_INLINE Features packed(Totals sums) {
  return {_mm_packs_epi32(sums.of[0], sums.of[2]), _mm_packs_epi32(sums.of[1], sums.of[3])};
}

LIC_PRODUCT_INLINE Weights weights(const PairWeights& pair) {
  return by_four([&](std::size_t i) { return whole(pair.of + 8 * i); });
}
LIC_PRODUCT_INLINE Weights alternating(const Feature (&turns)[2][2]) {
  const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(turns)), all = _mm_unpacklo_epi64(half, half);
  return {{all, all, all, all}};
}
LIC_PRODUCT_INLINE Both both(const Feature* two) {
  std::int32_t pair;
  std::memcpy(&pair, two, sizeof(pair));
  return {_mm_set1_epi32(pair)};
}
LIC_PRODUCT_INLINE Couple coupled(Features upper, Features lower) {
  return {{_mm_unpacklo_epi16(upper.first, lower.first), _mm_unpacklo_epi16(upper.second, lower.second),
           _mm_unpackhi_epi16(upper.first, lower.first), _mm_unpackhi_epi16(upper.second, lower.second)}};
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  for (std::size_t i = 0; i < 4; ++i) sums.of[i] = _mm_add_epi32(sums.of[i], _mm_madd_epi16(couple.of[i], by.of[i]));
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, Both couple, const Weights& by) {
  for (std::size_t i = 0; i < 4; ++i) sums.of[i] = _mm_add_epi32(sums.of[i], _mm_madd_epi16(couple.all, by.of[i]));
}

LIC_PRODUCT_INLINE Reals reals(Totals sums) {
  return {{_mm_cvtepi32_ps(sums.of[0]), _mm_cvtepi32_ps(sums.of[1]), _mm_cvtepi32_ps(sums.of[2]), _mm_cvtepi32_ps(sums.of[3])}};
}
LIC_PRODUCT_INLINE Reals reals(const float* from) {
  return {{_mm_loadu_ps(from), _mm_loadu_ps(from + 4), _mm_loadu_ps(from + 8), _mm_loadu_ps(from + 12)}};
}
LIC_PRODUCT_INLINE Reals units(const Sums& shift) {
  Reals made;
  for (std::size_t i = 0; i < 4; ++i)
    made.of[i] = _mm_castsi128_ps(_mm_slli_epi32(_mm_sub_epi32(_mm_set1_epi32(127), whole(shift.of + 4 * i)), 23));
  return made;
}
LIC_PRODUCT_INLINE Reals times(Reals a, Reals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = _mm_mul_ps(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Reals times(Reals a, float b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = _mm_mul_ps(a.of[i], _mm_set1_ps(b));
  return a;
}
LIC_PRODUCT_INLINE Reals plus(Reals a, Reals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = _mm_add_ps(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Reals plus(Reals a, float b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = _mm_add_ps(a.of[i], _mm_set1_ps(b));
  return a;
}
LIC_PRODUCT_INLINE Reals larger(Reals a, Reals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = _mm_max_ps(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Reals magnitudes(Reals a) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = _mm_andnot_ps(_mm_set1_ps(-0.0f), a.of[i]);
  return a;
}
LIC_PRODUCT_INLINE float largest(Reals values) {
  const __m128 four = _mm_max_ps(_mm_max_ps(values.of[0], values.of[1]), _mm_max_ps(values.of[2], values.of[3]));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}
LIC_PRODUCT_INLINE void stored(float* to, Reals values) {
  for (std::size_t i = 0; i < 4; ++i) _mm_storeu_ps(to + 4 * i, values.of[i]);
}
LIC_PRODUCT_INLINE void stored_square(float* to, std::size_t apart, Reals values) {
  for (std::size_t i = 0; i < 4; ++i) _mm_storeu_ps(to + i * apart, values.of[output_at(4 * i) / 4]);
}
LIC_PRODUCT_INLINE __m128i nearest(__m128 values) {
  const __m128 least = _mm_set1_ps(kLeastFeature), most = _mm_set1_ps(kMostFeature);
  return _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(values, least), most));  // maxps gives its second operand where one is no number
}
LIC_PRODUCT_INLINE Features nearest(Reals values) {
  return packed(by_four([&](std::size_t i) { return nearest(values.of[i]); }));
}

template <typename Row, typename Factor>
LIC_PRODUCT_INLINE void turn(const Row& row, const Factor& factor, Feature* to, std::size_t apart) {
  __m128i rows[8], turned[8];
  for (std::size_t k = 0; k < 8; ++k) {
    const float* from = row(k);
    const __m128 by = _mm_set1_ps(factor(k));
    rows[k] = _mm_packs_epi32(nearest(_mm_mul_ps(_mm_loadu_ps(from), by)), nearest(_mm_mul_ps(_mm_loadu_ps(from + 4), by)));
  }
  for (std::size_t round = 0; round < 3; ++round) {  // three perfect shuffles of the halves turn the square
    for (std::size_t k = 0; k < 4; ++k) {
      turned[2 * k] = _mm_unpacklo_epi16(rows[k], rows[k + 4]);
      turned[2 * k + 1] = _mm_unpackhi_epi16(rows[k], rows[k + 4]);
    }
    std::copy_n(turned, 8, rows);
  }
  for (std::size_t i = 0; i < 8; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * apart), rows[i]);
}

LIC_PRODUCT_INLINE void flip(const float* from, std::size_t apart, float* to, std::size_t to_apart) {
  __m128 rows[4] = {_mm_loadu_ps(from), _mm_loadu_ps(from + apart), _mm_loadu_ps(from + 2 * apart), _mm_loadu_ps(from + 3 * apart)};
  _MM_TRANSPOSE4_PS(rows[0], rows[1], rows[2], rows[3]);
  for (std::size_t i = 0; i < 4; ++i) _mm_storeu_ps(to + i * to_apart, rows[i]);
}

// 16 numbers of 0 to 255 of each of three colours, one pixel after another.
LIC_PRODUCT_INLINE void stored_pixels(std::uint8_t* out, const Features (&colours)[3]) {
  Feature rows[3][kOutputs];
  for (std::size_t colour = 0; colour < 3; ++colour) stored(rows[colour], colours[colour]);
  for (std::size_t k = 0; k < 3 * kOutputs; ++k) out[k] = static_cast<std::uint8_t>(rows[k % 3][k / 3]);
}

}  // namespace

}  // namespace lic
