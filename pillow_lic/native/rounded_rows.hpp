// Rows of places through the layers of rounded_layers.hpp, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "apply.hpp"
#include "rounded_layers.hpp"

namespace lic {

namespace {

constexpr float kSlope = 0.1f;  // of what is bent, below 0

// Places of so many features that lie `apart` numbers from each other.
struct Places {
  const float* first;
  std::size_t apart;
};

// A number of each of so many channels, `plane` numbers from channel to channel, at places `step` numbers from each other, 1 or 2.
struct Planes {
  const float* first;
  std::size_t plane, step;
};

// A row of places as whole numbers, and the unit of each place.
class RoundedRow {
 public:
  RoundedRow(std::size_t count, std::size_t channels) : numbers_(count * channels), units_(count) {}

  // Rounds `count` places of so many features, finite ones.
  LIC_PRODUCT LIC_APART void take(const Places& from, std::size_t channels, std::size_t count) {
    for (std::size_t x = 0; x < count; ++x) {
      const float* place = from.first + x * from.apart;
      Reals most = magnitudes(reals(place));
      for (std::size_t k = kOutputs; k < channels; k += kOutputs) most = larger(most, magnitudes(reals(place + k)));
      const float factor = choose_unit(x, largest(most));
      for (std::size_t k = 0; k < channels; k += kOutputs) stored(&numbers_[x * channels + k], nearest(times(reals(place + k), factor)));
    }
  }

  // The same of planes, of any numbers: what is beyond kMostReal or no number becomes that.
  LIC_PRODUCT LIC_APART void take(const Planes& from, std::size_t channels, std::size_t count) {
    held_.resize(channels * count);
    most_.assign(count, 0);
    for (std::size_t k = 0; k < channels; ++k) hold(from.first + k * from.plane, from.step, count, &held_[k * count]);
    for (std::size_t x = 0; x < count; ++x) most_[x] = choose_unit(x, most_[x]);
    for (std::size_t k = 0; k < channels; ++k)
      for (std::size_t x = 0; x < count; ++x) held_[k * count + x] *= most_[x];
    static constexpr float kOne = 1;
    turn_row(held_.data(), count, channels, &kOne, 0, count, numbers_.data(), channels);
  }

  const Feature* numbers() const { return numbers_.data(); }
  const float* units() const { return units_.data(); }

 private:
  LIC_PRODUCT_INLINE void hold(const float* from, std::size_t step, std::size_t count, float* to) {
    if (step == 1) hold_each<1>(from, count, to);
    else hold_each<2>(from, count, to);
  }

  template <std::size_t step>
  LIC_PRODUCT_INLINE void hold_each(const float* from, std::size_t count, float* to) {
    float* most = most_.data();
    for (std::size_t x = 0; x < count; ++x) {
      const float value = from[step * x], held = value > -kMostReal ? std::min(value, kMostReal) : -kMostReal;
      to[x] = held;
      most[x] = std::max(most[x], std::fabs(held));
    }
  }

  // Sets the unit of a place by the largest magnitude; returns what its features are multiplied by.
  LIC_PRODUCT_INLINE float choose_unit(std::size_t x, float most) {
    const int shift = kInputBits - 1 - exponent(most);
    units_[x] = power(-shift);
    return power(shift);
  }

  // Of the leading bit of a number that is not negative, within -60 and 60.
  static LIC_PRODUCT_INLINE int exponent(float value) {
    std::int32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return std::clamp((bits >> 23) - 127, -60, 60);
  }

  static LIC_PRODUCT_INLINE float power(int of_two) {
    const std::int32_t bits = (127 + of_two) << 23;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

  std::vector<Feature> numbers_;
  std::vector<float> units_, held_, most_;
};

// What becomes of the sums of a place, without their bias.
struct PutReals {
  LIC_PRODUCT_INLINE void operator()(float* to, Reals made) const { stored(to, made); }
};

struct BendReals {
  LIC_PRODUCT_INLINE void operator()(float* to, Reals made) const { stored(to, larger(made, times(made, kSlope))); }
};

struct AddReals {
  LIC_PRODUCT_INLINE void operator()(float* to, Reals made) const { stored(to, plus(made, reals(to))); }
};

template <std::size_t n, typename End>
LIC_PRODUCT_INLINE void apply_to(const RoundedLayer& layer, std::size_t block, const RoundedRow& row, std::size_t x, float* to, std::size_t apart,
                                 const End& end) {
  static constexpr Sums kNothing{};
  Totals sums[n];
  begin(kNothing, sums);
  multiply(row.numbers() + x * layer.inputs, layer.inputs, layer.inputs / 2, &layer.weights[block * layer.inputs / 2], sums);
  const Reals unit = reals(&layer.unit[block * kOutputs]), bias = reals(&layer.bias[block * kOutputs]);
  each<n>([&](auto i) LIC_PRODUCT_HERE {
    end(to + i * apart, plus(times(reals(sums[i]), times(unit, row.units()[x + i])), bias));
  });
}

// A layer over a row of `count` places; results lie `apart` numbers from each other.
template <typename End>
LIC_PRODUCT LIC_APART void apply(const RoundedLayer& layer, const RoundedRow& row, std::size_t count, float* to, std::size_t apart, const End& end) {
  for (std::size_t block = 0; block < layer.outputs / kOutputs; ++block) {
    float* out = to + block * kOutputs;
    std::size_t x = 0;
    for (; x + kAbreast <= count; x += kAbreast) apply_to<kAbreast>(layer, block, row, x, out + x * apart, apart, end);
    for (; x < count; ++x) apply_to<1>(layer, block, row, x, out + x * apart, apart, end);
  }
}

using RealWindow = std::array<const float*, 5>;  // rows around one, which begin side / 2 places before the first

template <std::size_t n, std::size_t step>
LIC_PRODUCT_INLINE void see_at(const RealDepthwise& layer, const RealWindow& rows, std::size_t x, std::size_t channel, float* to) {
  const std::size_t channels = layer.bias.size(), side = layer.side;
  Reals sums[n];
  each<n>([&](auto i) LIC_PRODUCT_HERE { sums[i] = reals(&layer.bias[channel]); });
  const float* weights = &layer.weights[channel];
  for (std::size_t row = 0; row < side; ++row)
    for (std::size_t column = 0; column < side; ++column, weights += channels) {
      const Reals weight = reals(weights);
      const float* from = rows[row] + (step * x + column) * channels + channel;
      each<n>([&](auto i) LIC_PRODUCT_HERE { sums[i] = plus(sums[i], times(reals(from + step * i * channels), weight)); });
    }
  each<n>([&](auto i) LIC_PRODUCT_HERE { stored(to + (x + i) * channels + channel, sums[i]); });
}

// A depthwise layer over `count` places of a row, every one or every other.
template <std::size_t step>
LIC_PRODUCT LIC_APART void see_row(const RealDepthwise& layer, const RealWindow& rows, std::size_t count, float* to) {
  for (std::size_t channel = 0; channel < layer.bias.size(); channel += kOutputs) {
    std::size_t x = 0;
    for (; x + kAbreast <= count; x += kAbreast) see_at<kAbreast, step>(layer, rows, x, channel, to);
    for (; x < count; ++x) see_at<1, step>(layer, rows, x, channel, to);
  }
}

// Places of so many channels, a multiple of kOutputs, as rows of channels `plane` numbers from each other.
LIC_PRODUCT LIC_APART inline void planes_of(const float* places, std::size_t channels, std::size_t count, float* to, std::size_t plane) {
  constexpr std::size_t kSquare = 4;
  for (std::size_t n = 0; n < channels; n += kSquare) {
    float* out = to + ordered(n) * plane;
    std::size_t x = 0;
    for (; x + kSquare <= count; x += kSquare) flip(places + x * channels + n, channels, out + x, plane);
    for (; x < count; ++x)
      for (std::size_t k = 0; k < kSquare; ++k) out[k * plane + x] = places[x * channels + n + k];
  }
}

// Rows on their way through a block; the first `top` are only looked at by those after them.
class RoundedPassage {
 public:
  RoundedPassage(const RoundedBlock& block, std::size_t width, std::size_t top = 0)
      : block_(block), width_(width), top_(top), edge_(block.around.side / 2), size_((width + 2 * edge_) * block.channels),
        entered_(block.around.side * size_), rows_((edge_ + 1) * width * block.channels), looked_(width * block.channels),
        wide_(2 * width * block.channels), rounded_(width, 2 * block.channels) {}

  // Where the next row is to be written.
  float* next() { return row(taken_); }

  // Takes that row, or none after the last one; returns the row that came side / 2 calls before, nullptr before the first one after `top`.
  LIC_PRODUCT const float* push(bool more) {
    if (!take(more)) return nullptr;
    float* s = row(taken_ - 1 - edge_);
    see_row<1>(block_.around, window(0), width_, looked_.data());
    leave(looked_.data(), width_, s);
    return s;
  }

  // Takes a row as `push`; returns whether there is one that came side / 2 calls before.
  LIC_PRODUCT bool take(bool more) {
    const std::size_t channels = block_.channels;
    float* entered = &entered_[taken_ % block_.around.side * size_ + edge_ * channels];
    if (more) {
      rounded_.take(Places{next(), channels}, channels, width_);
      apply(block_.enter, rounded_, width_, entered, channels, BendReals{});
    } else {
      std::fill_n(entered, width_ * channels, 0.0f);
    }
    return ++taken_ > edge_ + top_;
  }

  // Of that row, every other place from column 0 or 1 on, one after another, until the next call; the width is even.
  LIC_PRODUCT const float* every_other(std::size_t column) {
    const std::size_t channels = block_.channels, count = width_ / 2;
    const float* from = row(taken_ - 1 - edge_) + column * channels;
    float* s = &looked_[count * channels];
    for (std::size_t x = 0; x < count; ++x) std::copy_n(from + 2 * x * channels, channels, s + x * channels);
    see_row<2>(block_.around, window(column), count, looked_.data());
    leave(looked_.data(), count, s);
    return s;
  }

 private:
  // What the block adds to places, behind its depthwise layer.
  LIC_PRODUCT void leave(const float* looked, std::size_t count, float* s) {
    const std::size_t channels = block_.channels;
    rounded_.take(Places{looked, channels}, channels, count);
    apply(block_.mix, rounded_, count, s, channels, AddReals{});
    rounded_.take(Places{s, channels}, channels, count);
    apply(block_.widen, rounded_, count, wide_.data(), 2 * channels, BendReals{});
    rounded_.take(Places{wide_.data(), 2 * channels}, 2 * channels, count);
    apply(block_.narrow, rounded_, count, s, channels, AddReals{});
  }

  float* row(std::size_t y) { return &rows_[y % (edge_ + 1) * width_ * block_.channels]; }
  RealWindow window(std::size_t column) const {
    const std::size_t side = block_.around.side;
    RealWindow found{};
    for (std::size_t i = 0; i < side; ++i) found[i] = &entered_[(taken_ + i) % side * size_ + column * block_.channels];
    return found;
  }

  const RoundedBlock& block_;
  std::size_t width_, top_, edge_, size_, taken_ = 0;
  std::vector<float> entered_, rows_, looked_, wide_;
  RoundedRow rounded_;
};

}  // namespace

}  // namespace lic
