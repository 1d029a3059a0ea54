// e^x by additions and products alone: the same number on every machine, which std::exp does not promise.
#pragma once

#include <cmath>

namespace lic {

// |x| <= 600. Off by some 2^-52 of its value.
inline double exponential(double x) {
  constexpr double kLog2 = 0x1.62e42fefa39efp-1, kRest = 0x1.abc9e3b39803fp-56;  // their sum is the log of 2
  const double twos = std::floor(x / kLog2 + 0.5), rest = (x - twos * kLog2) - twos * kRest;
  double sum = 1;
  for (int k = 14; k > 0; --k) sum = 1 + sum * rest / k;
  return std::ldexp(sum, static_cast<int>(twos));
}

}  // namespace lic
