// One symbol after another of the search through the trellis (trellis.hpp): what the cheapest path to every state costs, and whence it came.
//
// States are known by their *places*, coordinates in a basis that makes the trellis a shift register: a symbol leads from place p
// to p / 2 or p / 2 + kHalf. So places 2 i and 2 i + 1 are a *pair*, of one quantiser: the symbols straight on (from the even one to the
// lower half, from the odd one to the upper) have one parity, those across the other.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dependent.hpp"
#include "tables.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define LIC_PAIRS __attribute__((target("avx2")))
#define LIC_PAIRS_INLINE inline __attribute__((always_inline, target("avx2")))
#endif

namespace lic {

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

// Symbols of a block: a bit for each in a word, and whole turns of the vectors below.
constexpr unsigned kTurn = 7, kBlock = 4 * kTurn;
static_assert(kStates == 1u << kTurn);

using Branches = float[2][2][kBlock];      // what the symbols of a block cost, by quantiser and parity
using Costs = std::array<float, kStates>;  // of the cheapest path to every place
using Origins = std::uint32_t[kStates];    // of these paths, as a search knows them: which symbols led there from odd places

// 2 * quantiser + parity straight on of the pair of `place`: linear in it.
constexpr unsigned branch_at(unsigned place) { return 2 * quantiser_at(place & ~1u) + parity_to(0, place & ~1u); }

// Of the symbol that leads from a place to the upper or lower half: 2 * quantiser + parity.
struct Ways {
  std::uint8_t of[2][kStates] = {};
  constexpr Ways() {
    for (unsigned upper = 0; upper < 2; ++upper)
      for (unsigned place = 0; place < kStates; ++place) of[upper][place] = static_cast<std::uint8_t>(2 * quantiser_at(place) + parity_to(upper, place));
  }
};
inline constexpr Ways kWays;

// The search in the order of places, for any processor.
struct InOrder {
  static constexpr unsigned kGroup = 16;  // pairs that are gone through at once

  struct Pairs {
    std::uint32_t quantiser[kHalf] = {}, parity[kHalf] = {};
    constexpr Pairs() {
      for (unsigned i = 0; i < kHalf; ++i) quantiser[i] = branch_at(2 * i) / 2, parity[i] = branch_at(2 * i) % 2;
    }
  };
  static const Pairs kPairs;

  // Goes on by one symbol from a group of pairs; `after` and `odd` are of the lower half.
  LIC_INLINE static void go_on(const float* __restrict before, const float* __restrict straight, const float* __restrict across,
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

  // Goes on by n symbols. Only sums and comparisons: every search rounds alike.
  static void run(const Branches& branches, unsigned n, Costs& costs, Origins& origins) {
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
    std::copy_n(odd, kStates, origins);
  }

  // Whether symbol k led to a place from an odd one.
  static bool is_odd(const Origins& origins, unsigned k, unsigned place) { return origins[place] >> k & 1; }
};

inline constexpr InOrder::Pairs InOrder::kPairs{};

#ifdef LIC_PAIRS

// The same in vectors of 8, the same numbers. What is found of a pair is written where the pair was: the lower one at the even one's
// address, the upper at the odd one's. So addresses are places whose bits turn by one with every symbol, and a pair is next to each other in
// vectors, but for three of a turn's symbols.
struct InPairs {
  static constexpr unsigned kLanes = 8;

  static constexpr unsigned address_of(unsigned place, unsigned turns) { return (place << turns | place >> (kTurn - turns)) & (kStates - 1); }
  static constexpr unsigned place_of(unsigned address, unsigned turns) { return turns ? address_of(address, kTurn - turns) : address; }

  // Before symbol `turn` of a turn: the branch of a pair, by the address of its even place.
  static constexpr unsigned branch(unsigned address, unsigned turn) { return branch_at(place_of(address, turn)); }

  // Two vectors of 16 addresses, or 8 apart, as those of even and of odd places; and back.
  template <unsigned turn>
  LIC_PAIRS_INLINE static void part(__m256& even, __m256& odd) {
    const __m256 a = even, b = odd;
    if constexpr (turn == 0) even = _mm256_shuffle_ps(a, b, 0x88), odd = _mm256_shuffle_ps(a, b, 0xdd);
    if constexpr (turn == 1) even = _mm256_shuffle_ps(a, b, 0x44), odd = _mm256_shuffle_ps(a, b, 0xee);
    if constexpr (turn == 2) even = _mm256_permute2f128_ps(a, b, 0x20), odd = _mm256_permute2f128_ps(a, b, 0x31);
  }
  template <unsigned turn>
  LIC_PAIRS_INLINE static void join(__m256& lower, __m256& upper) {
    const __m256 a = lower, b = upper;
    if constexpr (turn == 0) lower = _mm256_unpacklo_ps(a, b), upper = _mm256_unpackhi_ps(a, b);
    else part<turn>(lower, upper);
  }
  // The address whose pair is in a lane of a vector of even places, that begins at `first`.
  static constexpr unsigned even_in(unsigned first, unsigned lane, unsigned turn) {
    if (turn == 0) return first + (lane & 4) + (lane & 2) / 2 * kLanes + (lane & 1) * 2;
    if (turn == 1) return first + (lane & 4) + (lane & 2) / 2 * kLanes + (lane & 1);
    if (turn == 2) return first + (lane & 4) / 4 * kLanes + (lane & 3);
    return first + lane;
  }
  static constexpr unsigned apart(unsigned turn) { return turn < 3 ? kLanes : 1u << turn; }
  // The first address of a vector's pairs, of the 8 such vectors.
  static constexpr unsigned first_of(unsigned vector, unsigned turn) {
    const unsigned step = apart(turn) / kLanes;
    return kLanes * (vector / step * 2 * step + vector % step);
  }

  // Where the origins of a symbol have the bit of an address, of 128.
  struct Bits {
    std::uint8_t of[kTurn][kStates] = {};
    constexpr Bits() {
      for (unsigned turn = 0; turn < kTurn; ++turn)
        for (unsigned vector = 0; vector < kLanes; ++vector)
          for (unsigned lane = 0; lane < kLanes; ++lane) {
            const unsigned even = even_in(first_of(vector, turn), lane, turn);
            of[turn][place_of(even, (turn + 1) % kTurn)] = static_cast<std::uint8_t>(2 * kLanes * vector + lane);
            of[turn][place_of(even + (1u << turn), (turn + 1) % kTurn)] = static_cast<std::uint8_t>(2 * kLanes * vector + kLanes + lane);
          }
    }
  };
  static const Bits kBits;

  template <unsigned turn, unsigned vector>
  LIC_PAIRS_INLINE static void go_on(const __m256 (&straight)[4], float* costs, std::uint8_t* odd) {
    constexpr unsigned first = first_of(vector, turn), kind = branch(first, turn);
    __m256 lower = _mm256_load_ps(costs + first), upper = _mm256_load_ps(costs + first + apart(turn));
    part<turn>(lower, upper);
    const __m256 lower_even = _mm256_add_ps(lower, straight[kind]), lower_odd = _mm256_add_ps(upper, straight[kind ^ 1]);
    const __m256 upper_even = _mm256_add_ps(lower, straight[kind ^ 1]), upper_odd = _mm256_add_ps(upper, straight[kind]);
    odd[2 * vector] = static_cast<std::uint8_t>(_mm256_movemask_ps(_mm256_cmp_ps(lower_odd, lower_even, _CMP_LT_OQ)));
    odd[2 * vector + 1] = static_cast<std::uint8_t>(_mm256_movemask_ps(_mm256_cmp_ps(upper_odd, upper_even, _CMP_LT_OQ)));
    lower = _mm256_min_ps(lower_odd, lower_even), upper = _mm256_min_ps(upper_odd, upper_even);
    join<turn>(lower, upper);
    _mm256_store_ps(costs + first, lower), _mm256_store_ps(costs + first + apart(turn), upper);
  }

  template <unsigned turn>
  LIC_PAIRS_INLINE static void step(const Branches& branches, unsigned k, float* costs, std::uint8_t* odd) {
    // Of a lane: how its branch differs from that of the first pair of a vector.
    constexpr unsigned zero = even_in(0, 0, turn);
    static_assert(zero == 0 && branch(0, turn) == 0);
    const __m256i lanes = _mm256_setr_epi32(0, branch(even_in(0, 1, turn), turn), branch(even_in(0, 2, turn), turn), branch(even_in(0, 3, turn), turn),
                                            branch(even_in(0, 4, turn), turn), branch(even_in(0, 5, turn), turn), branch(even_in(0, 6, turn), turn),
                                            branch(even_in(0, 7, turn), turn));
    const __m128 own = _mm_setr_ps(branches[0][0][k], branches[0][1][k], branches[1][0][k], branches[1][1][k]);
    const __m256 both = _mm256_set_m128(own, own);
    const __m256 straight[4] = {_mm256_permutevar_ps(both, lanes), _mm256_permutevar_ps(_mm256_permute_ps(both, 0xb1), lanes),
                                _mm256_permutevar_ps(_mm256_permute_ps(both, 0x4e), lanes), _mm256_permutevar_ps(_mm256_permute_ps(both, 0x1b), lanes)};
    go_on<turn, 0>(straight, costs, odd), go_on<turn, 1>(straight, costs, odd), go_on<turn, 2>(straight, costs, odd);
    go_on<turn, 3>(straight, costs, odd), go_on<turn, 4>(straight, costs, odd), go_on<turn, 5>(straight, costs, odd);
    go_on<turn, 6>(straight, costs, odd), go_on<turn, 7>(straight, costs, odd);
  }

  LIC_PAIRS static void run(const Branches& branches, unsigned n, Costs& costs, Origins& origins) {
    alignas(32) float own[kStates];
    std::copy_n(costs.data(), kStates, own);
    std::uint8_t* odd = reinterpret_cast<std::uint8_t*>(origins);
    for (unsigned k = 0; k < n; k += kTurn, odd += kTurn * kRow) {
      step<0>(branches, k, own, odd);
      if (k + 1 < n) step<1>(branches, k + 1, own, odd + kRow);
      if (k + 2 < n) step<2>(branches, k + 2, own, odd + 2 * kRow);
      if (k + 3 < n) step<3>(branches, k + 3, own, odd + 3 * kRow);
      if (k + 4 < n) step<4>(branches, k + 4, own, odd + 4 * kRow);
      if (k + 5 < n) step<5>(branches, k + 5, own, odd + 5 * kRow);
      if (k + 6 < n) step<6>(branches, k + 6, own, odd + 6 * kRow);
    }
    for (unsigned place = 0; place < kStates; ++place) costs[place] = own[address_of(place, n % kTurn)];
  }

  static bool is_odd(const Origins& origins, unsigned k, unsigned place) {
    const unsigned bit = kBits.of[k % kTurn][place];
    return reinterpret_cast<const std::uint8_t*>(origins)[k * kRow + bit / 8] >> bit % 8 & 1;
  }

 private:
  static constexpr unsigned kRow = kStates / 8;  // bytes of a symbol's origins
  static_assert(kBlock * kRow <= sizeof(Origins));
};

inline constexpr InPairs::Bits InPairs::kBits{};

#endif

}  // namespace lic
