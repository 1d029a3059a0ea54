// The newer instruction sets of x86-64 for which this compiler can make code. Old processors with AVX-512 and no VNNI are left to AVX2:
// they would need as many instructions of twice its width, two ports for them instead of three, and lower their clock.
#pragma once

#if defined(__x86_64__) && defined(__clang__)
#define LIC_HAS_AVX512 (__clang_major__ >= 8)
#define LIC_HAS_AVXVNNI (__clang_major__ >= 13)
#elif defined(__x86_64__) && defined(__GNUC__)
#define LIC_HAS_AVX512 (__GNUC__ >= 9)
#define LIC_HAS_AVXVNNI (__GNUC__ >= 11)
#else
#define LIC_HAS_AVX512 0
#define LIC_HAS_AVXVNNI 0
#endif
