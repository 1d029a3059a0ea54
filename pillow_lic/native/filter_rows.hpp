// The sums of filter.hpp for 16 pixels at a time, in registers: for processors with AVX2. Two places of a filter are one instruction, which
// multiplies pairs of int16 and adds the products; the numbers are those of the other loops, for they are whole.
//
// Runs begin at even columns of a row, so that even and odd pixels stand by turns in a register, and so do their coefficients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define LIC_AVX2 __attribute__((target("avx2")))
#define LIC_AVX2_INLINE inline __attribute__((target("avx2"), always_inline))

namespace lic::avx2 {

constexpr std::size_t kPixels = 16;

inline bool here() { return __builtin_cpu_supports("avx2"); }

// Of two places, by colour that comes out, both coefficients of an even pixel and then of an odd one.
struct Coefficients {
  std::int64_t of[3] = {};

  void set(std::size_t which, const std::int32_t (&weights)[3][kPixels]) {
    for (std::size_t colour = 0; colour < 3; ++colour)
      for (std::size_t odd = 0; odd < 2; ++odd) {
        const std::uint64_t part = static_cast<std::uint16_t>(weights[colour][odd]);
        of[colour] = static_cast<std::int64_t>(static_cast<std::uint64_t>(of[colour]) | part << (32 * odd + 16 * which));
      }
  }
};

// Two places of colours: the pixel and its neighbours on both sides.
struct Two {
  const std::int16_t *v[2], *a[2], *b[2];
  Coefficients coefficients;
};

// Two rows of differences.
struct TwoMade {
  const std::int16_t* made[2];
  Coefficients coefficients;
};

// What a row of pixels is made from.
struct Places {
  std::vector<Two> wide, clipped;
  std::vector<TwoMade> made;
};

LIC_AVX2_INLINE __m256i load(const std::int16_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }

LIC_AVX2_INLINE __m256i wide(const Two& two, std::size_t which, std::size_t x) {
  const __m256i v = load(two.v[which] + x), both = _mm256_add_epi16(load(two.a[which] + x), load(two.b[which] + x));
  return _mm256_sub_epi16(both, _mm256_add_epi16(v, v));
}

LIC_AVX2_INLINE __m256i clipped(const Two& two, std::size_t which, std::size_t x, __m256i low, __m256i high) {
  const __m256i v = load(two.v[which] + x);
  const __m256i one = _mm256_sub_epi16(load(two.a[which] + x), v), other = _mm256_sub_epi16(load(two.b[which] + x), v);
  return _mm256_add_epi16(_mm256_min_epi16(_mm256_max_epi16(one, low), high), _mm256_min_epi16(_mm256_max_epi16(other, low), high));
}

// Adds products to the sums of colours, of pixels 0-3 and 8-11 and of the others.
LIC_AVX2_INLINE void add(__m256i first, __m256i second, const Coefficients& coefficients, __m256i (&sums)[3][2]) {
  const __m256i low = _mm256_unpacklo_epi16(first, second), high = _mm256_unpackhi_epi16(first, second);
  for (std::size_t colour = 0; colour < 3; ++colour) {
    const __m256i both = _mm256_set1_epi64x(coefficients.of[colour]);
    sums[colour][0] = _mm256_add_epi32(sums[colour][0], _mm256_madd_epi16(low, both));
    sums[colour][1] = _mm256_add_epi32(sums[colour][1], _mm256_madd_epi16(high, both));
  }
}

// 16 pixels of three colours, one after another.
LIC_AVX2_INLINE void interleave(const __m128i (&colours)[3], std::uint8_t* out) {
  for (int part = 0; part < 3; ++part) {
    alignas(16) std::int8_t from[3][16];
    for (int k = 0; k < 16; ++k)
      for (int colour = 0; colour < 3; ++colour) from[colour][k] = static_cast<std::int8_t>((16 * part + k) % 3 == colour ? (16 * part + k) / 3 : -1);
    __m128i made = _mm_setzero_si128();
    for (int colour = 0; colour < 3; ++colour)
      made = _mm_or_si128(made, _mm_shuffle_epi8(colours[colour], _mm_load_si128(reinterpret_cast<const __m128i*>(from[colour]))));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16 * part), made);
  }
}

// Pixels x to x + 15 of a row, whose colours are `v`, in sixteenths: 48 numbers.
LIC_AVX2_INLINE void pixels(const Places& places, const std::int16_t* const (&v)[3], std::size_t x, std::int16_t threshold, int shift,
                            int fraction, std::uint8_t* out) {
  const __m256i high = _mm256_set1_epi16(threshold), low = _mm256_sub_epi16(_mm256_setzero_si256(), high);
  const __m256i half = _mm256_set1_epi32(1 << (shift + fraction - 1));
  __m256i sums[3][2] = {{half, half}, {half, half}, {half, half}};
  for (const Two& two : places.wide) add(wide(two, 0, x), wide(two, 1, x), two.coefficients, sums);
  for (const Two& two : places.clipped) add(clipped(two, 0, x, low, high), clipped(two, 1, x, low, high), two.coefficients, sums);
  for (const TwoMade& two : places.made) add(load(two.made[0] + x), load(two.made[1] + x), two.coefficients, sums);
  __m128i colours[3];
  const __m256i unit = _mm256_set1_epi32(1 << shift);
  const __m128i down = _mm_cvtsi32_si128(shift + fraction);
  for (std::size_t colour = 0; colour < 3; ++colour) {
    const __m256i here = load(v[colour] + x), zero = _mm256_setzero_si256();
    const __m256i first = _mm256_madd_epi16(_mm256_unpacklo_epi16(here, zero), unit);
    const __m256i second = _mm256_madd_epi16(_mm256_unpackhi_epi16(here, zero), unit);
    const __m256i levels = _mm256_packs_epi32(_mm256_sra_epi32(_mm256_add_epi32(first, sums[colour][0]), down),
                                              _mm256_sra_epi32(_mm256_add_epi32(second, sums[colour][1]), down));
    colours[colour] = _mm_packus_epi16(_mm256_castsi256_si128(levels), _mm256_extracti128_si256(levels, 1));
  }
  interleave(colours, out);
}

// A row of n pixels; what is read ends up to 15 places behind its last one.
LIC_AVX2 inline void row(const Places& places, const std::int16_t* const (&v)[3], std::size_t n, std::int16_t threshold, int shift,
                         int fraction, std::uint8_t* out) {
  std::size_t x = 0;
  for (; x + kPixels <= n; x += kPixels) pixels(places, v, x, threshold, shift, fraction, out + 3 * x);
  if (x == n) return;
  std::uint8_t last[3 * kPixels];
  pixels(places, v, x, threshold, shift, fraction, last);
  for (std::size_t k = 0; k < 3 * (n - x); ++k) out[3 * x + k] = last[k];
}

}  // namespace lic::avx2

#define LIC_HAS_AVX2 1
#endif
