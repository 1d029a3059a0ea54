#include "detail.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector) && __has_builtin(__builtin_convertvector)
#define LIC_VECTORS
#endif
#endif

namespace lic {

namespace {

// In memory a cell is 16 numbers: 6 of its upper row of pixels (3 colours, left and right), 2 unused, 6 of the lower row, 2 unused.
constexpr std::size_t kStored = 16, kHalf = 8, kUsed = 6, kColours = 3;
constexpr std::size_t kTile = 4, kSeen = 6;          // cells of a tile, and of what decides it
constexpr std::size_t kFrequency = kSeen * kStored;  // numbers of a tile as frequencies
constexpr std::size_t kTogether = 6;                 // tiles of a product: 12 sums of 8 numbers, for 16 registers
constexpr std::size_t kLatent = 8;                   // cells of a latent each way
constexpr std::size_t kColumns = 256;                // cells of a row that are worked on at a time: more would leave the caches
constexpr float kSpacing = 128.0f;                   // levels between two anchors
constexpr float kFineMax = 8.0f, kUnit = 16.0f, kLargest = 255 * kUnit;

constexpr std::size_t place_of(std::size_t channel) { return channel / kUsed * kHalf + channel % kUsed; }
// Of `picture`, whose channels go by colour, row and column, what is stored at a place of a half.
constexpr std::size_t plane_at(std::size_t half, std::size_t k) { return 4 * (k % kColours) + 2 * half + k / kColours; }
constexpr std::size_t plane_of(std::size_t channel) { return plane_at(channel / kUsed, channel % kUsed); }

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

#if defined(__x86_64__) && defined(__GLIBC__)
// Wheels are compiled for any x86-64; glibc's loader takes the version of a function that suits the processor it meets.
#define LIC_MULTIPLY_ADD __attribute__((target_clones("fma", "default")))
bool Detail::fast() { return __builtin_cpu_supports("fma"); }
#else
#define LIC_MULTIPLY_ADD
#if defined(__aarch64__)
bool Detail::fast() { return true; }
#else
bool Detail::fast() { return false; }
#endif
#endif
#define LIC_INLINE inline __attribute__((always_inline))
#define LIC_SIX _Pragma("GCC unroll 6")

namespace {

using Eight = float __attribute__((vector_size(32)));
using Loose = float __attribute__((vector_size(32), aligned(4), may_alias));
using Whole = std::int32_t __attribute__((vector_size(32)));
using Short = std::uint16_t __attribute__((vector_size(16)));
using LooseShort = std::uint16_t __attribute__((vector_size(16), aligned(2), may_alias));

LIC_INLINE void load(const float* from, Eight& v) { v = *reinterpret_cast<const Loose*>(from); }
LIC_INLINE void store(const Eight& v, float* to) { *reinterpret_cast<Loose*>(to) = v; }
LIC_INLINE void at_least(Eight& v, float low) { v = v > low ? v : Eight{} + low; }  // what is not a number becomes `low`
LIC_INLINE void at_most(Eight& v, float high) { v = v < high ? v : Eight{} + high; }

// 8 rows of 8 as 8 columns.
LIC_INLINE void transpose(const Eight (&in)[8], Eight (&out)[8]) {
  Eight pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(in[i], in[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(in[i], in[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int k = 0; k < 2; ++k) {
      fours[i + 2 * k] = __builtin_shufflevector(pairs[i + k], pairs[i + 2 + k], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + 2 * k + 1] = __builtin_shufflevector(pairs[i + k], pairs[i + 2 + k], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    out[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    out[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// The means of the pixels of cells by colour, and their sums over three cells, `apart` numbers from colour to colour.
LIC_MULTIPLY_ADD void sum_across(const float* row, std::size_t plane, std::size_t n, float* means, float* sums, std::size_t apart) {
  means[0] = means[n + 1] = 0.0f;
  for (std::size_t colour = 0; colour < kColours; ++colour, row += 4 * plane, sums += apart) {
    const float *a = row, *b = row + plane, *c = row + 2 * plane, *d = row + 3 * plane;
    for (std::size_t x = 0; x < n; ++x) means[x + 1] = 0.25f * (a[x] + b[x] + c[x] + d[x]);
    for (std::size_t x = 0; x < n; ++x) sums[x] = means[x] + means[x + 1] + means[x + 2];
  }
}

LIC_MULTIPLY_ADD void average(const float* above, const float* here, const float* below, const float* shares, float share,
                              std::size_t n, float* means) {
  for (std::size_t x = 0; x < n; ++x) means[x] = (above[x] + here[x] + below[x]) * (shares[x] * share);
}

// Of a latent's 8 cells in a row what stands out of the means around them, in units of `error`, and their two rows of pixels.
LIC_MULTIPLY_ADD void stand_out(const float* row, std::size_t plane, const float* means, std::size_t apart, float error, float* cells,
                                float* upper, float* lower) {
  const float scale = 1.0f / error;
  for (std::size_t half = 0; half < 2; ++half) {
    Eight pixels[8], fine[8], turned[8];
    for (std::size_t k = 0; k < kUsed; ++k) {
      Eight mean;
      load(means + k % kColours * apart, mean);
      load(row + plane_at(half, k) * plane, pixels[k]);
      fine[k] = (pixels[k] - mean) * scale;
      at_most(fine[k], kFineMax);
      at_least(fine[k], -kFineMax);
    }
    pixels[6] = pixels[7] = fine[6] = fine[7] = Eight{};
    transpose(fine, turned);
    for (std::size_t x = 0; x < 8; ++x) store(turned[x], cells + x * kStored + half * kHalf);
    transpose(pixels, turned);
    float* to = half ? lower : upper;
    for (std::size_t x = 0; x < 8; ++x) store(turned[x], to + x * kUsed);  // the next cell takes the place of what is unused
  }
}

// Tiles as frequencies; `cells` begins one before the first.
LIC_MULTIPLY_ADD void analyse(const float* cells, std::size_t tiles, float* made) {
  for (std::size_t tile = 0; tile < tiles; ++tile, cells += kTile * kStored, made += kFrequency)
    for (std::size_t half = 0; half < kStored; half += kHalf) {
      Eight d[kSeen];
      for (std::size_t i = 0; i < kSeen; ++i) load(cells + i * kStored + half, d[i]);
      const Eight a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1], c = d[4] - d[2], e = 2.0f * (d[3] - d[1]);
      const Eight f[kSeen] = {4.0f * d[0] - 5.0f * d[2] + d[4], a + b, a - b, c + e, c - e, 4.0f * d[1] - 5.0f * d[3] + d[5]};
      for (std::size_t i = 0; i < kSeen; ++i) store(f[i], made + i * kStored + half);
    }
}

// The cells of a tile from its frequencies and a sum beside them, rectified.
LIC_INLINE void synthesise(const float* frequencies, const float* beside, float* cells) {
  for (std::size_t half = 0; half < kStored; half += kHalf) {
    Eight m[kSeen], sum;
    for (std::size_t i = 0; i < kSeen; ++i) load(frequencies + i * kStored + half, m[i]);
    load(beside + half, sum);
    const Eight both = m[1] + m[2], apart = m[1] - m[2], wide = m[3] + m[4], far = m[3] - m[4];
    Eight made[kTile] = {m[0] + both + wide + sum, apart + 2.0f * far + sum, both + 4.0f * wide + sum, apart + 8.0f * far + m[5] + sum};
    for (std::size_t i = 0; i < kTile; ++i) {
      at_least(made[i], 0.0f);
      store(made[i], cells + i * kStored + half);
    }
  }
}

using Three = const float*[3];

// kTogether tiles of a layer as frequencies, out of those of three rows from number `at` on.
template <std::size_t inputs>
LIC_INLINE void multiply(const Three& rows, std::size_t at, const Detail::Kernel<inputs>& kernel, float* made) {
  for (std::size_t f = 0; f < kSeen; ++f) {
    Eight low[kTogether] = {}, high[kTogether] = {};
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t half = 0; half < 2; ++half) {
        const float* from = rows[row] + at + f * kStored + half * kHalf;
        for (std::size_t in = 0; in < inputs / 2; ++in, ++from) {
          const float* weights = kernel.weights[f][row][half * (inputs / 2) + in];
          Eight first, second;
          load(weights, first), load(weights + kHalf, second);
          LIC_SIX
          for (std::size_t i = 0; i < kTogether; ++i) {
            const float x = from[i * kFrequency];
            low[i] += first * x;
            high[i] += second * x;
          }
        }
      }
    LIC_SIX
    for (std::size_t i = 0; i < kTogether; ++i) {
      store(low[i], made + i * kFrequency + f * kStored);
      store(high[i], made + i * kFrequency + f * kStored + kHalf);
    }
  }
}

// The first layer of a row of tiles; `beside` is the sum for each of them.
LIC_MULTIPLY_ADD void enter_row(const Three& rows, const Detail::Kernel<Detail::kPlanes>& kernel, const float* beside, std::size_t tiles,
                                float* cells) {
  alignas(32) float made[kTogether * kFrequency];
  for (std::size_t tile = 0; tile < tiles; tile += kTogether) {
    multiply(rows, tile * kFrequency, kernel, made);
    for (std::size_t i = 0; i < kTogether; ++i)
      synthesise(made + i * kFrequency, beside + (tile + i) * kStored, cells + (tile + i) * kTile * kStored);
  }
}

// The other two layers: corrections of two rows of pixels, in units of the error.
LIC_MULTIPLY_ADD void leave_row(const Three& rows, const Detail::Kernel<Detail::kHidden>& kernel,
                                const float (&leave)[Detail::kHidden][kStored], const float* bias, std::size_t tiles, float* upper,
                                float* lower) {
  constexpr std::size_t kCells = kTogether * kTile;
  alignas(32) float made[kTogether * kFrequency], cells[kCells * kStored];
  for (std::size_t tile = 0; tile < tiles; tile += kTogether) {
    multiply(rows, tile * kFrequency, kernel, made);
    for (std::size_t i = 0; i < kTogether; ++i) synthesise(made + i * kFrequency, kernel.bias, cells + i * kTile * kStored);
    for (std::size_t first = 0; first < kCells; first += 6) {
      Eight low[6], high[6];
      LIC_SIX
      for (std::size_t i = 0; i < 6; ++i) load(bias, low[i]), load(bias + kHalf, high[i]);
      for (std::size_t in = 0; in < Detail::kHidden; ++in) {
        Eight one, other;
        load(leave[in], one), load(leave[in] + kHalf, other);
        LIC_SIX
        for (std::size_t i = 0; i < 6; ++i) {
          const float x = cells[(first + i) * kStored + in];
          low[i] += one * x;
          high[i] += other * x;
        }
      }
      const std::size_t to = (tile * kTile + first) * kUsed;
      LIC_SIX
      for (std::size_t i = 0; i < 6; ++i) store(low[i], upper + to + i * kUsed), store(high[i], lower + to + i * kUsed);
    }
  }
}

// The colours of a row of pixels of a latent, in sixteenths of a level, half up; what is not a number becomes 0.
LIC_MULTIPLY_ADD void show(const float* pixels, const float* corrections, float error, std::uint16_t* out) {
  for (std::size_t k = 0; k < kUsed * kLatent; k += kHalf) {
    Eight colour, correction;
    load(pixels + k, colour), load(corrections + k, correction);
    colour = (colour + correction * error) * kUnit;
    at_least(colour, 0.0f);
    at_most(colour, kLargest);
    const Whole whole = __builtin_convertvector(colour + 0.5f, Whole);
    *reinterpret_cast<LooseShort*>(out + k) = __builtin_convertvector(whole, Short);
  }
}

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
