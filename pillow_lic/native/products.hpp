// Layers in whole numbers: 16-bit features and weights, sums of 32 bits, two products an instruction (AVX2's vpmaddwd).
//
// Features are a row of places, each with the channels of a network one after another, with as many bits after the point as the numbers of
// the layers say; what does not fit into 16 bits is the largest that does. A multiply-add takes half the time of one in float32, and the sums are the same on every processor.
// Weights of an output come with the shift that takes its sum to the unit of the features. Where the sum of their magnitudes stays
// below 2^16, no sum can overflow; others wrap around.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#define LIC_PRODUCTS
#include <immintrin.h>
#endif

namespace lic {

constexpr std::size_t kOutputs = 16;  // outputs of a product: two registers of 8 sums

using Feature = std::int16_t;

// Numbers of a file, little-endian as the processors are that this is for, one array after another.
class Numbers {
 public:
  explicit Numbers(const std::uint8_t* at) : at_(at) {}

  template <typename T>
  std::vector<T> take(std::size_t n) {
    std::vector<T> found(n);
    std::memcpy(found.data(), at_, n * sizeof(T));
    at_ += n * sizeof(T);
    return found;
  }

 private:
  const std::uint8_t* at_;
};

// Packing with saturation takes numbers 0-3 and 8-11 of its result from one register, the others from another.
constexpr std::size_t output_at(std::size_t k) { return k % 4 + k % 8 / 4 * 8 + k / 8 * 4; }

struct alignas(64) PairWeights {
  Feature of[kOutputs][2];  // a weight for each of two inputs, by output in the order of `output_at`
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
      : inputs(inputs), outputs(outputs), weights(outputs / kOutputs * inputs / 2), bias(outputs / kOutputs), shift(bias.size()) {
    const auto first = numbers.take<std::int32_t>(outputs), shifts = numbers.take<std::int32_t>(outputs);
    const auto flat = numbers.take<Feature>(outputs * inputs);
    for (std::size_t block = 0; block < bias.size(); ++block)
      for (std::size_t k = 0; k < kOutputs; ++k) {
        const std::size_t output = block * kOutputs + output_at(k);
        bias[block].of[k] = first[output];
        shift[block].of[k] = shifts[output];
        for (std::size_t input = 0; input < inputs; ++input)
          weights[block * inputs / 2 + input / 2].of[k][input % 2] = flat[output * inputs + input];
      }
  }
};

#ifdef LIC_PRODUCTS

#define LIC_PRODUCT __attribute__((target("avx2")))
#define LIC_PRODUCT_INLINE inline __attribute__((always_inline, target("avx2")))
#define LIC_TOGETHER _Pragma("GCC unroll 6")

namespace {

constexpr std::size_t kAbreast = 6;  // places of a product: 12 sums of 8 numbers, for 16 registers

LIC_PRODUCT_INLINE __m256i loaded(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
LIC_PRODUCT_INLINE void stored(Feature* to, __m256i values) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values); }

// Adds kOutputs outputs of n places that lie `apart` numbers from each other.
template <std::size_t n>
LIC_PRODUCT_INLINE void multiply(const Feature* from, std::size_t apart, std::size_t pairs, const PairWeights* weights, __m256i (&low)[n],
                              __m256i (&high)[n]) {
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const __m256i first = loaded(weights[pair].of), second = loaded(weights[pair].of + 8);
    LIC_TOGETHER
    for (std::size_t i = 0; i < n; ++i) {
      std::int32_t both;
      std::memcpy(&both, from + i * apart + 2 * pair, sizeof(both));
      const __m256i x = _mm256_set1_epi32(both);
      low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(x, first));
      high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(x, second));
    }
  }
}

template <std::size_t n>
LIC_PRODUCT_INLINE void begin(const Sums& bias, __m256i (&low)[n], __m256i (&high)[n]) {
  LIC_TOGETHER
  for (std::size_t i = 0; i < n; ++i) low[i] = loaded(bias.of), high[i] = loaded(bias.of + 8);
}

// Sums as features: the shifts round down.
LIC_PRODUCT_INLINE __m256i shifted(__m256i low, __m256i high, __m256i first, __m256i second) {
  return _mm256_packs_epi32(_mm256_srav_epi32(low, first), _mm256_srav_epi32(high, second));
}

// What becomes of the features of a place: they are rectified, held within 8 bits or added to what is there.
struct Rectify {
  LIC_PRODUCT_INLINE void operator()(Feature* to, __m256i made) const { stored(to, _mm256_max_epi16(made, _mm256_setzero_si256())); }
};

struct Limit {
  LIC_PRODUCT_INLINE void operator()(Feature* to, __m256i made) const {
    stored(to, _mm256_min_epi16(_mm256_max_epi16(made, _mm256_setzero_si256()), _mm256_set1_epi16(255)));
  }
};

struct Add {
  LIC_PRODUCT_INLINE void operator()(Feature* to, __m256i made) const { stored(to, _mm256_adds_epi16(made, loaded(to))); }
};

struct Put {
  LIC_PRODUCT_INLINE void operator()(Feature* to, __m256i made) const { stored(to, made); }
};

template <std::size_t n, typename End>
LIC_PRODUCT_INLINE void apply_to(const Layer& layer, std::size_t block, const Feature* from, Feature* to, std::size_t to_apart, const End& end) {
  __m256i low[n], high[n];
  begin(layer.bias[block], low, high);
  multiply(from, layer.inputs, layer.inputs / 2, &layer.weights[block * layer.inputs / 2], low, high);
  const __m256i first = loaded(layer.shift[block].of), second = loaded(layer.shift[block].of + 8);
  LIC_TOGETHER
  for (std::size_t i = 0; i < n; ++i)
    end(to + i * to_apart, shifted(low[i], high[i], first, second));
}

// A layer over a row of `count` places; results lie `to_apart` numbers from each other.
template <typename End>
LIC_PRODUCT inline void apply(const Layer& layer, const Feature* from, std::size_t count, Feature* to, std::size_t to_apart, const End& end) {
  for (std::size_t block = 0; block < layer.bias.size(); ++block) {
    const Feature* in = from;
    Feature* out = to + block * kOutputs;
    std::size_t left = count;
    for (; left >= kAbreast; left -= kAbreast, in += kAbreast * layer.inputs, out += kAbreast * to_apart)
      apply_to<kAbreast>(layer, block, in, out, to_apart, end);
    for (; left; --left, in += layer.inputs, out += to_apart) apply_to<1>(layer, block, in, out, to_apart, end);
  }
}

constexpr std::size_t kAcross = 8;  // places, and channels, of a square that is turned

// A number for every channel and place as the features of 8 places, eight channels at a time; `from(channel)` gives the numbers of the
// places, of which it takes the nearest whole ones.
template <typename From>
LIC_PRODUCT_INLINE void turn_eight(const From& from, std::size_t channels, Feature* to, std::size_t apart) {
  for (std::size_t first = 0; first < channels; first += kAcross) {
    __m256i pairs[kAcross / 2];  // by place, of two channels
    for (std::size_t k = 0; k < kAcross; k += 2) {
      const __m256i packed = _mm256_packs_epi32(_mm256_cvtps_epi32(from(first + k)), _mm256_cvtps_epi32(from(first + k + 1)));
      pairs[k / 2] = _mm256_unpacklo_epi16(packed, _mm256_bsrli_epi128(packed, 8));
    }
    const __m256i a = _mm256_unpacklo_epi32(pairs[0], pairs[1]), b = _mm256_unpacklo_epi32(pairs[2], pairs[3]);
    const __m256i c = _mm256_unpackhi_epi32(pairs[0], pairs[1]), d = _mm256_unpackhi_epi32(pairs[2], pairs[3]);
    const __m256i turned[kAcross / 2] = {_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), _mm256_unpacklo_epi64(c, d),
                                         _mm256_unpackhi_epi64(c, d)};
    for (std::size_t i = 0; i < kAcross / 2; ++i) {
      Feature* place = to + i * apart + first;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(place), _mm256_castsi256_si128(turned[i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(place + kAcross / 2 * apart), _mm256_extracti128_si256(turned[i], 1));
    }
  }
}

// The nearest whole number that a feature can be; of what is no number the smallest.
LIC_PRODUCT_INLINE Feature feature(float value) {
  const __m128i whole = _mm_cvtps_epi32(_mm_set_ss(value));
  return static_cast<Feature>(_mm_extract_epi16(_mm_packs_epi32(whole, whole), 0));
}

}  // namespace
#endif

}  // namespace lic
