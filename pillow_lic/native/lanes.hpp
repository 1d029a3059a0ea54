// The operations that layers in whole numbers are made of, on 16 numbers at a time, for one instruction set: that which the translation
// unit names before it includes this (kernels_avx2.cpp and its like). All give the same numbers, to the last bit, floating-point ones too:
// each is one operation of IEEE 754, and compilers may not fuse two.
//
//     Features   16 features, in their order            loaded, stored, at_least, at_most, plus (which saturates)
//     Totals     16 sums of 32 bits, as in `Sums`       totals, plus, down (rounds down), packed (saturates)
//     Shifts     16 shifts for `down`                   shifts
//     Weights    of 16 outputs for two inputs           weights; alternating: of two outputs, by turns
//     Couple     two features for each of 16 outputs    both: the same two for all; coupled: those of two Features
//     Reals      16 numbers as in `Sums`, in float32    reals, units, times, sum, stored, stored_square; nearest: as Features
//
//     add(totals, couple, weights)                      two products for each output; sums wrap around
//     turn(rows, factors, ...)                          8 channels of 8 places, in float32, as features of places
//
// kAbreast: places of a product whose sums fit into the registers.
#pragma once

#include "products.hpp"
#include "tables.hpp"

#define LIC_TOGETHER LIC_UNROLL

#if defined(LIC_FOR_AVX2)
#include "lanes_avx2.hpp"
#elif defined(LIC_FOR_SSE2)
#include "lanes_sse2.hpp"
#elif defined(LIC_FOR_NEON)
#include "lanes_neon.hpp"
#else
#include "lanes_plain.hpp"
#endif
