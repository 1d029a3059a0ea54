#include "detail.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "detail_rows.hpp"

namespace lic {

namespace {

template <std::size_t inputs, typename Plane>
const float* make_kernel(const float* numbers, const Plane& plane, Detail::Kernel<inputs>& made) {
  constexpr double kFrequencies[6][3] = {{1.0 / 4, 0, 0},
                                         {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                         {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                         {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                         {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                         {0, 0, 1}};
  for (std::size_t out = 0; out < Detail::kHidden; ++out)
    for (std::size_t in = 0; in < inputs; ++in)
      for (std::size_t row = 0; row < 3; ++row) {
        const float* w = numbers + ((out * inputs + plane(in)) * 3 + row) * 3;
        for (std::size_t f = 0; f < 6; ++f)
          made.weights[f][row][in][out] =
              static_cast<float>(kFrequencies[f][0] * w[0] + kFrequencies[f][1] * w[1] + kFrequencies[f][2] * w[2]);
      }
  std::copy_n(numbers + Detail::kHidden * inputs * 9, Detail::kHidden, made.bias);
  return numbers + Detail::kHidden * (inputs * 9 + 1);
}

}  // namespace

Detail::Detail(const float* numbers) : leave_{}, leave_bias_{} {
  std::copy_n(numbers, kAnchors, errors_);
  numbers = make_kernel(numbers + kAnchors, plane_of, enter_);
  numbers = make_kernel(numbers, [](std::size_t in) { return in; }, body_);
  for (std::size_t channel = 0; channel < kPlanes; ++channel) {
    for (std::size_t in = 0; in < kHidden; ++in) leave_[in][place_of(channel)] = numbers[plane_of(channel) * kHidden + in];
    leave_bias_[place_of(channel)] = numbers[kPlanes * kHidden + plane_of(channel)];
  }
}

float Detail::error(float level) const {
  float log = 0;
  for (std::size_t k = 0; k < kAnchors; ++k)
    log += errors_[k] * std::max(1 - std::abs(level / kSpacing - static_cast<float>(k)), 0.0f);
  return 255 * std::exp(log);
}

#ifndef LIC_VECTORS

bool Detail::fast() { return false; }
void Detail::draw(const Seen&, const Cells&, std::uint16_t*, std::size_t) const {}

#else

bool Detail::fast() { return multiplies_and_adds(); }

namespace {

constexpr std::size_t up(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Three rows that are written in turn; the first may be row -3.
class Ring {
 public:
  explicit Ring(std::size_t size) : size_(size), values_(3 * size) {}
  float* at(std::ptrdiff_t row) { return &values_[static_cast<std::size_t>(row + 3) % 3 * size_]; }
  void clear(std::ptrdiff_t row) { std::fill_n(at(row), size_, 0.0f); }

 private:
  std::size_t size_;
  std::vector<float> values_;
};

// A box of cells on its way through the layers, row by row. Buffers have places for the columns that decide it, a latent more on both
// sides; those outside the picture stay 0, which is what the layers see there.
class Way {
 public:
  Way(const Seen& seen, const Cells& inside)
      : seen_(seen), inside_(inside), tiles_(inside.width / kTile), columns_(inside.width + 2 * kLatent),
        missing_(inside.left ? 0 : kLatent), left_(inside.left + missing_ - kLatent), shown_(std::min(columns_ - missing_, seen.width - left_)),
        pixels_of_row_(kUsed * columns_ + kHalf), corrections_of_row_(up(tiles_, kTogether) * kTile * kUsed + kHalf),
        sums_(kColours * columns_), pixels_(2 * pixels_of_row_), fine_(up(tiles_ + 2, kTogether) * kFrequency),
        hidden_(up(tiles_, kTogether) * kFrequency), means_(shown_ + 2), around_(kColours * columns_), shares_(shown_),
        cells_(columns_ * kStored), beside_(up(tiles_ + 2, kTogether) * kStored),
        entered_(up(tiles_ + 2, kTogether) * kTile * kStored), corrections_(2 * corrections_of_row_) {
    for (std::size_t x = 0; x < shown_; ++x) shares_[x] = 1.0f / static_cast<float>(3 - (left_ + x == 0) - (left_ + x + 1 == seen.width));
  }

  void sum(std::ptrdiff_t row) {
    if (has(row)) sum_across(picture(row), plane(), shown_, means_.data(), sums_.at(row), columns_);
    else sums_.clear(row);
  }

  // The input of the layers; the sums of the rows above and below are there.
  void stand(std::ptrdiff_t row, const float* errors) {
    if (!has(row)) return fine_.clear(row);
    const float share = 1.0f / static_cast<float>(1 + has(row - 1) + has(row + 1));
    for (std::size_t at = 0; at < kColours * columns_; at += columns_)
      average(sums_.at(row - 1) + at, sums_.at(row) + at, sums_.at(row + 1) + at, shares_.data(), share, shown_, &around_[at]);
    for (std::size_t x = 0; x < shown_; x += kLatent) {
      float* upper = pixels_.at(row) + (missing_ + x) * kUsed;
      stand_out(picture(row) + x, plane(), &around_[x], columns_, error(errors, row, left_ + x), &cells_[(missing_ + x) * kStored], upper,
                upper + pixels_of_row_);
    }
    analyse(&cells_[(kTile - 1) * kStored], tiles_ + 2, fine_.at(row));
  }

  // The first layer; its input of the rows above and below is there.
  void enter(std::ptrdiff_t row, const Detail::Kernel<Detail::kPlanes>& kernel) {
    if (!has(row)) return hidden_.clear(row);
    const std::size_t width = seen_.width / kTile, before = inside_.left / kTile;  // tiles before the second one
    const float* context = seen_.context + static_cast<std::size_t>(row) / kTile * width;
    for (std::size_t tile = before ? 0 : 1; tile < std::min(tiles_ + 2, width + 1 - before); ++tile)
      for (std::size_t k = 0; k < Detail::kHidden; ++k)
        beside_[tile * kStored + k] = kernel.bias[k] + context[k * (plane() / (kTile * kTile)) + before + tile - 1];
    enter_row({fine_.at(row - 1), fine_.at(row), fine_.at(row + 1)}, kernel, beside_.data(), tiles_ + 2, entered_.data());
    if (!before) std::fill_n(entered_.begin(), kTile * kStored, 0.0f);
    if (before + tiles_ == width) std::fill_n(&entered_[(tiles_ + 1) * kTile * kStored], kTile * kStored, 0.0f);
    analyse(&entered_[(kTile - 1) * kStored], tiles_, hidden_.at(row));
  }

  // The other layers and the colours; the first layer of the rows above and below is there.
  void leave(std::ptrdiff_t row, const Detail::Kernel<Detail::kHidden>& kernel, const float (&leave)[Detail::kHidden][kStored],
             const float* bias, const float* errors, std::uint16_t* out, std::size_t stride) {
    leave_row({hidden_.at(row - 1), hidden_.at(row), hidden_.at(row + 1)}, kernel, leave, bias, tiles_, corrections_.data(),
              &corrections_[corrections_of_row_]);
    for (std::size_t half = 0; half < 2; ++half)
      for (std::size_t x = 0; x < inside_.width; x += kLatent)
        show(pixels_.at(row) + half * pixels_of_row_ + (kLatent + x) * kUsed, &corrections_[half * corrections_of_row_ + x * kUsed],
             error(errors, row, inside_.left + x), out + half * stride + x * kUsed);
  }

 private:
  bool has(std::ptrdiff_t row) const { return row >= 0 && row < static_cast<std::ptrdiff_t>(seen_.height); }
  std::size_t plane() const { return seen_.height * seen_.width; }
  const float* picture(std::ptrdiff_t row) const { return seen_.picture + static_cast<std::size_t>(row) * seen_.width + left_; }
  float error(const float* errors, std::ptrdiff_t row, std::size_t column) const {
    return errors[(static_cast<std::size_t>(row) / kLatent * seen_.width + column) / kLatent];
  }

  const Seen& seen_;
  const Cells& inside_;
  std::size_t tiles_, columns_, missing_, left_, shown_, pixels_of_row_, corrections_of_row_;
  Ring sums_, pixels_, fine_, hidden_;
  std::vector<float> means_, around_, shares_, cells_, beside_, entered_, corrections_;
};

}  // namespace

void Detail::draw(const Seen& seen, const Cells& inside, std::uint16_t* out, std::size_t stride) const {
  std::vector<float> errors(seen.height / kLatent * (seen.width / kLatent));
  std::transform(seen.level, seen.level + errors.size(), errors.begin(), [&](float level) { return error(level); });
  for (std::size_t first = 0; first < inside.width; first += kColumns) {
    const Cells part{inside.top, inside.left + first, inside.height, std::min(kColumns, inside.width - first)};
    Way way(seen, part);
    const std::ptrdiff_t top = static_cast<std::ptrdiff_t>(inside.top), bottom = top + static_cast<std::ptrdiff_t>(inside.height);
    for (std::ptrdiff_t row = top - 4; row < bottom + 2; ++row) {
      way.sum(row + 1);
      if (row >= top - 2) way.stand(row, errors.data());
      if (row >= top) way.enter(row - 1, enter_);
      if (row >= top + 2)
        way.leave(row - 2, body_, leave_, leave_bias_, errors.data(), out + static_cast<std::size_t>(row - 2 - top) * 2 * stride + first * kUsed, stride);
    }
  }
}

#endif

}  // namespace lic
