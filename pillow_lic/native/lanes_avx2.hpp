// lanes.hpp for x86-64 with AVX2.
#pragma once

#define LIC_PRODUCT __attribute__((target("avx2")))
#define LIC_PRODUCT_HERE __attribute__((always_inline, target("avx2")))

#include "lanes_two_ymm.hpp"

namespace lic {

namespace {

constexpr std::size_t kAbreast = 6;  // 12 sums of 8 numbers, for 16 registers

template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  add_apart(sums, couple, by);
}

}  // namespace

}  // namespace lic
