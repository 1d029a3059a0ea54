// Rows of places through the layers of real_layers.hpp, in vectors of 8 numbers: what means.cpp calls, row by row.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "real_layers.hpp"
#include "vectors.hpp"

#ifdef LIC_VECTORS

namespace lic {

namespace {

constexpr float kSlope = 0.1f;  // of what is bent, below 0
constexpr std::size_t kEight = 8;

// Numbers of places that lie `apart` from each other.
struct Input {
  const float* first = nullptr;
  std::size_t apart = 0, count = 0;
};

enum class End { kPut, kBend, kAdd };

template <std::size_t n>
LIC_REAL_INLINE void add_products(const Input& input, std::size_t x, const Outputs* weights, Eight (&low)[n], Eight (&high)[n]) {
  const float* from = input.first + x * input.apart;
  for (std::size_t k = 0; k < input.count; ++k) {
    const Eight first = loaded(weights[k].of), second = loaded(weights[k].of + kEight);
    LIC_SIX
    for (std::size_t i = 0; i < n; ++i) {
      const float factor = from[i * input.apart + k];
      low[i] = plus_product(low[i], first, factor);
      high[i] = plus_product(high[i], second, factor);
    }
  }
}

LIC_REAL_INLINE void leave_at(Eight made, float* to, End end) {
  if (end == End::kBend) made = bent(made, kSlope);
  else if (end == End::kAdd) made = plus(made, loaded(to));
  stored(to, made);
}

template <std::size_t n>
LIC_REAL_INLINE void layer_at(const RealLayer& layer, std::size_t block, const Input& one, const Input& other, std::size_t x, float* to,
                         std::size_t apart, End end) {
  Eight low[n], high[n];
  LIC_SIX
  for (std::size_t i = 0; i < n; ++i) low[i] = loaded(layer.bias[block].of), high[i] = loaded(layer.bias[block].of + kEight);
  const Outputs* weights = &layer.weights[block * layer.inputs];
  add_products(one, x, weights, low, high);
  if (other.count) add_products(other, x, weights + one.count, low, high);
  LIC_SIX
  for (std::size_t i = 0; i < n; ++i) {
    float* at = to + (x + i) * apart + block * kOutputs;
    leave_at(low[i], at, end), leave_at(high[i], at + kEight, end);
  }
}

// A layer over a row of `count` places, whose inputs are those of `one` and then of `other`; results lie `apart` from each other.
LIC_REAL void layer_row(const RealLayer& layer, const Input& one, const Input& other, std::size_t count, float* to,
                                std::size_t apart, End end) {
  constexpr std::size_t kMost = 6;  // places of a product: 12 sums of 8 numbers, for 16 registers
  for (std::size_t block = 0; block < layer.bias.size(); ++block)
    for (std::size_t x = 0; x < count;) {
      const std::size_t left = count - x, here = left >= 2 * kMost ? kMost : left > kMost ? left / 2 : left;
      switch (here) {
        case 6: layer_at<6>(layer, block, one, other, x, to, apart, end); break;
        case 5: layer_at<5>(layer, block, one, other, x, to, apart, end); break;
        case 4: layer_at<4>(layer, block, one, other, x, to, apart, end); break;
        case 3: layer_at<3>(layer, block, one, other, x, to, apart, end); break;
        case 2: layer_at<2>(layer, block, one, other, x, to, apart, end); break;
        default: layer_at<1>(layer, block, one, other, x, to, apart, end);
      }
      x += here;
    }
}

using Window = std::array<const float*, 5>;  // rows around one, which begin side / 2 places before the first

template <std::size_t n, std::size_t step>
LIC_REAL_INLINE void see_at(const RealDepthwise& layer, const Window& rows, std::size_t x, std::size_t channel, float* to) {
  const std::size_t channels = layer.bias.size(), side = layer.side;
  Eight sums[n];
  LIC_SIX
  for (std::size_t i = 0; i < n; ++i) sums[i] = loaded(&layer.bias[channel]);
  const float* weights = &layer.weights[channel];
  for (std::size_t row = 0; row < side; ++row)
    for (std::size_t column = 0; column < side; ++column, weights += channels) {
      const Eight weight = loaded(weights);
      const float* from = rows[row] + (step * x + column) * channels + channel;
      LIC_SIX
      for (std::size_t i = 0; i < n; ++i) sums[i] = plus_product(sums[i], loaded(from + step * i * channels), weight);
    }
  LIC_SIX
  for (std::size_t i = 0; i < n; ++i) stored(to + (x + i) * channels + channel, sums[i]);
}

// A depthwise layer over `count` places of a row, every one or every other.
template <std::size_t step>
LIC_REAL void see_row(const RealDepthwise& layer, const Window& rows, std::size_t count, float* to) {
  constexpr std::size_t kMost = 6;
  for (std::size_t channel = 0; channel < layer.bias.size(); channel += kEight) {
    std::size_t x = 0;
    for (; x + kMost <= count; x += kMost) see_at<kMost, step>(layer, rows, x, channel, to);
    for (; x < count; ++x) see_at<1, step>(layer, rows, x, channel, to);
  }
}

// A number for every channel and place, `plane` numbers from channel to channel and two from place to place, as places `apart` numbers
// from each other; and back, one number from place to place.
LIC_REAL void places_of(const float* planes, std::size_t plane, std::size_t channels, std::size_t count, float* to, std::size_t apart) {
  for (std::size_t channel = 0; channel < channels; channel += kEight, to += kEight) {
    const float* from = planes + channel * plane;
    std::size_t x = 0;
    for (; x + kEight <= count; x += kEight) {
      Eight in[kEight], out[kEight];
      for (std::size_t k = 0; k < kEight; ++k) {
        const float* eight = from + k * plane + 2 * x;
        in[k] = evens(loaded(eight), loaded(eight + kEight - 1));  // there may be none behind these
      }
      transpose(in, out);
      for (std::size_t i = 0; i < kEight; ++i) stored(to + (x + i) * apart, out[i]);
    }
    for (; x < count; ++x)
      for (std::size_t k = 0; k < kEight; ++k) to[x * apart + k] = from[k * plane + 2 * x];
  }
}

LIC_REAL void planes_of(const float* places, std::size_t apart, std::size_t channels, std::size_t count, float* to, std::size_t plane) {
  for (std::size_t channel = 0; channel < channels; channel += kEight, places += kEight, to += kEight * plane) {
    std::size_t x = 0;
    for (; x + kEight <= count; x += kEight) {
      Eight in[kEight], out[kEight];
      for (std::size_t i = 0; i < kEight; ++i) in[i] = loaded(places + (x + i) * apart);
      transpose(in, out);
      for (std::size_t k = 0; k < kEight; ++k) stored(to + k * plane + x, out[k]);
    }
    for (; x < count; ++x)
      for (std::size_t k = 0; k < kEight; ++k) to[k * plane + x] = places[x * apart + k];
  }
}

// Rows on their way through a block; the first `top` are only looked at by those after them.
class RealPassage {
 public:
  RealPassage(const RealBlock& block, std::size_t width, std::size_t top = 0)
      : block_(block), width_(width), top_(top), edge_(block.around.side / 2), size_((width + 2 * edge_) * block.channels),
        entered_(block.around.side * size_), rows_((edge_ + 1) * width * block.channels), looked_(width * block.channels),
        wide_(2 * width * block.channels) {}

  // Where the next row is to be written.
  float* next() { return row(taken_); }

  // Takes that row, or none after the last one; returns the row that came side / 2 calls before, nullptr before the first one after `top`.
  const float* push(bool more) {
    if (!take(more)) return nullptr;
    float* s = row(taken_ - 1 - edge_);
    see_row<1>(block_.around, window(0), width_, looked_.data());
    leave(looked_.data(), width_, s);
    return s;
  }

  // Takes a row as `push`; returns whether there is one that came side / 2 calls before.
  bool take(bool more) {
    const std::size_t channels = block_.channels;
    float* entered = &entered_[taken_ % block_.around.side * size_ + edge_ * channels];
    if (more) layer_row(block_.enter, whole(next(), channels), {}, width_, entered, channels, End::kBend);
    else std::fill_n(entered, width_ * channels, 0.0f);
    return ++taken_ > edge_ + top_;
  }

  // Of that row, every other place from column 0 or 1 on, one after another, until the next call; the width is even.
  const float* every_other(std::size_t column) {
    const std::size_t channels = block_.channels, count = width_ / 2;
    const float* from = row(taken_ - 1 - edge_) + column * channels;
    float* s = &looked_[count * channels];
    for (std::size_t x = 0; x < count; ++x) std::copy_n(from + 2 * x * channels, channels, s + x * channels);
    see_row<2>(block_.around, window(column), count, looked_.data());
    leave(looked_.data(), count, s);
    return s;
  }

 private:
  static Input whole(const float* row, std::size_t channels) { return {row, channels, channels}; }

  // What the block adds to places, behind its depthwise layer.
  void leave(const float* looked, std::size_t count, float* s) {
    const std::size_t channels = block_.channels;
    layer_row(block_.mix, whole(looked, channels), {}, count, s, channels, End::kAdd);
    layer_row(block_.widen, whole(s, channels), {}, count, wide_.data(), 2 * channels, End::kBend);
    layer_row(block_.narrow, whole(wide_.data(), 2 * channels), {}, count, s, channels, End::kAdd);
  }

  float* row(std::size_t y) { return &rows_[y % (edge_ + 1) * width_ * block_.channels]; }
  Window window(std::size_t column) const {
    const std::size_t side = block_.around.side;
    Window found{};
    for (std::size_t i = 0; i < side; ++i) found[i] = &entered_[(taken_ + i) % side * size_ + column * block_.channels];
    return found;
  }

  const RealBlock& block_;
  std::size_t width_, top_, edge_, size_, taken_ = 0;
  std::vector<float> entered_, rows_, looked_, wide_;
};

}  // namespace

}  // namespace lic
#endif
