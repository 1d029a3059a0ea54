// The encoder's side of dependent.hpp: the path through the states that is cheapest in bits and error (Viterbi).
//
//     cost of a path = sum over its symbols of  bits + weight * (residual - value)^2      residual, value: in steps
//
// A state is reached from two others, one by an even symbol and one by an odd one; the cheaper way survives.
//
// The search knows states by their places (viterbi.hpp).
#pragma once

#include <cmath>
#include <memory>

#include "rangecoder.hpp"
#include "viterbi.hpp"

// Wheels are compiled for any x86-64; glibc's loader takes the version of a function that suits the processor it meets. What chooses
// it runs before ThreadSanitizer is there.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define LIC_VERSIONS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LIC_VERSIONS
#endif

namespace lic {

// |residual| <= kLargestResidual keeps every symbol and its neighbours within int16.
constexpr std::int32_t kLargestResidual = 32000;

constexpr float kHalfOfStep = static_cast<float>(kHalfStep) / kStep;

// The symbols of a quantiser that are nearest to residuals; the bits of the ones below, of these, and of the ones above; those of 0.
struct Nearest {
  std::int32_t symbol[kBlock];
  float bits[3][kBlock], zero[kBlock];
};

// The best candidates of both parities among 0 and the nearest three, and what they cost.
LIC_VERSIONS inline void weigh(const float* residual, const Nearest& found, unsigned quantiser, float weight, unsigned n, float (*cost)[kBlock],
                               std::int16_t (*symbol)[kBlock]) {
  const auto distortion = [&](float wanted, std::int32_t candidate) {
    const float error = wanted - kHalfOfStep * static_cast<float>(half_steps(candidate, quantiser));
    return weight * error * error;
  };
  for (unsigned k = 0; k < n; ++k) {
    const std::int32_t nearest = found.symbol[k];
    const float zero = found.zero[k] + distortion(residual[k], 0);
    const float below = found.bits[0][k] + distortion(residual[k], nearest - 1);
    const float at = found.bits[1][k] + distortion(residual[k], nearest);
    const float above = found.bits[2][k] + distortion(residual[k], nearest + 1);
    const float beside = above < below ? above : below;
    const std::int32_t neighbour = above < below ? nearest + 1 : nearest - 1;
    const bool is_odd = nearest & 1;
    const float even = is_odd ? beside : at;
    const std::int32_t even_symbol = is_odd ? neighbour : nearest;
    cost[0][k] = zero <= even ? zero : even;
    symbol[0][k] = static_cast<std::int16_t>(zero <= even ? 0 : even_symbol);
    cost[1][k] = is_odd ? at : beside;
    symbol[1][k] = static_cast<std::int16_t>(is_odd ? nearest : neighbour);
  }
}

struct Trellis {
  const Tables& tables;
  Dependent dependent;
  float weight;  // bits that an error of one step, squared, is worth; > 0

  // Chooses symbols for n residuals from `state` on, and gives their tables and values (see Dependent::value); returns the
  // state after them. Throws std::invalid_argument for an index without a table or a residual out of range, NaN included.
  unsigned run(const float* residuals, const std::uint16_t* indexes, std::size_t n, unsigned state, std::int16_t* symbols,
               std::uint16_t* chosen, std::int32_t* values) const {
#ifdef LIC_PAIRS
    if (__builtin_cpu_supports("avx2")) return run_by<InPairs>(residuals, indexes, n, state, symbols, chosen, values);
#endif
    return run_by<InOrder>(residuals, indexes, n, state, symbols, chosen, values);
  }

 private:
  static constexpr float kNever = 1e30f;

  // The best candidates for each symbol, by quantiser and parity, and whence the paths came.
  struct Block {
    std::int16_t symbol[2][2][kBlock];
    Origins origins;
  };

  // Bits of the symbols -kMost to kMost by the indexes from the first one on that takes part, and by quantiser.
  class Likely {
   public:
    static constexpr std::int32_t kMost = 7;

    Likely(const Trellis& trellis, std::uint16_t largest) : first_(trellis.dependent.first) {
      for (std::uint32_t index = first_; index <= largest; ++index)
        for (std::uint32_t quantiser = 0; quantiser < 2; ++quantiser)
          for (std::int32_t symbol = -kMost; symbol <= kMost; ++symbol) bits_.push_back(trellis.bits(index + quantiser * trellis.dependent.offset, symbol));
    }

    // Those of a table, from 0 on both ways.
    const float* of(std::uint16_t index, unsigned quantiser) const { return &bits_[(2 * (index - first_) + quantiser) * (2 * kMost + 1) + kMost]; }

   private:
    std::uint32_t first_;
    std::vector<float> bits_;
  };

  template <typename Search>
  unsigned run_by(const float* residuals, const std::uint16_t* indexes, std::size_t n, unsigned state, std::int16_t* symbols,
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
    const Likely likely(*this, taking ? *std::max_element(index.begin(), index.end()) : 0);
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
        extend<Search>(likely, cost, block_residual, block_index, kBlock, blocks[count / kBlock - 1]);
    }
    if (const auto rest = static_cast<unsigned>(count % kBlock))
      extend<Search>(likely, cost, block_residual, block_index, rest, blocks[count / kBlock]);

    // The chosen symbols wait at the end of `symbols`, where none is written over before it is read.
    std::int16_t* next = symbols + n;
    unsigned place = static_cast<unsigned>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    while (count-- > 0) {
      const Block& block = blocks[count / kBlock];
      const unsigned k = static_cast<unsigned>(count % kBlock), upper = place / kHalf;
      place = place % kHalf * 2 + Search::is_odd(block.origins, k, place);
      const unsigned way = kWays.of[upper][place];
      *--next = block.symbol[way / 2][way % 2][k];
    }
    for (std::size_t i = 0; i < n; ++i) {
      symbols[i] = takes(index[i]) ? *next++ : plain(residual[i], index[i]);
      chosen[i] = static_cast<std::uint16_t>(dependent.table(index[i], state));
      values[i] = dependent.value(index[i], symbols[i], state);
      state = dependent.next(index[i], symbols[i], state);
    }
    return state;
  }

  // Goes on by the n symbols of a block. Costs are counted from the least: floats are exact to 2^-24 of a block's sum.
  template <typename Search>
  void extend(const Likely& likely, Costs& cost, const float* residual, const std::uint16_t* index, unsigned n, Block& block) const {
    Branches branches;
    candidates(residual, index, n, 0, likely, branches[0], block.symbol[0]);
    candidates(residual, index, n, 1, likely, branches[1], block.symbol[1]);
    Search::run(branches, n, cost, block.origins);
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
  LIC_INLINE void candidates(const float* residual, const std::uint16_t* index, unsigned n, unsigned quantiser, const Likely& likely,
                             float (*cost)[kBlock], std::int16_t (*symbol)[kBlock]) const {
    Nearest found{};
    for (unsigned k = 0; k < n; ++k) {
      const float shift = quantiser ? std::copysign(1.0f, residual[k]) : 0.0f;
      const std::int32_t nearest = static_cast<std::int32_t>(std::lrint((residual[k] / kHalfOfStep + shift) / 2));
      const float* bits_of = likely.of(index[k], quantiser);
      found.symbol[k] = nearest;
      found.zero[k] = bits_of[0];
      if (LIC_UNLIKELY(nearest <= -Likely::kMost || nearest >= Likely::kMost)) {
        const std::uint32_t table = index[k] + (quantiser ? dependent.offset : 0u);
        for (std::int32_t beside = -1; beside <= 1; ++beside) found.bits[beside + 1][k] = bits(table, nearest + beside);
      } else {
        for (std::int32_t beside = -1; beside <= 1; ++beside) found.bits[beside + 1][k] = bits_of[nearest + beside];
      }
    }
    weigh(residual, found, quantiser, weight, n, cost, symbol);
  }
};

}  // namespace lic
