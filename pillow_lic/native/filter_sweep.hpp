// The encoder's side of filter.hpp: whole coefficients that move, one place after another, to the cheapest of their neighbours and 0.
//
//     cost of coefficients c of a colour = sum over pairs of  c G c / step^2 - 2 c b / step  +  sum over coefficients of their prices
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "filter.hpp"

namespace lic {

// Side by side for several steps, which are powers of two. Arrays, last axis first in memory: gram (places, places), symmetric;
// prices (tables, kLargestCoefficient + 1) of magnitudes; tables (steps, places, kColours).
struct Sweep {
  std::size_t count, places;
  const double *gram, *steps, *prices;
  const std::int64_t* tables;

  // coefficients (steps, places, kColours), and the slopes b / step - G c / step^2 at them, which follow.
  void run(double* coefficients, double* slopes) const {
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t first = k * places * kColours;
      one(1 / (steps[k] * steps[k]), tables + first, coefficients + first, slopes + first);
    }
  }

 private:
  void one(double unit, const std::int64_t* own_tables, double* coefficients, double* slopes) const {
    constexpr double kMost = kLargestCoefficient, kFlat = 1e-12;
    for (std::size_t place = 0; place < places; ++place) {
      const double* row = gram + place * places;
      const double curvature = row[place] * unit;
      std::array<double, kColours> moves;
      bool any = false;
      for (std::size_t colour = 0; colour < kColours; ++colour) {
        const std::size_t at = place * kColours + colour;
        const double here = coefficients[at], slope = slopes[at], best = std::rint(here + slope / std::max(curvature, kFlat));
        const double* price = prices + own_tables[at] * (kLargestCoefficient + 1);
        double least = price[static_cast<std::size_t>(std::fabs(here))];
        moves[colour] = 0;
        for (const double option : {best, best - 1, best + 1, 0.0}) {
          const double to = option > -kMost ? std::min(option, kMost) : -kMost, move = to - here;  // of what is no number the least
          const double cost = move * (curvature * move - 2 * slope) + price[static_cast<std::size_t>(std::fabs(to))];
          if (cost < least) least = cost, moves[colour] = move;
        }
        any |= moves[colour] != 0;
        coefficients[at] += moves[colour];
      }
      if (!any) continue;
      for (std::size_t other = 0; other < places; ++other)
        for (std::size_t colour = 0; colour < kColours; ++colour) slopes[other * kColours + colour] -= row[other] * unit * moves[colour];
    }
  }
};

}  // namespace lic
