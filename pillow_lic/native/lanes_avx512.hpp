// lanes.hpp for x86-64 with AVX-512 and its VNNI, which adds both products to a sum in one instruction.
#pragma once

#define LIC_PRODUCT __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define LIC_PRODUCT_HERE __attribute__((always_inline, target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

#include "lanes_ymm.hpp"

namespace lic {

namespace {

// Registers would be there for more than twice as many. But an instruction takes four or five cycles and at most two begin in one, so that
// eight keep most processors busy; more places have fewer pairs that are 0 in all of them (pairs.hpp), and leave more over at the end of a row.
constexpr std::size_t kAbreast = 8;

struct Totals {
  __m512i all;
};
using Shifts = Totals;
using Weights = Totals;
using Couple = Totals;
struct Reals {
  __m512 all;
};

LIC_PRODUCT_INLINE __m512i joined(__m256i low, __m256i high) { return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1); }

LIC_PRODUCT_INLINE Totals totals(const Sums& sums) { return {_mm512_loadu_si512(sums.of)}; }
LIC_PRODUCT_INLINE Totals plus(Totals a, Totals b) { return {_mm512_add_epi32(a.all, b.all)}; }
LIC_PRODUCT_INLINE Shifts shifts(const Sums& by) { return totals(by); }
LIC_PRODUCT_INLINE Totals down(Totals sums, const Shifts& by) { return {_mm512_srav_epi32(sums.all, by.all)}; }
template <int by>
LIC_PRODUCT_INLINE Totals down(Totals sums) {
  return {_mm512_srai_epi32(sums.all, by)};
}
LIC_PRODUCT_INLINE Features packed(Totals sums) {
  return _mm256_packs_epi32(_mm512_castsi512_si256(sums.all), _mm512_extracti64x4_epi64(sums.all, 1));
}

LIC_PRODUCT_INLINE Weights weights(const PairWeights& pair) { return {_mm512_loadu_si512(pair.of)}; }
LIC_PRODUCT_INLINE Weights alternating(const Feature (&turns)[2][2]) {
  std::int64_t both;
  std::memcpy(&both, turns, sizeof(both));
  return {_mm512_set1_epi64(both)};
}
LIC_PRODUCT_INLINE Couple both(const Feature* two) {
  std::int32_t pair;
  std::memcpy(&pair, two, sizeof(pair));
  return {_mm512_set1_epi32(pair)};
}
LIC_PRODUCT_INLINE Couple coupled(Features upper, Features lower) {
  return {joined(_mm256_unpacklo_epi16(upper, lower), _mm256_unpackhi_epi16(upper, lower))};
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  if constexpr (n == 1) {  // the one instruction takes four or five cycles, for which the next one would wait
    sums.all = _mm512_add_epi32(sums.all, _mm512_madd_epi16(couple.all, by.all));
  } else {
    asm("vpdpwssd %2, %1, %0" : "+v"(sums.all) : "v"(couple.all), "v"(by.all));  // of the intrinsic GCC copies each sum, twice
  }
}

LIC_PRODUCT_INLINE Reals reals(Totals sums) { return {_mm512_cvtepi32_ps(sums.all)}; }
LIC_PRODUCT_INLINE Reals reals(const float* from) { return {_mm512_loadu_ps(from)}; }
LIC_PRODUCT_INLINE Reals units(const Sums& shift) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_sub_epi32(_mm512_set1_epi32(127), _mm512_loadu_si512(shift.of)), 23))};
}
LIC_PRODUCT_INLINE Reals times(Reals a, Reals b) { return {_mm512_mul_ps(a.all, b.all)}; }
LIC_PRODUCT_INLINE Reals times(Reals a, float b) { return {_mm512_mul_ps(a.all, _mm512_set1_ps(b))}; }
LIC_PRODUCT_INLINE Reals plus(Reals a, Reals b) { return {_mm512_add_ps(a.all, b.all)}; }
LIC_PRODUCT_INLINE Reals plus(Reals a, float b) { return {_mm512_add_ps(a.all, _mm512_set1_ps(b))}; }
LIC_PRODUCT_INLINE Reals larger(Reals a, Reals b) { return {_mm512_max_ps(a.all, b.all)}; }
LIC_PRODUCT_INLINE Reals magnitudes(Reals a) { return {_mm512_abs_ps(a.all)}; }
LIC_PRODUCT_INLINE float largest(Reals values) { return _mm512_reduce_max_ps(values.all); }
LIC_PRODUCT_INLINE void stored(float* to, Reals values) { _mm512_storeu_ps(to, values.all); }
LIC_PRODUCT_INLINE void stored_square(float* to, std::size_t apart, Reals values) {
  _mm_storeu_ps(to, _mm512_castps512_ps128(values.all));
  _mm_storeu_ps(to + apart, _mm512_extractf32x4_ps(values.all, 2));
  _mm_storeu_ps(to + 2 * apart, _mm512_extractf32x4_ps(values.all, 1));
  _mm_storeu_ps(to + 3 * apart, _mm512_extractf32x4_ps(values.all, 3));
}
LIC_PRODUCT_INLINE Features nearest(Reals values) {
  const __m512 least = _mm512_set1_ps(kLeastFeature), most = _mm512_set1_ps(kMostFeature);
  return packed(Totals{_mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(values.all, least), most))});  // as that of 8
}

}  // namespace

}  // namespace lic
