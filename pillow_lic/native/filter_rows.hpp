// Rows of filter.hpp, 16 pixels at a time in registers, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>

#include "filter_places.hpp"
#include "lanes.hpp"

namespace lic {

namespace {

LIC_PRODUCT_INLINE Features neighbours(const Two& two, std::size_t which, std::size_t x) {
  return plus(loaded(two.a[which] + x), loaded(two.b[which] + x));
}

LIC_PRODUCT_INLINE Features clipped_difference(const Two& two, std::size_t which, std::size_t x, Feature threshold) {
  const Features v = loaded(two.v[which] + x);
  const Features one = minus(loaded(two.a[which] + x), v), other = minus(loaded(two.b[which] + x), v);
  const Feature least = static_cast<Feature>(-threshold);
  return plus(at_most(at_least(one, least), threshold), at_most(at_least(other, least), threshold));
}

LIC_PRODUCT_INLINE void add_products(const Couple& couple, const Coefficients& coefficients, Totals (&sums)[3]) {
  for (std::size_t colour = 0; colour < 3; ++colour) add<3>(sums[colour], couple, alternating(coefficients.of[colour]));
}

// Adds what the directions choose of the differences of luma, as far as they are clear.
LIC_PRODUCT_INLINE void add_turned(const Turned& turned, std::size_t x, Feature threshold, Totals (&sums)[3]) {
  alignas(64) Feature made[2 * kWide][kRun];
  const Features v = loaded(turned.v + x), twice = plus(v, v);
  const Feature least = static_cast<Feature>(-threshold);
  for (std::size_t pair = 0; pair < kWide; ++pair) {
    const Features one = loaded(turned.a[pair] + x), other = loaded(turned.b[pair] + x);
    stored(made[pair], minus(plus(one, other), twice));
    stored(made[kWide + pair], plus(at_most(at_least(minus(one, v), least), threshold), at_most(at_least(minus(other, v), least), threshold)));
  }
  const Features first = loaded(turned.masks[0] + x), third = loaded(turned.masks[2] + x);
  const Features straight = any(first, loaded(turned.masks[1] + x)), clear = loaded(turned.masks[kDirections] + x);
  for (const TwoTurned& two : turned.two) {
    Features chosen[2];
    for (std::size_t k = 0; k < 2; ++k) {
      const std::uint8_t(&number)[kDirections] = two.number[k];
      const Features along = either(first, loaded(made[number[0]]), loaded(made[number[1]]));
      const Features across = either(third, loaded(made[number[2]]), loaded(made[number[3]]));
      chosen[k] = down<2>(times(down<1>(either(straight, along, across)), clear));
    }
    add_products(coupled(chosen[0], chosen[1]), two.coefficients, sums);
  }
}

// Pixels x to x + 15 of a row: 48 numbers.
LIC_PRODUCT_INLINE void filter_run(const RowPlaces& places, const Sums& half, const Shifts& by, std::size_t x, std::uint8_t* out) {
  Totals sums[3] = {totals(half), totals(half), totals(half)};
  for (const Two& two : places.wide) add_products(coupled(neighbours(two, 0, x), neighbours(two, 1, x)), two.coefficients, sums);
  for (const Two& two : places.clipped)
    add_products(coupled(clipped_difference(two, 0, x, places.threshold), clipped_difference(two, 1, x, places.threshold)), two.coefficients,
                 sums);
  if (!places.turned.two.empty()) add_turned(places.turned, x, places.threshold, sums);
  add_products(coupled(loaded(places.v[0] + x), loaded(places.v[1] + x)), places.own[0], sums);
  add_products(coupled(loaded(places.v[2] + x), all(0)), places.own[1], sums);
  Features colours[3];
  for (std::size_t colour = 0; colour < 3; ++colour) colours[colour] = at_most(at_least(packed(down(sums[colour], by)), 0), 255);
  stored_pixels(out, colours);
}

// A row of n pixels (n, 3); what is read ends up to 15 places behind its last one.
LIC_PRODUCT void filter_row(const RowPlaces& places, std::size_t n, std::uint8_t* out) {
  Sums half, down;
  std::fill_n(half.of, kOutputs, 1 << (places.shift + places.fraction - 1));
  std::fill_n(down.of, kOutputs, places.shift + places.fraction);
  const Shifts by = shifts(down);
  std::size_t x = 0;
  for (; x + kRun <= n; x += kRun) filter_run(places, half, by, x, out + 3 * x);
  if (x == n) return;
  std::uint8_t last[3 * kRun];
  filter_run(places, half, by, x, last);
  std::copy_n(last, 3 * (n - x), out + 3 * x);
}

}  // namespace

}  // namespace lic
