// The encoder's side of dependent.hpp: the path through the states that is cheapest in bits and error (Viterbi).
//
//     cost of a path = sum over its symbols of  bits + weight * (residual - value)^2      residual, value: in steps
//
// A state is reached from two others, one by an even symbol and one by an odd one; the cheaper way survives.
#pragma once

#include <cmath>

#include "rangecoder.hpp"

namespace lic {

// |residual| <= kLargestResidual keeps every symbol and its neighbours within int16.
constexpr std::int32_t kLargestResidual = 32000;

struct Trellis {
  const Tables& tables;
  Dependent dependent;
  float weight;  // bits that an error of one step, squared, is worth; > 0

  // Chooses symbols for n residuals from `state` on, and gives their tables and values (see Dependent::value); returns the
  // state after them. Throws std::invalid_argument for an index without a table or a residual out of range, NaN included.
  unsigned run(const float* residuals, const std::uint16_t* indexes, std::size_t n, unsigned state, std::int16_t* symbols,
               std::uint16_t* chosen, std::int32_t* values) const {
    const std::vector<float> residual(residuals, residuals + n);  // the caller's arrays may change meanwhile
    const std::vector<std::uint16_t> index(indexes, indexes + n);
    tables.check(index.data(), n, dependent.offset);
    for (const float value : residual)
      if (!(std::fabs(value) <= static_cast<float>(kLargestResidual)))
        throw std::invalid_argument("residuals must be within " + std::to_string(kLargestResidual) + " steps, got " +
                                    std::to_string(value));

    std::vector<Step> steps;
    steps.reserve(static_cast<std::size_t>(
        std::count_if(index.begin(), index.end(), [&](std::uint16_t i) { return dependent.takes(i); })));
    Costs cost;
    cost.fill(kNever);
    cost[state] = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (dependent.takes(index[i]))
        advance(candidates(residual[i], index[i]), cost, steps.emplace_back());
      else
        symbols[i] = plain(residual[i], index[i]);
    }
    unsigned at = static_cast<unsigned>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    for (std::size_t i = n; i-- > 0;) {
      if (!dependent.takes(index[i])) continue;
      const Step& step = steps.back();
      const unsigned parity = step.parity[at];
      at = previous(at, parity);
      symbols[i] = step.symbol[at & 1][parity];
      steps.pop_back();
    }
    for (std::size_t i = 0; i < n; ++i) {
      chosen[i] = static_cast<std::uint16_t>(dependent.table(index[i], state));
      values[i] = dependent.value(index[i], symbols[i], state);
      state = dependent.next(index[i], symbols[i], state);
    }
    return state;
  }

 private:
  using Costs = std::array<double, kStates>;
  static constexpr float kNever = 1e30f;

  // The best symbols of each quantiser (even or odd half steps) and parity, and for every state the parity of the symbol
  // that led there.
  struct Step {
    std::int16_t symbol[2][2];
    std::uint8_t parity[kStates];
  };
  struct Candidates {
    float cost[2][2];
    std::int16_t symbol[2][2];
  };

  // The state from which a symbol of this parity led to `state`.
  static constexpr unsigned previous(unsigned state, unsigned parity) {
    const unsigned half = state ^ (parity ? kByParity : 0);
    return half < kStates / 2 ? 2 * half : 2 * (half ^ kByQuantiser) + 1;
  }

  float bits(std::uint32_t table, std::int32_t value) const {
    const TableShape& shape = tables.shapes()[table];
    const std::uint32_t symbol = static_cast<std::uint32_t>(value - shape.low);
    if (LIC_UNLIKELY(symbol >= shape.escape))
      return tables.encoder()[shape.offset + shape.escape].bits + static_cast<float>(kEscapeLengthBits + escape_of(value, shape).extra);
    return tables.encoder()[shape.offset + symbol].bits;
  }

  // The nearest step; 0 instead of 1 where that is cheaper.
  std::int16_t plain(float residual, std::uint16_t index) const {
    const std::int32_t nearest = static_cast<std::int32_t>(std::lrint(residual));
    if (nearest == 1 || nearest == -1) {
      const float error = 2 * std::fabs(residual) - 1;  // how much larger the squared error of 0 is
      if (bits(index, nearest) - bits(index, 0) > weight * error) return 0;
    }
    return static_cast<std::int16_t>(nearest);
  }

  Candidates candidates(float residual, std::uint16_t index) const {
    constexpr float half_step = static_cast<float>(kHalfStep) / kStep;
    Candidates best;
    for (unsigned quantiser = 0; quantiser < 2; ++quantiser) {
      const std::uint32_t table = dependent.table(index, quantiser);
      const float shift = quantiser ? std::copysign(1.0f, residual) : 0.0f;
      const std::int32_t nearest = static_cast<std::int32_t>(std::lrint((residual / half_step + shift) / 2));
      best.cost[quantiser][0] = best.cost[quantiser][1] = kNever;
      for (const std::int32_t symbol : {0, nearest - 1, nearest, nearest + 1}) {
        const float error = residual - static_cast<float>(dependent.value(index, symbol, quantiser)) / kStep;
        const float total = bits(table, symbol) + weight * error * error;
        const unsigned parity = symbol & 1;
        if (total < best.cost[quantiser][parity]) {
          best.cost[quantiser][parity] = total;
          best.symbol[quantiser][parity] = static_cast<std::int16_t>(symbol);
        }
      }
    }
    return best;
  }

  static void advance(const Candidates& best, Costs& cost, Step& step) {
    std::memcpy(step.symbol, best.symbol, sizeof step.symbol);
    Costs after;
    for (unsigned quantiser = 0; quantiser < 2; ++quantiser) {
      // The states of one quantiser lead to one half of all states.
      std::array<double, kStates / 2> even, odd;
      for (unsigned half = 0; half < kStates / 2; ++half) {
        even[half] = cost[2 * half + quantiser] + best.cost[quantiser][0];
        odd[half] = cost[2 * half + quantiser] + best.cost[quantiser][1];
      }
      for (unsigned half = 0; half < kStates / 2; ++half) {
        const double by_even = even[half], by_odd = odd[half ^ kByParity];
        const unsigned state = half ^ (quantiser ? kByQuantiser : 0);
        step.parity[state] = static_cast<std::uint8_t>(by_odd < by_even);
        after[state] = std::min(by_even, by_odd);
      }
    }
    cost = after;
  }
};

}  // namespace lic
