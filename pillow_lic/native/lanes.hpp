// The operations that layers in whole numbers are made of, on 16 numbers at a time, for one instruction set: that which the translation
// unit names before it includes this (kernels_avx2.cpp and its like). All give the same numbers, to the last bit, floating-point ones too:
// each is one operation of IEEE 754, and compilers may not fuse two.
//
//     Features   16 features, in their order            loaded, all, stored, stored_halves, at_least, at_most, down, bent; plus, minus: saturate;
//                                                       times: wraps around; any: bits of both; either: by a mask of -1 or 0;
//                                                       beyond: 0 where the magnitude is not so large
//     Totals     16 sums of 32 bits, as in `Sums`       totals, plus, down (rounds down), packed (saturates)
//     Shifts     16 shifts for `down`                   shifts
//     Weights    of 16 outputs for two inputs           weights; alternating: of two outputs, by turns
//     Couple     two features for each of 16 outputs    both: the same two for all; coupled: those of two Features
//     Reals      16 numbers as in `Sums`, in float32    reals, units, times, plus, larger, magnitudes, stored, stored_square; nearest: as
//                                                       Features; largest: of all 16, none of which is no number
//
//     add<n>(totals, couple, weights)                   two products for each output, to one of n sums by turns; sums wrap around
//     turn(row, factor, to, apart)                      8 channels of 8 places, in float32, times a factor, as features of places
//     flip(from, apart, to, to_apart)                   4 numbers in float32 of each of 4 rows: those of each column as a row
//     stored_pixels(to, colours)                        3 x 16 numbers of 8 bits as pixels
//
// kAbreast: places of a product whose sums fit into the registers.
#pragma once

#include "products.hpp"
#include "tables.hpp"

#define LIC_PRODUCT_INLINE inline LIC_PRODUCT_HERE

#if defined(LIC_FOR_AVX512)
#include "lanes_avx512.hpp"
#elif defined(LIC_FOR_AVXVNNI)
#include "lanes_avxvnni.hpp"
#elif defined(LIC_FOR_AVX2)
#include "lanes_avx2.hpp"
#elif defined(LIC_FOR_SSE2)
#include "lanes_sse2.hpp"
#elif defined(LIC_FOR_NEON)
#include "lanes_neon.hpp"
#else
#include "lanes_plain.hpp"
#endif
