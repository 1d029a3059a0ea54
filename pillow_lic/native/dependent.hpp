// Dependent quantisation (Schwarz et al., DCC 2019): which values a symbol may stand for depends on the symbols before it.
//
// Two quantisers share the multiples of a half step: Q0 has the even ones, Q1 the odd ones and 0, so that each is coarse and
// both together are fine. Which one a symbol belongs to is bit 0 of a state that the parities of the symbols drive: the
// trellis of Ungerboeck's codes (1982, 1987), here with 128 states, parity check h0 = 235, h1 = 126 (octal).
// Symbols whose scale index is below `first` take no part: they stand for steps and leave the state alone.
#pragma once

#include <cstdint>

namespace lic {

constexpr std::int32_t kStep = 20;      // a step of the networks: values are counted in twentieths of it
constexpr std::int32_t kHalfStep = 13;  // of the two quantisers
constexpr unsigned kStates = 128;
constexpr unsigned kCheck0 = 0235, kCheck1 = 0126;

// The checks' highest and lowest coefficients, those of kStates and 1: in h0 both are 1, in h1 both are 0.
static_assert((kCheck0 & ~(kStates - 2)) == kStates + 1 && (kCheck1 & ~(kStates - 2)) == 0);

constexpr unsigned next_state(unsigned state, unsigned parity) {
  return state >> 1 ^ (state & 1 ? kCheck0 >> 1 : 0) ^ (parity ? kCheck1 >> 1 : 0);
}

// What a symbol stands for in half steps.
constexpr std::int32_t half_steps(std::int32_t symbol, unsigned state) {
  return 2 * symbol - (state & 1 ? (symbol > 0) - (symbol < 0) : 0);
}

struct Dependent {
  std::uint16_t first;   // smallest index that takes part
  std::uint16_t offset;  // from the table of an index for Q0 to that for Q1

  bool takes(std::uint16_t index) const { return index >= first; }
  std::uint32_t table(std::uint16_t index, unsigned state) const {
    return index + (takes(index) && (state & 1) ? offset : 0u);
  }
  unsigned next(std::uint16_t index, std::int32_t symbol, unsigned state) const {
    return takes(index) ? next_state(state, symbol & 1) : state;
  }
  // In twentieths of a step: |value| <= 2 * 13 * 32768.
  std::int32_t value(std::uint16_t index, std::int32_t symbol, unsigned state) const {
    return takes(index) ? kHalfStep * half_steps(symbol, state) : kStep * symbol;
  }
};

}  // namespace lic
