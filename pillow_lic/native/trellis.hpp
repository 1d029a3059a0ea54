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
#include <vector>

#include "tables.hpp"
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

// What symbols cost.
struct Trellis {
  const Tables& tables;
  Dependent dependent;
  float weight;  // bits that an error of one step, squared, is worth; > 0

  // Of a symbol by a table.
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
};

// Bits of the symbols -kMost to kMost by the indexes from the first one on that takes part, and by quantiser.
class Likely {
 public:
  static constexpr std::int32_t kMost = 7;

  Likely() = default;  // of no index
  Likely(const Trellis& trellis, std::uint16_t largest) : first_(trellis.dependent.first) {
    for (std::uint32_t index = first_; index <= largest; ++index)
      for (std::uint32_t quantiser = 0; quantiser < 2; ++quantiser)
        for (std::int32_t symbol = -kMost; symbol <= kMost; ++symbol) bits_.push_back(trellis.bits(index + quantiser * trellis.dependent.offset, symbol));
  }

  // Those of a table, from 0 on both ways.
  const float* of(std::uint16_t index, unsigned quantiser) const { return &bits_[(2 * (index - first_) + quantiser) * (2 * kMost + 1) + kMost]; }

 private:
  std::uint32_t first_ = 0;
  std::vector<float> bits_;
};

// The choice of symbols for residuals, one after another: `search` of all parts, in any order or at the same time, then `finish`.
//
// The search is done in runs of kRun blocks. What a run begins with is what its last kBefore blocks leave of paths that were all as good
// before them: the paths to all places have come together by then, or nearly, which costs a hundred-thousandth. Runs do not depend on parts.
class Way {
 public:
  static constexpr std::size_t kParts = 64;

  // Of n residuals from `state` on. Throws std::invalid_argument for an index without a table or a residual out of range, NaN included.
  Way(const Trellis& trellis, const float* residuals, const std::uint16_t* indexes, std::size_t n, unsigned state)
      : trellis_(trellis), state_(state), residual_(residuals, residuals + n), index_(indexes, indexes + n) {  // the caller's arrays may change meanwhile
    trellis.tables.check(index_.data(), n, trellis.dependent.offset);
    for (const float value : residual_)
      if (!(std::fabs(value) <= static_cast<float>(kLargestResidual)))
        throw std::invalid_argument("residuals must be within " + std::to_string(kLargestResidual) + " steps, got " +
                                    std::to_string(value));
    std::uint16_t largest = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (trellis.dependent.takes(index_[i])) {
        taking_.push_back(static_cast<std::uint32_t>(i));
        largest = std::max(largest, index_[i]);
      }
    if (!taking_.empty()) likely_ = Likely(trellis, largest);
    blocks_.reset(new Block[(taking_.size() + kBlock - 1) / kBlock]);
  }

  std::size_t size() const { return index_.size(); }

  // Does the parts first to last - 1. Gives the symbols, tables and values (see Dependent::value) that depend on no others.
  void search(std::size_t first, std::size_t last, std::int16_t* symbols, std::uint16_t* chosen, std::int32_t* values) {
    for (std::size_t i = size() * first / kParts; i < size() * last / kParts; ++i) {
      if (trellis_.dependent.takes(index_[i])) continue;
      symbols[i] = trellis_.plain(residual_[i], index_[i]);
      chosen[i] = index_[i];
      values[i] = trellis_.dependent.value(index_[i], symbols[i], 0);
    }
    const std::size_t runs = (taking_.size() + kRun * kBlock - 1) / (kRun * kBlock);
    for (std::size_t run = runs * first / kParts; run < runs * last / kParts; ++run) {
#ifdef LIC_PAIRS
      if (__builtin_cpu_supports("avx2")) {
        go<InPairs>(run, run + 1 == runs);
        continue;
      }
#endif
      go<InOrder>(run, run + 1 == runs);
    }
  }

  // Gives the other symbols; returns the state after all of them.
  unsigned finish(std::int16_t* symbols, std::uint16_t* chosen, std::int32_t* values) const {
#ifdef LIC_PAIRS
    if (__builtin_cpu_supports("avx2")) trace<InPairs>(symbols);
    else
#endif
      trace<InOrder>(symbols);
    const Dependent& dependent = trellis_.dependent;
    unsigned state = state_;
    for (const std::uint32_t i : taking_) {
      chosen[i] = static_cast<std::uint16_t>(dependent.table(index_[i], state));
      values[i] = dependent.value(index_[i], symbols[i], state);
      state = dependent.next(index_[i], symbols[i], state);
    }
    return state;
  }

 private:
  static constexpr float kNever = 1e30f;
  static constexpr std::size_t kRun = 128, kBefore = 8;  // blocks

  // The best candidates for each symbol, by quantiser and parity, and whence the paths came.
  struct Block {
    std::int16_t symbol[2][2][kBlock];
    Origins origins;
  };

  template <typename Search>
  void go(std::size_t run, bool is_last) {
    Costs cost{};
    if (!run)
      for (unsigned place = 0; place < kStates; ++place) cost[place] = state_at(place) == state_ ? 0 : kNever;
    const std::size_t first = run * kRun, end = std::min(first + kRun, (taking_.size() + kBlock - 1) / kBlock);
    Block before;
    for (std::size_t block = run ? first - kBefore : 0; block < end; ++block) extend<Search>(block, cost, block < first ? before : blocks_[block]);
    if (is_last) best_ = static_cast<unsigned>(std::min_element(cost.begin(), cost.end()) - cost.begin());
  }

  // Goes on by the symbols of a block. Costs are counted from the least: floats are exact to 2^-24 of a block's sum.
  template <typename Search>
  void extend(std::size_t number, Costs& cost, Block& block) const {
    const std::size_t first = number * kBlock;
    const auto n = static_cast<unsigned>(std::min<std::size_t>(kBlock, taking_.size() - first));
    float residual[kBlock] = {};
    std::uint16_t index[kBlock];
    for (unsigned k = 0; k < n; ++k) residual[k] = residual_[taking_[first + k]], index[k] = index_[taking_[first + k]];
    Branches branches;
    candidates(residual, index, n, 0, branches[0], block.symbol[0]);
    candidates(residual, index, n, 1, branches[1], block.symbol[1]);
    Search::run(branches, n, cost, block.origins);
    Costs least = cost;
    for (unsigned rest = kHalf; rest; rest /= 2)
      for (unsigned i = 0; i < rest; ++i) least[i] = std::min(least[i], least[i + rest]);
    for (float& one : cost) one -= least[0];
  }

  template <typename Search>
  void trace(std::int16_t* symbols) const {
    unsigned place = best_;
    for (std::size_t count = taking_.size(); count-- > 0;) {
      const Block& block = blocks_[count / kBlock];
      const unsigned k = static_cast<unsigned>(count % kBlock), upper = place / kHalf;
      place = place % kHalf * 2 + Search::is_odd(block.origins, k, place);
      const unsigned way = kWays.of[upper][place];
      symbols[taking_[count]] = block.symbol[way / 2][way % 2][k];
    }
  }

  // For each of n symbols and both parities: the best candidate among 0 and the nearest three of a quantiser; its cost.
  LIC_INLINE void candidates(const float* residual, const std::uint16_t* index, unsigned n, unsigned quantiser,
                             float (*cost)[kBlock], std::int16_t (*symbol)[kBlock]) const {
    Nearest found{};
    for (unsigned k = 0; k < n; ++k) {
      const float shift = quantiser ? std::copysign(1.0f, residual[k]) : 0.0f;
      const std::int32_t nearest = static_cast<std::int32_t>(std::lrint((residual[k] / kHalfOfStep + shift) / 2));
      const float* bits_of = likely_.of(index[k], quantiser);
      found.symbol[k] = nearest;
      found.zero[k] = bits_of[0];
      if (LIC_UNLIKELY(nearest <= -Likely::kMost || nearest >= Likely::kMost)) {
        const std::uint32_t table = index[k] + (quantiser ? trellis_.dependent.offset : 0u);
        for (std::int32_t beside = -1; beside <= 1; ++beside) found.bits[beside + 1][k] = trellis_.bits(table, nearest + beside);
      } else {
        for (std::int32_t beside = -1; beside <= 1; ++beside) found.bits[beside + 1][k] = bits_of[nearest + beside];
      }
    }
    weigh(residual, found, quantiser, trellis_.weight, n, cost, symbol);
  }

  const Trellis trellis_;
  unsigned state_, best_ = 0;  // before the first symbol; the place after the last one
  std::vector<float> residual_;
  std::vector<std::uint16_t> index_;
  std::vector<std::uint32_t> taking_;  // the numbers of those that take part
  Likely likely_;
  std::unique_ptr<Block[]> blocks_;
};

// All of that at once; returns the state after the symbols.
inline unsigned quantise(const Trellis& trellis, const float* residuals, const std::uint16_t* indexes, std::size_t n, unsigned state, std::int16_t* symbols,
                         std::uint16_t* chosen, std::int32_t* values) {
  Way way(trellis, residuals, indexes, n, state);
  way.search(0, Way::kParts, symbols, chosen, values);
  return way.finish(symbols, chosen, values);
}

}  // namespace lic
