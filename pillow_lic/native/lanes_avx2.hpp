// lanes.hpp for x86-64 with AVX2.
#pragma once

#include <immintrin.h>

#include "products.hpp"

#define LIC_PRODUCT __attribute__((target("avx2")))
#define LIC_PRODUCT_HERE __attribute__((always_inline, target("avx2")))

namespace lic {

namespace {

constexpr std::size_t kAbreast = 6;  // 12 sums of 8 numbers, for 16 registers

using Features = __m256i;
struct Totals {
  __m256i low, high;
};
using Shifts = Totals;
using Weights = Totals;
using Couple = Totals;
struct Reals {
  __m256 low, high;
};

LIC_PRODUCT_INLINE __m256i whole(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

LIC_PRODUCT_INLINE Features loaded(const Feature* from) { return whole(from); }
LIC_PRODUCT_INLINE void stored(Feature* to, Features values) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values); }
LIC_PRODUCT_INLINE Features all(Feature value) { return _mm256_set1_epi16(value); }
LIC_PRODUCT_INLINE Features at_least(Features values, Feature least) { return _mm256_max_epi16(values, _mm256_set1_epi16(least)); }
LIC_PRODUCT_INLINE Features at_most(Features values, Feature most) { return _mm256_min_epi16(values, _mm256_set1_epi16(most)); }
LIC_PRODUCT_INLINE Features bent(Features values) { return _mm256_max_epi16(values, _mm256_mulhi_epi16(values, _mm256_set1_epi16(kTenth))); }
LIC_PRODUCT_INLINE Features plus(Features a, Features b) { return _mm256_adds_epi16(a, b); }
LIC_PRODUCT_INLINE Features minus(Features a, Features b) { return _mm256_subs_epi16(a, b); }
LIC_PRODUCT_INLINE Features times(Features a, Features b) { return _mm256_mullo_epi16(a, b); }
LIC_PRODUCT_INLINE Features any(Features a, Features b) { return _mm256_or_si256(a, b); }
LIC_PRODUCT_INLINE Features either(Features mask, Features a, Features b) { return _mm256_blendv_epi8(b, a, mask); }

LIC_PRODUCT_INLINE Features beyond(Features values, Feature least) {
  const __m256i sizes = _mm256_max_epi16(values, _mm256_subs_epi16(_mm256_setzero_si256(), values));
  return _mm256_andnot_si256(_mm256_cmpgt_epi16(_mm256_set1_epi16(least), sizes), values);
}

template <int by>
LIC_PRODUCT_INLINE Features down(Features values) {
  return _mm256_srai_epi16(values, by);
}
LIC_PRODUCT_INLINE void stored_halves(Feature* first, Feature* second, Features values) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(first), _mm256_castsi256_si128(values));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(second), _mm256_extracti128_si256(values, 1));
}

LIC_PRODUCT_INLINE Totals totals(const Sums& sums) { return {whole(sums.of), whole(sums.of + 8)}; }
LIC_PRODUCT_INLINE Totals plus(Totals a, Totals b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
LIC_PRODUCT_INLINE Shifts shifts(const Sums& by) { return totals(by); }
LIC_PRODUCT_INLINE Totals down(Totals sums, const Shifts& by) {
  return {_mm256_srav_epi32(sums.low, by.low), _mm256_srav_epi32(sums.high, by.high)};
}
template <int by>
LIC_PRODUCT_INLINE Totals down(Totals sums) {
  return {_mm256_srai_epi32(sums.low, by), _mm256_srai_epi32(sums.high, by)};
}
LIC_PRODUCT_INLINE Features packed(Totals sums) { return _mm256_packs_epi32(sums.low, sums.high); }

LIC_PRODUCT_INLINE Weights weights(const PairWeights& pair) { return {whole(pair.of), whole(pair.of + kOutputs)}; }
LIC_PRODUCT_INLINE Weights alternating(const Feature (&turns)[2][2]) {
  std::int64_t both;
  std::memcpy(&both, turns, sizeof(both));
  const __m256i all = _mm256_set1_epi64x(both);
  return {all, all};
}
LIC_PRODUCT_INLINE Couple both(const Feature* two) {
  std::int32_t pair;
  std::memcpy(&pair, two, sizeof(pair));
  const __m256i all = _mm256_set1_epi32(pair);
  return {all, all};
}
LIC_PRODUCT_INLINE Couple coupled(Features upper, Features lower) {
  return {_mm256_unpacklo_epi16(upper, lower), _mm256_unpackhi_epi16(upper, lower)};
}
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  // In words of the processor: GCC makes all sums of a step at its end, for which there are not the registers, or copies each of them.
  asm("vpaddd %1, %0, %0" : "+x"(sums.low) : "x"(_mm256_madd_epi16(couple.low, by.low)));
  asm("vpaddd %1, %0, %0" : "+x"(sums.high) : "x"(_mm256_madd_epi16(couple.high, by.high)));
}

LIC_PRODUCT_INLINE Reals reals(Totals sums) { return {_mm256_cvtepi32_ps(sums.low), _mm256_cvtepi32_ps(sums.high)}; }
LIC_PRODUCT_INLINE Reals reals(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
LIC_PRODUCT_INLINE __m256 unit(__m256i shift) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_sub_epi32(_mm256_set1_epi32(127), shift), 23));
}
LIC_PRODUCT_INLINE Reals units(const Sums& shift) { return {unit(whole(shift.of)), unit(whole(shift.of + 8))}; }
LIC_PRODUCT_INLINE Reals times(Reals a, Reals b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
LIC_PRODUCT_INLINE Reals times(Reals a, float b) { return times(a, Reals{_mm256_set1_ps(b), _mm256_set1_ps(b)}); }
LIC_PRODUCT_INLINE Reals plus(Reals a, Reals b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
LIC_PRODUCT_INLINE Reals plus(Reals a, float b) { return plus(a, Reals{_mm256_set1_ps(b), _mm256_set1_ps(b)}); }
LIC_PRODUCT_INLINE Reals larger(Reals a, Reals b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
LIC_PRODUCT_INLINE Reals magnitudes(Reals a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
}
LIC_PRODUCT_INLINE float largest(Reals values) {
  const __m256 eight = _mm256_max_ps(values.low, values.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
LIC_PRODUCT_INLINE void stored(float* to, Reals values) { _mm256_storeu_ps(to, values.low), _mm256_storeu_ps(to + 8, values.high); }
LIC_PRODUCT_INLINE void stored_square(float* to, std::size_t apart, Reals values) {
  _mm_storeu_ps(to, _mm256_castps256_ps128(values.low));
  _mm_storeu_ps(to + apart, _mm256_castps256_ps128(values.high));
  _mm_storeu_ps(to + 2 * apart, _mm256_extractf128_ps(values.low, 1));
  _mm_storeu_ps(to + 3 * apart, _mm256_extractf128_ps(values.high, 1));
}
LIC_PRODUCT_INLINE __m256i nearest(__m256 values) {
  const __m256 least = _mm256_set1_ps(kLeastFeature), most = _mm256_set1_ps(kMostFeature);
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(values, least), most));  // maxps gives its second operand where one is no number
}
LIC_PRODUCT_INLINE Features nearest(Reals values) { return _mm256_packs_epi32(nearest(values.low), nearest(values.high)); }

template <typename Row, typename Factor>
LIC_PRODUCT_INLINE void turn(const Row& row, const Factor& factor, Feature* to, std::size_t apart) {
  __m256i rows[8], pairs[4];  // pairs: by place, of two channels
  for (std::size_t k = 0; k < 8; ++k)
    rows[k] = nearest(_mm256_mul_ps(_mm256_loadu_ps(row(k)), _mm256_set1_ps(factor(k))));
  for (std::size_t k = 0; k < 8; k += 2) {
    const __m256i packed = _mm256_packs_epi32(rows[k], rows[k + 1]);
    pairs[k / 2] = _mm256_unpacklo_epi16(packed, _mm256_bsrli_epi128(packed, 8));
  }
  const __m256i a = _mm256_unpacklo_epi32(pairs[0], pairs[1]), b = _mm256_unpacklo_epi32(pairs[2], pairs[3]);
  const __m256i c = _mm256_unpackhi_epi32(pairs[0], pairs[1]), d = _mm256_unpackhi_epi32(pairs[2], pairs[3]);
  const __m256i turned[4] = {_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), _mm256_unpacklo_epi64(c, d),
                             _mm256_unpackhi_epi64(c, d)};
  for (std::size_t i = 0; i < 4; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * apart), _mm256_castsi256_si128(turned[i]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (i + 4) * apart), _mm256_extracti128_si256(turned[i], 1));
  }
}

LIC_PRODUCT_INLINE void flip(const float* from, std::size_t apart, float* to, std::size_t to_apart) {
  __m128 rows[4] = {_mm_loadu_ps(from), _mm_loadu_ps(from + apart), _mm_loadu_ps(from + 2 * apart), _mm_loadu_ps(from + 3 * apart)};
  _MM_TRANSPOSE4_PS(rows[0], rows[1], rows[2], rows[3]);
  for (std::size_t i = 0; i < 4; ++i) _mm_storeu_ps(to + i * to_apart, rows[i]);
}

// 16 numbers of 0 to 255 of each of three colours, one pixel after another.
LIC_PRODUCT_INLINE void stored_pixels(std::uint8_t* out, const Features (&colours)[3]) {
  __m128i bytes[3];
  for (int colour = 0; colour < 3; ++colour)
    bytes[colour] = _mm_packus_epi16(_mm256_castsi256_si128(colours[colour]), _mm256_extracti128_si256(colours[colour], 1));
  for (int part = 0; part < 3; ++part) {
    alignas(16) std::int8_t from[3][16];
    for (int k = 0; k < 16; ++k)
      for (int colour = 0; colour < 3; ++colour) from[colour][k] = static_cast<std::int8_t>((16 * part + k) % 3 == colour ? (16 * part + k) / 3 : -1);
    __m128i made = _mm_setzero_si128();
    for (int colour = 0; colour < 3; ++colour)
      made = _mm_or_si128(made, _mm_shuffle_epi8(bytes[colour], _mm_load_si128(reinterpret_cast<const __m128i*>(from[colour]))));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16 * part), made);
  }
}

}  // namespace

}  // namespace lic
