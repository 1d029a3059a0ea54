// detail.hpp: rows of cells on their way to colours, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "apply.hpp"
#include "detail.hpp"

namespace lic {

namespace {

// Three rows that are written in turn; the first may be row -3.
template <typename T>
class Ring {
 public:
  explicit Ring(std::size_t size) : size_(size), values_(3 * size) {}
  T* at(std::ptrdiff_t row) { return &values_[static_cast<std::size_t>(row + 3) % 3 * size_]; }
  void clear(std::ptrdiff_t row) { std::fill_n(at(row), size_, T{}); }

 private:
  std::size_t size_;
  std::vector<T> values_;
};

// Cells of an array (channels, height, width) of them.
struct Whole {
  const Seen& seen;

  const float* picture(std::size_t row, std::size_t channel, std::size_t first) const {
    return seen.picture + (channel * seen.height + row) * seen.width + first;
  }
  const float* context(std::size_t row, std::size_t channel, std::size_t first) const {
    return seen.context + ((channel * seen.height / 4 + row) * seen.width + first) / 4;
  }
};

// A box of cells on its way through the layers, row by row, with a latent more on both sides, as far as there are any. Rows of features
// begin and end with a place that stays 0, which is what the layers see outside the picture.
//
// Of the source it takes rows of numbers from column `first` on: `picture(row, channel, first)` of the row that `advance` allows and of
// those up to 3 before, `context(row, channel, first)` of 4 such rows.
template <typename Source>
class Way {
 public:
  static constexpr std::size_t kPlanes = Detail::kPlanes, kHidden = Detail::kHidden, kColours = 3, kUsed = kPlanes / 2;
  static constexpr std::size_t kLatent = 8, kTile = 4;  // cells of a latent each way, and of a place of the context

  // level: of every latent of a picture of so many cells. Rows of `out` lie `stride` numbers from each other.
  Way(const Detail& layers, const Source& source, const float* level, std::size_t height, std::size_t width, const Cells& inside, std::uint16_t* out,
      std::size_t stride)
      : layers_(layers), source_(source), height_(height), all_(width), inside_(inside), out_(out), stride_(stride),
        next_(static_cast<std::ptrdiff_t>(inside.top) - 4), first_(inside.left ? inside.left - kLatent : 0),
        width_(std::min(inside.left + inside.width + kLatent, width) - first_), sums_(kColours * width_),
        fine_((width_ + 2) * kPlanes), hidden_((width_ + 2) * kHidden), means_(width_ + 2), around_(kColours * width_), shares_(width_),
        planes_(kPlanes * width_), scales_(width_), beside_(width_ / kTile), pixels_(inside.width * kOutputs),
        upper_(inside.width * kUsed + kOutputs), lower_(upper_.size()) {
    for (std::size_t x = 0; x < width_; ++x)
      shares_[x] = 1.0f / static_cast<float>(3 - (first_ + x == 0) - (first_ + x + 1 == width));
    for (std::size_t x = 0; x < height / kLatent * (width / kLatent); ++x) errors_.push_back(layers.error(level[x]));
  }

  // Goes on as far as rows of the picture up to `known` allow.
  LIC_PRODUCT void advance(std::size_t known) {
    const std::ptrdiff_t top = static_cast<std::ptrdiff_t>(inside_.top), bottom = top + static_cast<std::ptrdiff_t>(inside_.height);
    for (; next_ < bottom + 2 && (next_ + 1 <= static_cast<std::ptrdiff_t>(known) || !has(next_ + 1)); ++next_) {
      add_up(next_ + 1);
      if (next_ >= top - 2) stand(next_);
      if (next_ >= top) enter(next_ - 1);
      if (next_ >= top + 2) leave(static_cast<std::size_t>(next_ - 2), out_ + static_cast<std::size_t>(next_ - 2 - top) * 2 * stride_);
    }
  }

 private:
  static constexpr float kFineMost = 8 << Detail::kFineBits;

  // The means of the pixels of cells by colour, and their sums over three cells of a row.
  LIC_PRODUCT void add_up(std::ptrdiff_t row) {
    if (!has(row)) return sums_.clear(row);
    for (std::size_t colour = 0; colour < kColours; ++colour) {
      const float *a = picture(row, 4 * colour), *b = picture(row, 4 * colour + 1), *c = picture(row, 4 * colour + 2), *d = picture(row, 4 * colour + 3);
      float *means = means_.data(), *sums = sums_.at(row) + colour * width_;
      for (std::size_t x = 0; x < width_; ++x) means[x + 1] = 0.25f * (a[x] + b[x] + c[x] + d[x]);
      for (std::size_t x = 0; x < width_; ++x) sums[x] = means[x] + means[x + 1] + means[x + 2];
    }
  }

  // What stands out of the means around it: the input of the layers. The sums of the rows above and below are there.
  LIC_PRODUCT void stand(std::ptrdiff_t row) {
    if (!has(row)) return fine_.clear(row);
    const float share = 1.0f / static_cast<float>(1 + has(row - 1) + has(row + 1));
    const float *above = sums_.at(row - 1), *here = sums_.at(row), *below = sums_.at(row + 1);
    for (std::size_t colour = 0; colour < kColours; ++colour)
      for (std::size_t x = 0, at = colour * width_; x < width_; ++x, ++at) around_[at] = (above[at] + here[at] + below[at]) * (shares_[x] * share);
    for (std::size_t x = 0; x < width_; ++x) scales_[x] = static_cast<float>(1 << Detail::kFineBits) / error(static_cast<std::size_t>(row), first_ + x);
    for (std::size_t k = 0; k < kPlanes; ++k) {
      const float *from = picture(row, Detail::plane_of(k)), *means = &around_[k % kColours * width_], *scales = scales_.data();
      float* to = &planes_[k * width_];
      for (std::size_t x = 0; x < width_; ++x) {
        const float value = (from[x] - means[x]) * scales[x], held = value < kFineMost ? value : kFineMost;
        to[x] = held > -kFineMost ? held : -kFineMost;
      }
    }
    Feature* to = fine_.at(row) + kPlanes;
    for (std::size_t x = 0; x < width_; x += kLatent)
      for (const std::size_t first : {std::size_t{0}, kPlanes - kLatent})
        turn([&](std::size_t k) { return &planes_[(first + k) * width_ + x]; }, [](std::size_t) { return 1.0f; }, to + x * kPlanes + first, kPlanes);
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void enter_at(const Feature* const (&rows)[3], const Shifts& by, std::size_t x, Feature* to) {
    Totals sums[n];
    each<n>([&](auto i) LIC_PRODUCT_HERE { sums[i] = totals(beside_[(x + i) / kTile]); });
    for (std::size_t row = 0; row < 3; ++row)
      multiply(rows[row] + x * kPlanes, kPlanes, 3 * kPlanes / 2, &layers_.enter.weights[row * 3 * kPlanes / 2], sums);
    each<n>([&](auto i) LIC_PRODUCT_HERE { stored(to + (x + i) * kHidden, at_least(packed(down(sums[i], by)), 0)); });
  }

  // The first layer; its input of the rows above and below is there.
  LIC_PRODUCT void enter(std::ptrdiff_t row) {
    if (!has(row)) return hidden_.clear(row);
    set_beside(static_cast<std::size_t>(row) / kTile);
    const Feature* const rows[3] = {fine_.at(row - 1), fine_.at(row), fine_.at(row + 1)};
    const Shifts by = shifts(hidden_shifts(layers_.enter));
    Feature* to = hidden_.at(row) + kHidden;
    std::size_t x = 0;
    for (; x + kAbreast <= width_; x += kAbreast) enter_at<kAbreast>(rows, by, x, to);
    for (; x < width_; ++x) enter_at<1>(rows, by, x, to);
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_at(const Feature* const (&rows)[3], const Shifts& by, Reals unit, const float* errors, std::size_t x) {
    constexpr int kMore = Detail::kPixelBits - 4;  // bits more than sixteenths
    Totals sums[n];
    begin(layers_.body.bias, sums);
    for (std::size_t row = 0; row < 3; ++row)
      multiply(rows[row] + x * kHidden, kHidden, 3 * kHidden / 2, &layers_.body.weights[row * 3 * kHidden / 2], sums);
    Feature hidden[n * kHidden];
    each<n>([&](auto i) LIC_PRODUCT_HERE { stored(hidden + i * kHidden, at_least(packed(down(sums[i], by)), 0)); });
    begin(layers_.leave.bias, sums);
    multiply(hidden, kHidden, kHidden / 2, layers_.leave.weights.data(), sums);
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      // Half a unit less makes up for the ties among sums of two rounded numbers, which all go up.
      const Features correction = nearest(plus(times(times(reals(sums[i]), unit), errors[(x + i) / kLatent]), -0.5f));
      const Features made = plus(plus(loaded(&pixels_[(x + i) * kOutputs]), correction), all(1 << (kMore - 1)));
      stored_halves(&upper_[(x + i) * kUsed], &lower_[(x + i) * kUsed], at_most(at_least(down<kMore>(made), 0), 255 << 4));
    });
  }

  // The other layers and the colours, half up; the first layer of the rows above and below is there.
  LIC_PRODUCT void leave(std::size_t row, std::uint16_t* out) {
    set_pixels(row);
    const std::ptrdiff_t y = static_cast<std::ptrdiff_t>(row);
    const std::size_t before = (inside_.left - first_) * kHidden;
    const Feature* const rows[3] = {hidden_.at(y - 1) + before, hidden_.at(y) + before, hidden_.at(y + 1) + before};
    const Shifts by = shifts(hidden_shifts(layers_.body));
    Sums less = layers_.leave.bits;  // what is left of them after the point of pixels
    for (std::int32_t& bits : less.of) bits -= Detail::kPixelBits;
    const Reals unit = units(less);
    const float* errors = &errors_[row / kLatent * (all_ / kLatent) + inside_.left / kLatent];
    std::size_t x = 0;
    for (; x + kAbreast <= inside_.width; x += kAbreast) leave_at<kAbreast>(rows, by, unit, errors, x);
    for (; x < inside_.width; ++x) leave_at<1>(rows, by, unit, errors, x);
    std::copy_n(upper_.data(), inside_.width * kUsed, out);
    std::copy_n(lower_.data(), inside_.width * kUsed, out + stride_);
  }

  // Bias and context of a row of tiles.
  void set_beside(std::size_t tile_row) {
    if (tile_row == tile_row_) return;
    tile_row_ = tile_row;
    constexpr float kMost = 1 << 28;
    for (std::size_t k = 0; k < kHidden; ++k) {
      const float* context = source_.context(tile_row, k, first_);
      const std::size_t sum = output_at(k);
      const float unit = static_cast<float>(1 << layers_.enter.bits.of[sum]);
      for (std::size_t tile = 0; tile < beside_.size(); ++tile) {
        const float value = context[tile] * unit;
        beside_[tile].of[sum] = layers_.enter.bias.of[sum] + static_cast<std::int32_t>(std::lrint(value > -kMost ? std::min(value, kMost) : -kMost));
      }
    }
  }

  // The numbers of the cells inside, as those of the last layer lie.
  LIC_PRODUCT void set_pixels(std::size_t row) {
    static constexpr float kUnit = 1 << Detail::kPixelBits;
    for (std::size_t half = 0; half < 2; ++half)
      for (std::size_t x = 0; x < inside_.width; x += kLatent) {
        const std::size_t at = inside_.left - first_ + x;
        Feature* to = &pixels_[x * kOutputs + half * kLatent];
        turn([&](std::size_t k) { return picture(static_cast<std::ptrdiff_t>(row), Detail::plane_of(half * kUsed + std::min(k, kUsed - 1))) + at; }, [](std::size_t) { return kUnit; }, to, kOutputs);
      }
  }

  static Sums hidden_shifts(const Window& layer) {
    Sums found = layer.bits;
    for (std::int32_t& bits : found.of) bits -= Detail::kHiddenBits;
    return found;
  }

  bool has(std::ptrdiff_t row) const { return row >= 0 && row < static_cast<std::ptrdiff_t>(height_); }
  const float* picture(std::ptrdiff_t row, std::size_t channel) const { return source_.picture(static_cast<std::size_t>(row), channel, first_); }
  float error(std::size_t row, std::size_t column) const { return errors_[(row / kLatent * all_ + column) / kLatent]; }

  const Detail& layers_;
  const Source& source_;
  std::size_t height_, all_;  // rows and columns of the picture
  Cells inside_;
  std::uint16_t* out_;
  std::size_t stride_;
  std::ptrdiff_t next_;  // the row that stands next
  std::size_t first_, width_;  // the first column, and how many
  std::size_t tile_row_ = static_cast<std::size_t>(-1);  // that `beside_` is of
  Ring<float> sums_;
  Ring<Feature> fine_, hidden_;
  std::vector<float> means_, around_, shares_, planes_, scales_, errors_;
  std::vector<Sums> beside_;
  std::vector<Feature> pixels_, upper_, lower_;
};

}  // namespace

}  // namespace lic
