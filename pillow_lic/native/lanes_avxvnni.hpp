// lanes.hpp for x86-64 with AVX-VNNI, which adds both products to a sum in one instruction.
#pragma once

#define LIC_PRODUCT __attribute__((target("avx2,avxvnni")))
#define LIC_PRODUCT_HERE __attribute__((always_inline, target("avx2,avxvnni")))

#include "lanes_two_ymm.hpp"

namespace lic {

namespace {

constexpr std::size_t kAbreast = 6;  // 12 sums of 8 numbers, for 16 registers

template <std::size_t n>
LIC_PRODUCT_INLINE void add(Totals& sums, const Couple& couple, const Weights& by) {
  if constexpr (n == 1) {  // it takes four or five cycles, for which the next one would wait
    add_apart(sums, couple, by);
  } else {
    sums.low = _mm256_dpwssd_avx_epi32(sums.low, couple.low, by.low);
    sums.high = _mm256_dpwssd_avx_epi32(sums.high, couple.high, by.high);
  }
}

}  // namespace

}  // namespace lic
