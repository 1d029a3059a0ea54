// The layers of products.hpp and depthwise.hpp over a row of places, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <utility>

#include "depthwise.hpp"
#include "lanes.hpp"
#include "pairs.hpp"

namespace lic {

namespace {

template <typename Do, std::size_t... i>
LIC_PRODUCT_INLINE void each_of(const Do& what, std::index_sequence<i...>) {
  (what(std::integral_constant<std::size_t, i>{}), ...);
}

// Does something for the numbers 0 to n - 1, which are constants there: so compilers keep what they number in registers.
template <std::size_t n, typename Do>
LIC_PRODUCT_INLINE void each(const Do& what) {
  each_of(what, std::make_index_sequence<n>{});
}

template <std::size_t n>
LIC_PRODUCT_INLINE void begin(const Sums& bias, Totals (&sums)[n]) {
  each<n>([&](auto i) LIC_PRODUCT_HERE { sums[i] = totals(bias); });
}

// Adds kOutputs outputs of n places that lie `apart` numbers from each other.
template <std::size_t n>
LIC_PRODUCT_INLINE void multiply(const Feature* from, std::size_t apart, std::size_t pairs, const PairWeights* of_pairs, Totals (&sums)[n]) {
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const Weights by = weights(of_pairs[pair]);
    each<n>([&](auto i) LIC_PRODUCT_HERE { add<n>(sums[i], both(from + i * apart + 2 * pair), by); });
  }
}

// The same by no other pairs than these, as those of others are 0.
template <std::size_t n>
LIC_PRODUCT_INLINE void multiply(const Feature* from, std::size_t apart, const Pairs& pairs, const PairWeights* of_pairs, Totals (&sums)[n]) {
  for (std::size_t k = 0; k < pairs.count; ++k) {
    const std::size_t pair = pairs.numbers[k];
    const Weights by = weights(of_pairs[pair]);
    each<n>([&](auto i) LIC_PRODUCT_HERE { add<n>(sums[i], both(from + i * apart + 2 * pair), by); });
  }
}

// What becomes of the features of a place: they are rectified, bent, held within 8 bits or added to what is there.
struct Rectify {
  static constexpr bool kLeavesZeros = true;
  LIC_PRODUCT_INLINE void operator()(Feature* to, Features made) const { stored(to, at_least(made, 0)); }
};

struct Bend {
  static constexpr bool kLeavesZeros = false;
  LIC_PRODUCT_INLINE void operator()(Feature* to, Features made) const { stored(to, bent(made)); }
};

struct Limit {
  LIC_PRODUCT_INLINE void operator()(Feature* to, Features made) const { stored(to, at_most(at_least(made, 0), 255)); }
};

struct Add {
  LIC_PRODUCT_INLINE void operator()(Feature* to, Features made) const { stored(to, plus(made, loaded(to))); }
};

struct Put {
  LIC_PRODUCT_INLINE void operator()(Feature* to, Features made) const { stored(to, made); }
};

template <std::size_t n, typename Which, typename End>
LIC_PRODUCT_INLINE void apply_to(const Layer& layer, std::size_t block, const Shifts& by, const Feature* from, const Which& pairs, Feature* to,
                                 std::size_t to_apart, const End& end) {
  Totals sums[n];
  begin(layer.bias[block], sums);
  multiply(from, layer.inputs, pairs, &layer.weights[block * layer.inputs / 2], sums);
  each<n>([&](auto i) LIC_PRODUCT_HERE { end(to + i * to_apart, packed(down(sums[i], by))); });
}

// A layer over a row of `count` places; results lie `to_apart` numbers from each other. Apart, as all that loops over products is: where
// it is put into its callers, GCC 12 has not the registers for all sums.
template <typename Which, typename End>
LIC_PRODUCT LIC_APART void apply(const Layer& layer, const Feature* from, const Which& pairs, std::size_t count, Feature* to, std::size_t to_apart,
                                 const End& end) {
  for (std::size_t block = 0; block < layer.bias.size(); ++block) {
    const Shifts by = shifts(layer.shift[block]);
    Feature* out = to + block * kOutputs;
    std::size_t x = 0;
    for (; x + kAbreast <= count; x += kAbreast) apply_to<kAbreast>(layer, block, by, from + x * layer.inputs, pairs.at(x), out + x * to_apart, to_apart, end);
    for (; x < count; ++x) apply_to<1>(layer, block, by, from + x * layer.inputs, pairs.at(x), out + x * to_apart, to_apart, end);
  }
}

template <typename End>
LIC_PRODUCT void apply(const Layer& layer, const Feature* from, std::size_t count, Feature* to, std::size_t to_apart, const End& end) {
  apply(layer, from, AllPairs{layer.inputs / 2}, count, to, to_apart, end);
}

// Places of a row that a depthwise layer has in pairs at a time: more would leave the nearest cache.
constexpr std::size_t kStretch = 32 / kAbreast * kAbreast;

template <std::size_t side>
using Paired = Couple[Depthwise<side>::kRowPairs];  // the rows of a place in pairs

template <std::size_t n, std::size_t side, typename End>
LIC_PRODUCT_INLINE void see(const Depthwise<side>& layer, std::size_t block, const Shifts& by, const Paired<side>* seen, Feature* to,
                            std::size_t channels, const End& end) {
  using Its = Depthwise<side>;
  Totals sums[n];
  begin(layer.bias[block], sums);
  for (std::size_t column = 0; column < side; ++column)
    for (std::size_t pair = 0; pair < Its::kRowPairs; ++pair) {
      const Weights of_pair = weights(layer.weights[block * Its::kSeen + column * Its::kRowPairs + pair]);
      each<n>([&](auto i) LIC_PRODUCT_HERE { add<n>(sums[i], seen[i + column][pair], of_pair); });
    }
  each<n>([&](auto i) LIC_PRODUCT_HERE { end(to + i * channels, packed(down(sums[i], by))); });
}

// A depthwise layer over a row of `count` places.
template <std::size_t side, typename End>
LIC_PRODUCT LIC_APART void look_around(const Depthwise<side>& layer, const typename Neighbours<side>::Window& rows, std::size_t count,
                                    Feature* to, const End& end) {
  const std::size_t channels = layer.bias.size() * kOutputs;
  Paired<side> seen[kStretch + side - 1];
  for (std::size_t block = 0; block < layer.bias.size(); ++block) {
    const Shifts by = shifts(layer.shift[block]);
    for (std::size_t first = 0; first < count; first += kStretch) {
      const std::size_t here = std::min(kStretch, count - first);
      for (std::size_t x = 0; x < here + side - 1; ++x)
        for (std::size_t pair = 0; pair < Depthwise<side>::kRowPairs; ++pair) {
          const std::size_t at = (first + x) * channels + block * kOutputs;
          seen[x][pair] = coupled(loaded(rows[2 * pair] + at), 2 * pair + 1 < side ? loaded(rows[2 * pair + 1] + at) : all(0));
        }
      Feature* out = to + first * channels + block * kOutputs;
      std::size_t x = 0;
      for (; x + kAbreast <= here; x += kAbreast) see<kAbreast>(layer, block, by, seen + x, out + x * channels, channels, end);
      for (; x < here; ++x) see<1>(layer, block, by, seen + x, out + x * channels, channels, end);
    }
  }
}

// Rows of channels in float32, `plane` numbers from channel to channel, times a factor for each channel, as the features of `count`
// places; factors lie `step` apart.
LIC_PRODUCT inline void turn_row(const float* row, std::size_t plane, std::size_t channels, const float* factors, std::size_t step,
                                 std::size_t count, Feature* to, std::size_t apart) {
  constexpr std::size_t kSquare = 8;
  std::size_t x = 0;
  for (; x + kSquare <= count; x += kSquare)
    for (std::size_t k = 0; k < channels; k += kSquare)
      turn([&](std::size_t i) { return row + (k + i) * plane + x; }, [&](std::size_t i) { return factors[(k + i) * step]; }, to + x * apart + k,
           apart);
  for (; x < count; ++x)
    for (std::size_t k = 0; k < channels; ++k) to[x * apart + k] = feature(row[k * plane + x] * factors[k * step]);
}

}  // namespace

}  // namespace lic
