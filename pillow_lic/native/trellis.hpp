// The encoder's side of dependent.hpp: the path through the states that is cheapest in bits and error (Viterbi).
//
//     cost of a path = sum over its symbols of  bits + weight * (residual - value)^2      residual, value: in steps
//
// A state is reached from two others, one by an even symbol and one by an odd one; the cheaper way survives.
//
// The search knows states by their *places*, coordinates in a basis that makes the trellis a shift register: a symbol leads
// from place p to p / 2 or p / 2 + kHalf. So its loops run over neighbours, and compilers make vector instructions of them.
#pragma once

#include <cmath>
#include <memory>

#include "rangecoder.hpp"

// Wheels are compiled for any x86-64; glibc's loader takes the version of a function that suits the processor it meets.
#if defined(__x86_64__) && defined(__GLIBC__)
#define LIC_VERSIONS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LIC_VERSIONS
#endif

namespace lic {

// |residual| <= kLargestResidual keeps every symbol and its neighbours within int16.
constexpr std::int32_t kLargestResidual = 32000;

constexpr unsigned kHalf = kStates / 2;

constexpr bool odd_ones(unsigned bits) {
  bool odd = false;
  for (; bits; bits &= bits - 1) odd = !odd;
  return odd;
}
constexpr unsigned reversed(unsigned check) {
  unsigned bits = 0;
  for (unsigned bit = 1; bit <= kStates; bit *= 2) bits = 2 * bits + (check & bit ? 1 : 0);
  return bits;
}
constexpr unsigned quantiser_at(unsigned place) { return odd_ones(place & reversed(kCheck1)); }
// Of the symbol that leads from `place` to place / 2 + upper * kHalf.
constexpr unsigned parity_to(unsigned upper, unsigned place) {
  return odd_ones((place + upper * kStates) & reversed(kCheck0));
}
// Where the way ends on which the bits of `place` move in.
constexpr unsigned state_at(unsigned place) {
  unsigned state = 0, at = 0;
  for (unsigned bit = 1; bit < kStates; bit *= 2) {
    const unsigned upper = place & bit ? 1 : 0;
    state = next_state(state, parity_to(upper, at));
    at = at / 2 + upper * kHalf;
  }
  return state;
}

constexpr bool places_follow_states() {
  for (unsigned place = 0; place < kStates; ++place)
    for (unsigned upper = 0; upper < 2; ++upper)
      if (state_at(place / 2 + upper * kHalf) != next_state(state_at(place), parity_to(upper, place)) ||
          quantiser_at(place) != (state_at(place) & 1))
        return false;
  return true;
}
static_assert(places_follow_states());

constexpr unsigned kBlock = 32;  // symbols: one for each bit of Origins

using Branches = float[2][2][kBlock];                // what the symbols of a block cost, by quantiser and parity
using Costs = std::array<float, kStates>;            // of the cheapest path to every place
using Origins = std::array<std::uint32_t, kStates>;  // of these paths; bit k: symbol k led there from an odd place

// Places 2 i and 2 i + 1 are a *pair*: of one quantiser, and the symbols straight on (from the even one to the lower half, from
// the odd one to the upper) have one parity, those across the other. Both are linear in i: those of a group's first pair
// xor those of a pair within the first group.
constexpr unsigned kGroup = 16;
static_assert(kHalf % kGroup == 0);

struct Pairs {
  std::uint32_t quantiser[kHalf] = {}, parity[kHalf] = {};
  constexpr Pairs() {
    for (unsigned i = 0; i < kHalf; ++i) quantiser[i] = quantiser_at(2 * i), parity[i] = parity_to(0, 2 * i);
  }
};
inline constexpr Pairs kPairs;

// Goes on by one symbol from a group of pairs; `after` and `odd` are of the lower half.
LIC_INLINE void go_on(const float* __restrict before, const float* __restrict straight, const float* __restrict across,
                      std::uint32_t bit, float* __restrict after, std::uint32_t* __restrict odd) {
  for (unsigned i = 0; i < kGroup; ++i) {
    const float lower_even = before[2 * i] + straight[i], lower_odd = before[2 * i + 1] + across[i];
    const float upper_even = before[2 * i] + across[i], upper_odd = before[2 * i + 1] + straight[i];
    after[i] = lower_odd < lower_even ? lower_odd : lower_even;
    after[i + kHalf] = upper_odd < upper_even ? upper_odd : upper_even;
    odd[i] |= (0u - (lower_odd < lower_even)) & bit;
    odd[i + kHalf] |= (0u - (upper_odd < upper_even)) & bit;
  }
}

// Goes on by n symbols. Only sums and comparisons: every version rounds alike.
LIC_VERSIONS inline void search(const Branches& branches, unsigned n, Costs& costs, Origins& origins) {
  float both[2][kStates];
  std::uint32_t odd[kStates] = {};
  std::copy_n(costs.data(), kStates, both[0]);
  for (unsigned k = 0; k < n; ++k) {
    float straight[2][2][kGroup];  // by quantiser and parity of the group's first pair
    for (unsigned quantiser = 0; quantiser < 2; ++quantiser)
      for (unsigned parity = 0; parity < 2; ++parity) {
        const float same0 = branches[quantiser][parity][k], same1 = branches[quantiser][1 - parity][k];
        const float other0 = branches[1 - quantiser][parity][k], other1 = branches[1 - quantiser][1 - parity][k];
        for (unsigned i = 0; i < kGroup; ++i) {
          const float same = kPairs.parity[i] ? same1 : same0, other = kPairs.parity[i] ? other1 : other0;
          straight[quantiser][parity][i] = kPairs.quantiser[i] ? other : same;
        }
      }
    for (unsigned i = 0; i < kHalf; i += kGroup) {
      const unsigned quantiser = kPairs.quantiser[i], parity = kPairs.parity[i];
      go_on(both[k & 1] + 2 * i, straight[quantiser][parity], straight[quantiser][1 - parity], std::uint32_t{1} << k,
            both[~k & 1] + i, odd + i);
    }
  }
  std::copy_n(both[n & 1], kStates, costs.data());
  std::copy_n(odd, kStates, origins.data());
}

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

    const auto takes = [&](std::uint16_t i) { return dependent.takes(i); };
    const auto taking = static_cast<std::size_t>(std::count_if(index.begin(), index.end(), takes));
    const std::unique_ptr<Block[]> blocks(new Block[(taking + kBlock - 1) / kBlock]);
    Costs cost;
    for (unsigned place = 0; place < kStates; ++place) cost[place] = state_at(place) == state ? 0 : kNever;
    float block_residual[kBlock];
    std::uint16_t block_index[kBlock];
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t k = count % kBlock;
      block_residual[k] = residual[i];  // the next one takes its room unless it takes part
      block_index[k] = index[i];
      count += takes(index[i]);
      if (LIC_UNLIKELY(k == kBlock - 1 && count % kBlock == 0))
        extend(cost, block_residual, block_index, kBlock, blocks[count / kBlock - 1]);
    }
    if (const auto rest = static_cast<unsigned>(count % kBlock))
      extend(cost, block_residual, block_index, rest, blocks[count / kBlock]);

    // The chosen symbols wait at the end of `symbols`, where none is written over before it is read.
    std::int16_t* next = symbols + n;
    unsigned place = static_cast<unsigned>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    while (count-- > 0) {
      const Block& block = blocks[count / kBlock];
      const std::size_t k = count % kBlock;
      const unsigned upper = place / kHalf;
      place = place % kHalf * 2 + (block.origins[place] >> k & 1);
      *--next = block.symbol[quantiser_at(place)][parity_to(upper, place)][k];
    }
    for (std::size_t i = 0; i < n; ++i) {
      symbols[i] = takes(index[i]) ? *next++ : plain(residual[i], index[i]);
      chosen[i] = static_cast<std::uint16_t>(dependent.table(index[i], state));
      values[i] = dependent.value(index[i], symbols[i], state);
      state = dependent.next(index[i], symbols[i], state);
    }
    return state;
  }

 private:
  static constexpr float kNever = 1e30f;

  // The best candidates for each symbol, by quantiser and parity, and whence the paths came.
  struct Block {
    std::int16_t symbol[2][2][kBlock];
    Origins origins;
  };

  // Goes on by the n symbols of a block. Costs are counted from the least: floats are exact to 2^-24 of a block's sum.
  void extend(Costs& cost, const float* residual, const std::uint16_t* index, unsigned n, Block& block) const {
    Branches branches;
    candidates(residual, index, n, 0, branches[0], block.symbol[0]);
    candidates(residual, index, n, 1, branches[1], block.symbol[1]);
    search(branches, n, cost, block.origins);
    Costs least = cost;
    for (unsigned rest = kHalf; rest; rest /= 2)
      for (unsigned i = 0; i < rest; ++i) least[i] = std::min(least[i], least[i + rest]);
    for (float& one : cost) one -= least[0];
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

  // For each of n symbols and both parities: the best candidate among 0 and the nearest three of a quantiser; its cost.
  LIC_INLINE void candidates(const float* residual, const std::uint16_t* index, unsigned n, unsigned quantiser,
                             float (*cost)[kBlock], std::int16_t (*symbol)[kBlock]) const {
    constexpr float half_step = static_cast<float>(kHalfStep) / kStep;
    std::int32_t nearest[kBlock];
    float zero_bits[kBlock], below_bits[kBlock], nearest_bits[kBlock], above_bits[kBlock];
    for (unsigned k = 0; k < n; ++k) {
      const std::uint32_t table = index[k] + (quantiser ? dependent.offset : 0u);
      const float shift = quantiser ? std::copysign(1.0f, residual[k]) : 0.0f;
      nearest[k] = static_cast<std::int32_t>(std::lrint((residual[k] / half_step + shift) / 2));
      zero_bits[k] = bits(table, 0);
      below_bits[k] = bits(table, nearest[k] - 1);
      nearest_bits[k] = bits(table, nearest[k]);
      above_bits[k] = bits(table, nearest[k] + 1);
    }
    const auto distortion = [&](float wanted, std::int32_t candidate) {
      const float error = wanted - half_step * static_cast<float>(half_steps(candidate, quantiser));
      return weight * error * error;
    };
    for (unsigned k = 0; k < n; ++k) {
      const float zero = zero_bits[k] + distortion(residual[k], 0);
      const float at = nearest_bits[k] + distortion(residual[k], nearest[k]);
      const float below = below_bits[k] + distortion(residual[k], nearest[k] - 1);
      const float above = above_bits[k] + distortion(residual[k], nearest[k] + 1);
      const float beside = above < below ? above : below;
      const std::int32_t neighbour = above < below ? nearest[k] + 1 : nearest[k] - 1;
      const bool is_odd = nearest[k] & 1;
      const float even = is_odd ? beside : at;
      const std::int32_t even_symbol = is_odd ? neighbour : nearest[k];
      cost[0][k] = zero <= even ? zero : even;
      symbol[0][k] = static_cast<std::int16_t>(zero <= even ? 0 : even_symbol);
      cost[1][k] = is_odd ? at : beside;
      symbol[1][k] = static_cast<std::int16_t>(is_odd ? nearest[k] : neighbour);
    }
  }
};

}  // namespace lic
