// Layers in whole numbers: 16-bit features and weights, sums of 32 bits. What works on them is in lanes.hpp and apply.hpp.
//
// Features are a row of places, each with the channels of a network one after another, with as many bits after the point as the numbers of
// the layers say; what does not fit into 16 bits is the largest that does. A multiply-add takes half the time of one in float32, and the sums are the same on every processor.
// Weights of an output come with the shift that takes its sum to the unit of the features. Where the sum of their magnitudes stays
// below 2^16, no sum can overflow; others wrap around.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace lic {

constexpr std::size_t kOutputs = 16;  // outputs of a product

using Feature = std::int16_t;
constexpr float kLeastFeature = -32768.0f, kMostFeature = 32767.0f;
constexpr Feature kTenth = 6554;  // of 2^16: of what is bent, below 0

// The nearest whole number that a feature can be, of two the even one; of what is no number the smallest.
inline Feature feature(float value) {
  const float held = value > kLeastFeature ? std::min(value, kMostFeature) : kLeastFeature;
  return static_cast<Feature>(std::lrint(held));
}

// Numbers of a file, little-endian, one array after another.
class Numbers {
 public:
  explicit Numbers(const std::uint8_t* at) : at_(at) {}

  template <typename T>
  std::vector<T> take(std::size_t n) {
    using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>;
    static_assert(sizeof(T) == sizeof(Bits));
    std::vector<T> found(n);
    for (T& number : found) {
      Bits bits = 0;
      for (std::size_t i = 0; i < sizeof(T); ++i) bits = static_cast<Bits>(bits | static_cast<Bits>(*at_++) << 8 * i);
      std::memcpy(&number, &bits, sizeof(T));
    }
    return found;
  }

 private:
  const std::uint8_t* at_;
};

// The output of sum number k, and the number of an output's sum. Packing with saturation takes numbers 0-3 and 8-11 of its result from
// one register of AVX2, the others from another.
constexpr std::size_t output_at(std::size_t k) { return k % 4 + k % 8 / 4 * 8 + k / 8 * 4; }

// The n-th of any number of outputs in that order, whose blocks follow each other.
constexpr std::size_t ordered(std::size_t n) { return n / kOutputs * kOutputs + output_at(n % kOutputs); }

// Weights of kOutputs outputs for each of two inputs: x86 multiplies pairs of inputs, others one input at a time.
struct alignas(64) PairWeights {
  Feature of[2 * kOutputs];  // by `at`

#if defined(__x86_64__) || defined(_M_X64)
  static constexpr std::size_t at(std::size_t output, std::size_t input) { return output_at(output) * 2 + input; }
#else
  static constexpr std::size_t at(std::size_t output, std::size_t input) { return input * kOutputs + output; }
#endif
};

struct alignas(64) Sums {
  std::int32_t of[kOutputs];  // in the order of `output_at`
};

// A layer that sees single places.
struct Layer {
  std::size_t inputs, outputs;  // multiples of 2 and of kOutputs
  std::vector<PairWeights> weights;   // by kOutputs outputs, by pair of inputs
  std::vector<Sums> bias, shift;

  static constexpr std::size_t bytes(std::size_t inputs, std::size_t outputs) { return outputs * (2 * 4 + 2 * inputs); }

  // Of bias (outputs,) in units of the sums, shift (outputs,), weights (outputs, inputs).
  Layer(Numbers& numbers, std::size_t inputs, std::size_t outputs)
      : Layer{numbers.take<std::int32_t>(outputs), numbers.take<std::int32_t>(outputs), numbers.take<Feature>(outputs * inputs)} {}

  Layer(const std::vector<std::int32_t>& first, const std::vector<std::int32_t>& shifts, const std::vector<Feature>& flat)
      : inputs(flat.size() / first.size()), outputs(first.size()), weights(outputs / kOutputs * inputs / 2), bias(outputs / kOutputs),
        shift(bias.size()) {
    for (std::size_t block = 0; block < bias.size(); ++block)
      for (std::size_t k = 0; k < kOutputs; ++k) {
        const std::size_t output = block * kOutputs + output_at(k);
        bias[block].of[k] = first[output];
        shift[block].of[k] = shifts[output];
        for (std::size_t input = 0; input < inputs; ++input)
          weights[block * inputs / 2 + input / 2].of[PairWeights::at(output % kOutputs, input % 2)] = flat[output * inputs + input];
      }
  }
};

}  // namespace lic
