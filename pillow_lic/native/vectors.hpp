// Numbers in vectors of 8, float32, for processors with a multiply-add: a product and a sum in one instruction, rounded once. The same
// numbers from all of them, to the last bit: each operation is one of IEEE 754, and compilers may not fuse two.
#pragma once

#include <cstddef>

#include "tables.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#include <immintrin.h>
#define LIC_VECTORS
// Wheels are compiled for any x86-64.
#define LIC_REAL __attribute__((target("fma")))
#define LIC_REAL_INLINE inline __attribute__((always_inline, target("fma")))
#endif
#elif defined(__aarch64__) && defined(__GNUC__)
#include <arm_neon.h>
#define LIC_VECTORS
#define LIC_REAL
#define LIC_REAL_INLINE LIC_INLINE
#endif

#ifdef LIC_VECTORS

#define LIC_SIX _Pragma("GCC unroll 6")

namespace lic {

namespace {

#ifdef __x86_64__

inline bool multiplies_and_adds() { return __builtin_cpu_supports("fma"); }

using Eight = __m256;

LIC_REAL_INLINE Eight loaded(const float* from) { return _mm256_loadu_ps(from); }
LIC_REAL_INLINE void stored(float* to, Eight v) { _mm256_storeu_ps(to, v); }
LIC_REAL_INLINE Eight plus(Eight a, Eight b) { return _mm256_add_ps(a, b); }
LIC_REAL_INLINE Eight plus_product(Eight sum, Eight a, Eight b) { return _mm256_fmadd_ps(a, b, sum); }
LIC_REAL_INLINE Eight plus_product(Eight sum, Eight a, float b) { return _mm256_fmadd_ps(a, _mm256_set1_ps(b), sum); }

// The larger of v and v times a factor.
LIC_REAL_INLINE Eight bent(Eight v, float factor) { return _mm256_max_ps(v, _mm256_mul_ps(v, _mm256_set1_ps(factor))); }

// Every other number of 15, of which `first` are the first 8 and `second` the last 8.
LIC_REAL_INLINE Eight evens(Eight first, Eight second) { return __builtin_shufflevector(first, second, 0, 2, 4, 6, 9, 11, 13, 15); }

// 8 rows of 8 as 8 columns.
LIC_REAL_INLINE void transpose(const Eight (&in)[8], Eight (&out)[8]) {
  Eight pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(in[i], in[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(in[i], in[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int k = 0; k < 2; ++k) {
      fours[i + 2 * k] = _mm256_shuffle_ps(pairs[i + k], pairs[i + 2 + k], 0x44);
      fours[i + 2 * k + 1] = _mm256_shuffle_ps(pairs[i + k], pairs[i + 2 + k], 0xee);
    }
  for (int i = 0; i < 4; ++i) {
    out[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    out[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

#else

inline bool multiplies_and_adds() { return true; }

struct Eight {
  float32x4_t low, high;
};

LIC_REAL_INLINE Eight loaded(const float* from) { return {vld1q_f32(from), vld1q_f32(from + 4)}; }
LIC_REAL_INLINE void stored(float* to, Eight v) { vst1q_f32(to, v.low), vst1q_f32(to + 4, v.high); }
LIC_REAL_INLINE Eight plus(Eight a, Eight b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
LIC_REAL_INLINE Eight plus_product(Eight sum, Eight a, Eight b) {
  return {vfmaq_f32(sum.low, a.low, b.low), vfmaq_f32(sum.high, a.high, b.high)};
}
LIC_REAL_INLINE Eight plus_product(Eight sum, Eight a, float b) { return {vfmaq_n_f32(sum.low, a.low, b), vfmaq_n_f32(sum.high, a.high, b)}; }

// The larger of v and v times a factor.
LIC_REAL_INLINE Eight bent(Eight v, float factor) {
  return {vmaxq_f32(v.low, vmulq_n_f32(v.low, factor)), vmaxq_f32(v.high, vmulq_n_f32(v.high, factor))};
}

// Every other number of 15, of which `first` are the first 8 and `second` the last 8.
LIC_REAL_INLINE Eight evens(Eight first, Eight second) { return {vuzp1q_f32(first.low, first.high), vuzp2q_f32(second.low, second.high)}; }

// 4 rows of 4 as 4 columns.
LIC_REAL_INLINE void transpose(float32x4_t& a, float32x4_t& b, float32x4_t& c, float32x4_t& d) {
  const auto doubles = [](float32x4_t v) LIC_HERE { return vreinterpretq_f64_f32(v); };
  const auto floats = [](float64x2_t v) LIC_HERE { return vreinterpretq_f32_f64(v); };
  const auto even = doubles(vtrn1q_f32(a, b)), odd = doubles(vtrn2q_f32(a, b)), more_even = doubles(vtrn1q_f32(c, d)),
             more_odd = doubles(vtrn2q_f32(c, d));
  a = floats(vzip1q_f64(even, more_even)), b = floats(vzip1q_f64(odd, more_odd));
  c = floats(vzip2q_f64(even, more_even)), d = floats(vzip2q_f64(odd, more_odd));
}

// 8 rows of 8 as 8 columns.
LIC_REAL_INLINE void transpose(const Eight (&in)[8], Eight (&out)[8]) {
  for (int i = 0; i < 4; ++i) {
    out[i] = {in[i].low, in[i + 4].low};
    out[i + 4] = {in[i].high, in[i + 4].high};
  }
  for (int i = 0; i < 8; i += 4) {
    transpose(out[i].low, out[i + 1].low, out[i + 2].low, out[i + 3].low);
    transpose(out[i].high, out[i + 1].high, out[i + 2].high, out[i + 3].high);
  }
}

#endif

}  // namespace

}  // namespace lic
#endif
