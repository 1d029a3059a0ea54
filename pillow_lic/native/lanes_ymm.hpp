// Features of lanes.hpp in a register of 32 bytes, and what turns rows: for x86-64 from AVX2 on.
#pragma once

#include <immintrin.h>

#include "products.hpp"

namespace lic {

namespace {

using Features = __m256i;

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

LIC_PRODUCT_INLINE __m256i nearest(__m256 values) {
  const __m256 least = _mm256_set1_ps(kLeastFeature), most = _mm256_set1_ps(kMostFeature);
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(values, least), most));  // maxps gives its second operand where one is no number
}

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
