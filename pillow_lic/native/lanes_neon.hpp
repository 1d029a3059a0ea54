// lanes.hpp for ARM of 64 bits, all of which have NEON. One input at a time: an instruction adds the products of 4 outputs.
#pragma once

#include <arm_neon.h>

#include "products.hpp"
#include "tables.hpp"

#define LIC_PRODUCT
#define LIC_PRODUCT_HERE LIC_HERE

namespace lic {

namespace {

constexpr std::size_t kAbreast = 5;  // 20 sums of 4 numbers, for 32 registers

struct Features {
  int16x8_t first, second;
};
struct Totals {
  int32x4_t of[4];  // of outputs 0-3, 8-11, 4-7, 12-15
};
using Shifts = Totals;
struct Weights {
  Features upper, lower;  // of the two inputs
};
using Couple = Weights;
struct Both {
  int16x4_t two;
};
struct Reals {
  float32x4_t of[4];
};

LIC_PRODUCT_INLINE Features loaded(const Feature* from) { return {vld1q_s16(from), vld1q_s16(from + 8)}; }
LIC_PRODUCT_INLINE void stored(Feature* to, Features values) { vst1q_s16(to, values.first), vst1q_s16(to + 8, values.second); }
LIC_PRODUCT_INLINE Features all(Feature value) { return {vdupq_n_s16(value), vdupq_n_s16(value)}; }
LIC_PRODUCT_INLINE Features at_least(Features values, Feature least) {
  return {vmaxq_s16(values.first, vdupq_n_s16(least)), vmaxq_s16(values.second, vdupq_n_s16(least))};
}
LIC_PRODUCT_INLINE Features at_most(Features values, Feature most) {
  return {vminq_s16(values.first, vdupq_n_s16(most)), vminq_s16(values.second, vdupq_n_s16(most))};
}
// vqdmulh doubles the product.
LIC_PRODUCT_INLINE Features bent(Features values) {
  return {vmaxq_s16(values.first, vqdmulhq_n_s16(values.first, kTenth / 2)), vmaxq_s16(values.second, vqdmulhq_n_s16(values.second, kTenth / 2))};
}
LIC_PRODUCT_INLINE Features plus(Features a, Features b) { return {vqaddq_s16(a.first, b.first), vqaddq_s16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features minus(Features a, Features b) { return {vqsubq_s16(a.first, b.first), vqsubq_s16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features times(Features a, Features b) { return {vmulq_s16(a.first, b.first), vmulq_s16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features any(Features a, Features b) { return {vorrq_s16(a.first, b.first), vorrq_s16(a.second, b.second)}; }
LIC_PRODUCT_INLINE Features either(Features mask, Features a, Features b) {
  return {vbslq_s16(vreinterpretq_u16_s16(mask.first), a.first, b.first), vbslq_s16(vreinterpretq_u16_s16(mask.second), a.second, b.second)};
}

LIC_PRODUCT_INLINE int16x8_t beyond(int16x8_t values, Feature least) {
  return vandq_s16(values, vreinterpretq_s16_u16(vcgeq_s16(vqabsq_s16(values), vdupq_n_s16(least))));
}
LIC_PRODUCT_INLINE Features beyond(Features values, Feature least) { return {beyond(values.first, least), beyond(values.second, least)}; }

template <int by>
LIC_PRODUCT_INLINE Features down(Features values) {
  return {vshrq_n_s16(values.first, by), vshrq_n_s16(values.second, by)};
}
LIC_PRODUCT_INLINE void stored_halves(Feature* first, Feature* second, Features values) { vst1q_s16(first, values.first), vst1q_s16(second, values.second); }

LIC_PRODUCT_INLINE Totals totals(const Sums& sums) {
  return {{vld1q_s32(sums.of), vld1q_s32(sums.of + 4), vld1q_s32(sums.of + 8), vld1q_s32(sums.of + 12)}};
}
LIC_PRODUCT_INLINE Totals plus(Totals a, Totals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vaddq_s32(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Shifts shifts(const Sums& by) {
  Shifts made = totals(by);
  for (std::size_t i = 0; i < 4; ++i) made.of[i] = vnegq_s32(made.of[i]);  // the instruction shifts to the left
  return made;
}
LIC_PRODUCT_INLINE Totals down(Totals sums, const Shifts& by) {
  for (std::size_t i = 0; i < 4; ++i) sums.of[i] = vshlq_s32(sums.of[i], by.of[i]);
  return sums;
}
template <int by>
LIC_PRODUCT_INLINE Totals down(Totals sums) {
  for (std::size_t i = 0; i < 4; ++i) sums.of[i] = vshrq_n_s32(sums.of[i], by);
  return sums;
}
LIC_PRODUCT_INLINE Features packed(Totals sums) {
  return {vqmovn_high_s32(vqmovn_s32(sums.of[0]), sums.of[2]), vqmovn_high_s32(vqmovn_s32(sums.of[1]), sums.of[3])};
}

LIC_PRODUCT_INLINE Weights weights(const PairWeights& pair) { return {loaded(pair.of), loaded(pair.of + kOutputs)}; }
LIC_PRODUCT_INLINE Weights alternating(const Feature (&turns)[2][2]) {
  const int16x8_t all = vreinterpretq_s16_s64(vld1q_dup_s64(reinterpret_cast<const std::int64_t*>(turns)));
  const int16x8_t upper = vuzp1q_s16(all, all), lower = vuzp2q_s16(all, all);
  return {{upper, upper}, {lower, lower}};
}
LIC_PRODUCT_INLINE Both both(const Feature* two) {
  std::int32_t pair;
  std::memcpy(&pair, two, sizeof(pair));
  return {vreinterpret_s16_s32(vdup_n_s32(pair))};
}
LIC_PRODUCT_INLINE Couple coupled(Features upper, Features lower) { return {upper, lower}; }
LIC_PRODUCT_INLINE void add(Totals& sums, Features values, Features by) {
  sums.of[0] = vmlal_s16(sums.of[0], vget_low_s16(values.first), vget_low_s16(by.first));
  sums.of[1] = vmlal_s16(sums.of[1], vget_low_s16(values.second), vget_low_s16(by.second));
  sums.of[2] = vmlal_high_s16(sums.of[2], values.first, by.first);
  sums.of[3] = vmlal_high_s16(sums.of[3], values.second, by.second);
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  add(sums, couple.upper, by.upper);
  add(sums, couple.lower, by.lower);
}
template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, Both couple, const Weights& by) {
  sums.of[0] = vmlal_lane_s16(sums.of[0], vget_low_s16(by.upper.first), couple.two, 0);
  sums.of[1] = vmlal_lane_s16(sums.of[1], vget_low_s16(by.upper.second), couple.two, 0);
  sums.of[2] = vmlal_high_lane_s16(sums.of[2], by.upper.first, couple.two, 0);
  sums.of[3] = vmlal_high_lane_s16(sums.of[3], by.upper.second, couple.two, 0);
  sums.of[0] = vmlal_lane_s16(sums.of[0], vget_low_s16(by.lower.first), couple.two, 1);
  sums.of[1] = vmlal_lane_s16(sums.of[1], vget_low_s16(by.lower.second), couple.two, 1);
  sums.of[2] = vmlal_high_lane_s16(sums.of[2], by.lower.first, couple.two, 1);
  sums.of[3] = vmlal_high_lane_s16(sums.of[3], by.lower.second, couple.two, 1);
}

LIC_PRODUCT_INLINE Reals reals(Totals sums) {
  return {{vcvtq_f32_s32(sums.of[0]), vcvtq_f32_s32(sums.of[1]), vcvtq_f32_s32(sums.of[2]), vcvtq_f32_s32(sums.of[3])}};
}
LIC_PRODUCT_INLINE Reals reals(const float* from) { return {{vld1q_f32(from), vld1q_f32(from + 4), vld1q_f32(from + 8), vld1q_f32(from + 12)}}; }
LIC_PRODUCT_INLINE Reals units(const Sums& shift) {
  Reals made;
  for (std::size_t i = 0; i < 4; ++i)
    made.of[i] = vreinterpretq_f32_s32(vshlq_n_s32(vsubq_s32(vdupq_n_s32(127), vld1q_s32(shift.of + 4 * i)), 23));
  return made;
}
LIC_PRODUCT_INLINE Reals times(Reals a, Reals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vmulq_f32(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Reals times(Reals a, float b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vmulq_n_f32(a.of[i], b);
  return a;
}
LIC_PRODUCT_INLINE Reals plus(Reals a, Reals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vaddq_f32(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Reals plus(Reals a, float b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vaddq_f32(a.of[i], vdupq_n_f32(b));
  return a;
}
LIC_PRODUCT_INLINE Reals larger(Reals a, Reals b) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vmaxq_f32(a.of[i], b.of[i]);
  return a;
}
LIC_PRODUCT_INLINE Reals magnitudes(Reals a) {
  for (std::size_t i = 0; i < 4; ++i) a.of[i] = vabsq_f32(a.of[i]);
  return a;
}
LIC_PRODUCT_INLINE float largest(Reals values) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(values.of[0], values.of[1]), vmaxq_f32(values.of[2], values.of[3])));
}
LIC_PRODUCT_INLINE void stored(float* to, Reals values) {
  for (std::size_t i = 0; i < 4; ++i) vst1q_f32(to + 4 * i, values.of[i]);
}
LIC_PRODUCT_INLINE void stored_square(float* to, std::size_t apart, Reals values) {
  for (std::size_t i = 0; i < 4; ++i) vst1q_f32(to + i * apart, values.of[output_at(4 * i) / 4]);
}
LIC_PRODUCT_INLINE int32x4_t nearest(float32x4_t values) {
  return vcvtnq_s32_f32(vminnmq_f32(vmaxnmq_f32(values, vdupq_n_f32(kLeastFeature)), vdupq_n_f32(kMostFeature)));
}
LIC_PRODUCT_INLINE Features nearest(Reals values) {
  return packed({{nearest(values.of[0]), nearest(values.of[1]), nearest(values.of[2]), nearest(values.of[3])}});
}

template <typename Row, typename Factor>
LIC_PRODUCT_INLINE void turn(const Row& row, const Factor& factor, Feature* to, std::size_t apart) {
  int16x8_t rows[8], turned[8];
  for (std::size_t k = 0; k < 8; ++k) {
    const float* from = row(k);
    const float by = factor(k);
    rows[k] = vqmovn_high_s32(vqmovn_s32(nearest(vmulq_n_f32(vld1q_f32(from), by))), nearest(vmulq_n_f32(vld1q_f32(from + 4), by)));
  }
  for (std::size_t round = 0; round < 3; ++round) {  // three perfect shuffles of the halves turn the square
    for (std::size_t k = 0; k < 4; ++k) {
      turned[2 * k] = vzip1q_s16(rows[k], rows[k + 4]);
      turned[2 * k + 1] = vzip2q_s16(rows[k], rows[k + 4]);
    }
    std::copy_n(turned, 8, rows);
  }
  for (std::size_t i = 0; i < 8; ++i) vst1q_s16(to + i * apart, rows[i]);
}

LIC_PRODUCT_INLINE void flip(const float* from, std::size_t apart, float* to, std::size_t to_apart) {
  const float32x4x2_t upper = vtrnq_f32(vld1q_f32(from), vld1q_f32(from + apart));
  const float32x4x2_t lower = vtrnq_f32(vld1q_f32(from + 2 * apart), vld1q_f32(from + 3 * apart));
  for (std::size_t i = 0; i < 2; ++i) {
    vst1q_f32(to + i * to_apart, vcombine_f32(vget_low_f32(upper.val[i]), vget_low_f32(lower.val[i])));
    vst1q_f32(to + (2 + i) * to_apart, vcombine_f32(vget_high_f32(upper.val[i]), vget_high_f32(lower.val[i])));
  }
}

// 16 numbers of 0 to 255 of each of three colours, one pixel after another.
LIC_PRODUCT_INLINE void stored_pixels(std::uint8_t* out, const Features (&colours)[3]) {
  uint8x16x3_t bytes;
  for (std::size_t colour = 0; colour < 3; ++colour)
    bytes.val[colour] = vqmovun_high_s16(vqmovun_s16(colours[colour].first), colours[colour].second);
  vst3q_u8(out, bytes);
}

}  // namespace

}  // namespace lic
