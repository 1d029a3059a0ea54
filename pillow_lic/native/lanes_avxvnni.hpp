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
    // Of the intrinsic GCC copies each sum, and keeps copies in memory.
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums.low) : "x"(couple.low), "x"(by.low));
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums.high) : "x"(couple.high), "x"(by.high));
  }
}

}  // namespace

}  // namespace lic
