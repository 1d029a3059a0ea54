// Sums of lanes.hpp in two registers of 32 bytes: for x86-64 with AVX2, and no wider ones.
#pragma once

#include <immintrin.h>

#include "lanes_ymm.hpp"
#include "products.hpp"

namespace lic {

namespace {

struct Totals {
  __m256i low, high;
};
using Shifts = Totals;
using Weights = Totals;
using Couple = Totals;
struct Reals {
  __m256 low, high;
};

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
// `add` in two instructions, of which a sum waits for the second one alone.
LIC_PRODUCT_INLINE void add_apart(Totals& sums, const Couple& couple, const Weights& by) {
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
LIC_PRODUCT_INLINE Features nearest(Reals values) { return _mm256_packs_epi32(nearest(values.low), nearest(values.high)); }

}  // namespace

}  // namespace lic
