// Signs in planes, each with one of 64 probabilities that an integer network picks by the signs before it: FORMAT.md 14.15, over bits.hpp.
//
// READ ME FIRST. Four surprises:
//
//  1. A plane goes in two halves, as a chequerboard has black and white: the second half sees the first at its four sides. So what
//     picks the probabilities of a half is there before its first sign is asked for.
//  2. What the network sees of a place grows with the planes: `seen_` has, for each place, a sign and what is around it for every
//     plane so far, and zeros for those to come. Rows of weights are as long as what their plane sees, with zeros up to whole vectors.
//  3. Places that have no sign in a plane count as 0 there, and what is around them is computed all the same.
//  4. All sums are whole numbers that fit into 24 bits, which the constructor proves of the numbers it is given: a float32
//     engine would have the same ones, and so has every order of additions.
//
// Invariants:
//     |sign| <= kUnit,  |around|, |beside| <= kMost,  0 <= hidden <= kMost,  |sum| < 2^24,  index < kTables
//     counts of a place are steps; a place has a sign in plane p where p < count * each
#pragma once

#include "bits.hpp"
#include "trellis.hpp"

namespace lic {

constexpr std::size_t kHiddenOfPlane = 4, kRowsOfPlane = kHiddenOfPlane + 1, kPredictedTables = 64;
constexpr std::size_t kPredictedContexts = kPlaneContexts;  // the first of the kPredictedTables
constexpr int kUnit = 16, kMost = 255;

// The sums of products of n values, a multiple of 16, with each of kRowsOfPlane rows of weights.
LIC_VERSIONS inline void products(const std::int16_t* values, const std::int16_t* weights, std::size_t n, std::int32_t* sums) {
  for (std::size_t row = 0; row < kRowsOfPlane; ++row) {
    const std::int16_t* w = weights + row * n;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += std::int32_t{values[i]} * w[i];
    sums[row] = sum;
  }
}

class SignPredictor {
 public:
  // For `planes` planes and with `layers` = 2 + kRowsOfPlane outputs of each: biases, shifts, then weights, all by layer, then plane:
  // 9 of what is around a sign, 9 of what is beside it, and rows of 2 p signs and surroundings, what is beside and which half; of
  // the last row also the kHiddenOfPlane hidden ones. Throws std::invalid_argument for a number that breaks an invariant.
  SignPredictor(const std::int32_t* numbers, std::size_t count, std::size_t planes) : planes_(planes) {
    if (planes < 1 || planes > 1024 || count != numbers_of(planes))
      throw std::invalid_argument("there must be the numbers of 1 to 1024 planes, got " + std::to_string(count));
    const std::size_t outputs = (2 + kRowsOfPlane) * planes;
    bias_.assign(numbers, numbers + outputs);
    for (std::size_t i = 0; i < outputs; ++i) {
      if (numbers[outputs + i] < 0 || numbers[outputs + i] > 16) throw std::invalid_argument("shifts must be 0 to 16");
      shift_.push_back(static_cast<std::uint8_t>(numbers[outputs + i]));
    }
    const std::int32_t* from = numbers + 2 * outputs;
    for (std::size_t i = 0; i < count - 2 * outputs; ++i)
      if (from[i] < -127 || from[i] > 127) throw std::invalid_argument("weights must be -127 to 127");
    sides_.assign(from, from + 18 * planes);
    from += 18 * planes;
    for (std::size_t p = 0; p < planes; ++p) {
      rows_at_.push_back(rows_.size());
      rows_.resize(rows_.size() + kRowsOfPlane * width(p));
      for (std::size_t row = 0; row < kRowsOfPlane; ++row) {
        std::copy_n(from, 2 * p, rows_.data() + rows_at_[p] + row * width(p));
        from += 2 * p;
        for (std::size_t i = 0; i < 2 + (row == kHiddenOfPlane ? kHiddenOfPlane : 0); ++i) own_.push_back(*from++);
      }
    }
    prove();
  }

  static std::size_t numbers_of(std::size_t planes) {
    const std::size_t outputs = (2 + kRowsOfPlane) * planes;
    return 2 * outputs + 18 * planes + kRowsOfPlane * (planes * (planes - 1) + 2 * planes) + kHiddenOfPlane * planes;
  }
  std::size_t planes() const { return planes_; }

  // Asks for the signs of rows x columns places, of which each has those of `counts` steps of `each` planes, and leaves them in `signs`
  // (planes, rows, columns) as -1 and 1; 0 where there is none. False where `answer` was, with those before it.
  template <typename Answer>
  bool walk(const std::uint8_t* counts, std::size_t each, std::size_t rows, std::size_t columns, std::int8_t* signs, Answer& answer) const {
    const std::size_t area = rows * columns, stride = columns + 2, length = width(planes_);
    std::vector<std::int16_t> seen(area * length), framed((rows + 2) * stride);
    std::vector<std::uint32_t> places;
    std::vector<std::uint16_t> contexts;
    std::vector<std::uint8_t> bits;
    std::fill_n(signs, planes_ * area, std::int8_t{0});
    std::size_t most = 0;
    for (std::size_t i = 0; i < area; ++i) most = std::max(most, counts[i] * each);
    for (std::size_t p = 0; p < std::min(most, planes_); ++p) {
      std::fill(framed.begin(), framed.end(), std::int16_t{0});
      for (unsigned half = 0; half < 2; ++half) {
        places.clear(), contexts.clear();
        for (std::size_t i = 0, at = 0; i < rows; ++i)
          for (std::size_t j = 0; j < columns; ++j, ++at)
            if ((i + j) % 2 == half && p < counts[at] * each) {
              places.push_back(static_cast<std::uint32_t>(at));
              contexts.push_back(static_cast<std::uint16_t>(
                  kPredictedContexts + index(p, &seen[at * length], half ? sides(1, p, &framed[(i + 1) * stride + j + 1], stride) : 0, half)));
            }
        bits.resize(places.size());
        const std::size_t there = answer(places.data(), p, contexts.data(), bits.data(), places.size());
        for (std::size_t i = 0; i < there; ++i) {
          const std::size_t at = places[i];
          signs[p * area + at] = bits[i] ? 1 : -1;
          framed[(at / columns + 1) * stride + at % columns + 1] = bits[i] ? kUnit : -kUnit;
        }
        if (there < places.size()) return false;
      }
      for (std::size_t i = 0, at = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j, ++at) {
          const std::int16_t* here = &framed[(i + 1) * stride + j + 1];
          seen[at * length + 2 * p] = *here;
          seen[at * length + 2 * p + 1] = static_cast<std::int16_t>(sides(0, p, here, stride));
        }
    }
    return true;
  }

 private:
  static std::size_t width(std::size_t plane) { return (2 * plane + 15) / 16 * 16; }
  static std::size_t own(std::size_t plane) { return plane * (2 * kRowsOfPlane + kHiddenOfPlane); }

  // Output `layer` of a plane, half up: of 0 and 1 -kMost..kMost.
  std::int32_t scaled(std::size_t layer, std::size_t plane, std::int32_t sum) const {
    const std::size_t at = layer * planes_ + plane;
    return (sum + bias_[at]) >> shift_[at];
  }

  // What layer 0 or 1 makes of a sign of a framed plane and the eight around it.
  int sides(std::size_t layer, std::size_t plane, const std::int16_t* here, std::size_t stride) const {
    const std::int8_t* w = &sides_[9 * (layer * planes_ + plane)];
    std::int32_t sum = 0;
    for (const std::int16_t* row : {here - stride, here, here + stride})
      for (std::ptrdiff_t x = -1; x <= 1; ++x) sum += row[x] * *w++;
    return std::clamp(scaled(layer, plane, sum), -kMost, kMost);
  }

  // The number of the probability of a sign of a plane.
  std::size_t index(std::size_t plane, const std::int16_t* seen, int beside, unsigned half) const {
    std::int32_t sums[kRowsOfPlane];
    products(seen, rows_.data() + rows_at_[plane], width(plane), sums);
    const std::int8_t* w = &own_[own(plane)];
    const auto with_own = [&](std::size_t row) { return sums[row] + beside * w[2 * row] + (half ? kUnit : 0) * w[2 * row + 1]; };
    std::int32_t odds = with_own(kHiddenOfPlane);
    for (std::size_t k = 0; k < kHiddenOfPlane; ++k)
      odds += std::clamp(scaled(2 + k, plane, with_own(k)), 0, kMost) * w[2 * kRowsOfPlane + k];
    const int steps = (scaled(2 + kHiddenOfPlane, plane, odds) + 2) >> 2;
    return static_cast<std::size_t>(std::clamp<int>(steps + static_cast<int>(kPredictedTables) / 2, 0, kPredictedTables - 1));
  }

  void prove() const {
    const auto check = [&](std::size_t layer, std::size_t plane, std::int64_t sum) {
      if (sum + std::abs(std::int64_t{bias_[layer * planes_ + plane]}) >= 1 << 24)
        throw std::invalid_argument("a sum of plane " + std::to_string(plane) + " may leave 24 bits");
    };
    for (std::size_t p = 0; p < planes_; ++p) {
      for (std::size_t layer = 0; layer < 2; ++layer) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < 9; ++i) sum += kUnit * std::abs(int{sides_[9 * (layer * planes_ + p) + i]});
        check(layer, p, sum);
      }
      for (std::size_t row = 0; row < kRowsOfPlane; ++row) {
        const std::int16_t* w = rows_.data() + rows_at_[p] + row * width(p);
        const std::int8_t* o = &own_[own(p)];
        std::int64_t sum = kMost * std::abs(int{o[2 * row]}) + kUnit * std::abs(int{o[2 * row + 1]});
        for (std::size_t i = 0; i < 2 * p; ++i) sum += (i % 2 ? kMost : kUnit) * std::abs(int{w[i]});
        for (std::size_t k = 0; row == kHiddenOfPlane && k < kHiddenOfPlane; ++k) sum += kMost * std::abs(int{o[2 * kRowsOfPlane + k]});
        check(2 + row, p, sum);
      }
    }
  }

  std::size_t planes_;
  std::vector<std::int32_t> bias_;
  std::vector<std::uint8_t> shift_;
  std::vector<std::int8_t> sides_, own_;
  std::vector<std::int16_t> rows_;
  std::vector<std::size_t> rows_at_;
};

// An answer that knows signs (planes, rows, columns), and keeps bits and contexts in the order of the stream.
struct KnownSigns {
  std::size_t operator()(const std::uint32_t* places, std::size_t plane, const std::uint16_t* of, std::uint8_t* answers, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) answers[i] = signs[plane * area + places[i]] > 0;
    bits.insert(bits.end(), answers, answers + n);
    contexts.insert(contexts.end(), of, of + n);
    return n;
  }

  const std::int8_t* signs;
  std::size_t area;
  std::vector<std::uint8_t> bits = {};
  std::vector<std::uint16_t> contexts = {};
};

}  // namespace lic
