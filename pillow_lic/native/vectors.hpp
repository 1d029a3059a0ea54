// Numbers in vectors of 8, float32, as every compiler but Microsoft's has them for any processor: where the processor has a multiply-add,
// a product and a sum are one instruction.
#pragma once

#include <cstddef>

#include "tables.hpp"

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector) && __has_builtin(__builtin_convertvector)
#define LIC_VECTORS
#endif
#endif

#ifdef LIC_VECTORS

#if defined(__x86_64__) && defined(__GLIBC__)
// Wheels are compiled for any x86-64; glibc's loader takes the version of a function that suits the processor it meets.
#define LIC_MULTIPLY_ADD __attribute__((target_clones("fma", "default")))
#else
#define LIC_MULTIPLY_ADD
#endif
#define LIC_SIX _Pragma("GCC unroll 6")

namespace lic {

// Whether the processor has a multiply-add, where the compiler uses it.
#if defined(__x86_64__) && defined(__GLIBC__)
inline bool multiplies_and_adds() { return __builtin_cpu_supports("fma"); }
#elif defined(__aarch64__)
inline bool multiplies_and_adds() { return true; }
#else
inline bool multiplies_and_adds() { return false; }
#endif

namespace {

using Eight = float __attribute__((vector_size(32)));
using Loose = float __attribute__((vector_size(32), aligned(4), may_alias));

LIC_INLINE void load(const float* from, Eight& v) { v = *reinterpret_cast<const Loose*>(from); }
LIC_INLINE void store(const Eight& v, float* to) { *reinterpret_cast<Loose*>(to) = v; }
LIC_INLINE void at_least(Eight& v, float low) { v = v > low ? v : Eight{} + low; }  // what is not a number becomes `low`
LIC_INLINE void at_most(Eight& v, float high) { v = v < high ? v : Eight{} + high; }

// 8 rows of 8 as 8 columns.
LIC_INLINE void transpose(const Eight (&in)[8], Eight (&out)[8]) {
  Eight pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(in[i], in[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(in[i], in[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int k = 0; k < 2; ++k) {
      fours[i + 2 * k] = __builtin_shufflevector(pairs[i + k], pairs[i + 2 + k], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + 2 * k + 1] = __builtin_shufflevector(pairs[i + k], pairs[i + 2 + k], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    out[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    out[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

}  // namespace

}  // namespace lic
#endif
