#include "synthesis.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace lic {

namespace {

constexpr float kSpacing = 128.0f, kLargestLevel = 1024.0f;  // levels between two anchors, and the last one's
constexpr int kLatentBits = 11, kPictureBits = 20;           // after the point, of latents as features and of the picture's sums

// Weights (outputs, inputs), by kOutputs outputs and pair of inputs.
std::vector<PairWeights> paired(const std::vector<Feature>& flat, std::size_t inputs) {
  std::vector<PairWeights> made(flat.size() / kOutputs / 2);
  for (std::size_t block = 0; block < made.size() / (inputs / 2); ++block)
    for (std::size_t k = 0; k < kOutputs; ++k)
      for (std::size_t input = 0; input < inputs; ++input)
        made[block * inputs / 2 + input / 2].of[k][input % 2] = flat[(block * kOutputs + output_at(k)) * inputs + input];
  return made;
}

constexpr std::size_t ordered(std::size_t n) { return n / kOutputs * kOutputs + output_at(n % kOutputs); }

std::vector<Sums> sums_of(const std::vector<std::int32_t>& flat) {
  std::vector<Sums> made(flat.size() / kOutputs);
  for (std::size_t n = 0; n < flat.size(); ++n) made[n / kOutputs].of[n % kOutputs] = flat[ordered(n)];
  return made;
}

}  // namespace

Synthesis::Synthesis(Numbers numbers)
    : latents(numbers.take<float>(kAnchors * kLatents)), fine(numbers.take<float>(kAnchors * kFine)),
      context(numbers.take<float>(kAnchors * kContext)), entry(numbers, kLatents, kCoarse), coarse(numbers, kCoarse),
      wider(numbers, kCoarse, 4 * kFine), blocks{Block(numbers, kFine), Block(numbers, kFine), Block(numbers, kFine)},
      to_context(numbers, kFine, kContext), bias(sums_of(numbers.take<std::int32_t>(kPlanes * kSquare))),
      last(paired(numbers.take<Feature>(kPlanes * kSquare * kFine), kFine)),
      straight(paired(numbers.take<Feature>(4 * kPlanes * kSquare * kLatents), kLatents)) {}

Synthesis::Factors Synthesis::factors(float level) const {
  const float at = level / kSpacing;
  const std::size_t below = std::min(static_cast<std::size_t>(at), kAnchors - 2);
  const float share = at - static_cast<float>(below);
  Factors found{level, std::vector<float>(kLatents), std::vector<float>(kFine), std::vector<float>(kContext)};
  const auto between = [&](const std::vector<float>& anchors, std::size_t n, std::size_t k) {
    return anchors[below * n + k] * (1.0f - share) + anchors[(below + 1) * n + k] * share;
  };
  for (std::size_t k = 0; k < kLatents; ++k) found.latents[k] = std::exp(between(latents, kLatents, k)) * static_cast<float>(1 << kLatentBits);
  for (std::size_t k = 0; k < kFine; ++k) found.fine[k] = std::exp(between(fine, kFine, ordered(k)));
  for (std::size_t k = 0; k < kContext; ++k) found.context[k] = between(context, kContext, ordered(k));
  return found;
}

#ifndef LIC_PRODUCTS

bool Synthesis::fast() { return false; }
void Synthesis::draw(const float*, const float*, std::size_t, std::size_t, float*, float*) const {}

#else

bool Synthesis::fast() { return __builtin_cpu_supports("avx2"); }

namespace {

using Factors = Synthesis::Factors;

// What a unit of the last place of 8 sums is worth, for their shifts.
LIC_PRODUCT_INLINE __m256 unit(const std::int32_t* shift) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_sub_epi32(_mm256_set1_epi32(127), loaded(shift)), 23));
}

LIC_PRODUCT_INLINE __m256i scaled(__m256i sums, __m256 unit, const float* factors) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), unit), _mm256_loadu_ps(factors)));
}

// The latents of eight places, times their factors.
struct Strong {
  const float* first;
  std::size_t plane;
  const Factors* const* own;
  bool same = std::all_of(own, own + kAcross, [this](const Factors* other) { return other == *own; });

  LIC_PRODUCT_INLINE __m256 operator()(std::size_t channel) const {
    const auto factor = [&](std::size_t i) { return own[i]->latents[channel]; };
    const __m256 factors = same ? _mm256_set1_ps(factor(0))
                                            : _mm256_setr_ps(factor(0), factor(1), factor(2), factor(3), factor(4), factor(5), factor(6), factor(7));
    return _mm256_mul_ps(_mm256_loadu_ps(first + channel * plane), factors);
  }
};

// Rows of latents on their way to the picture.
class Course {
 public:
  Course(const Synthesis& network, const float* latents, const float* level, std::size_t height, std::size_t width, float* picture,
         float* context)
      : network_(network), latents_(latents), level_(level), height_(height), width_(width), picture_(picture), context_(context),
        straight_(kHeld * width * Synthesis::kLatents), entered_(width * Synthesis::kCoarse), wider_(4 * width * Synthesis::kFine),
        factors_(kHeld * width), coarse_(network.coarse, width) {
    for (const Block& block : network.blocks) fine_.emplace_back(block, 2 * width);
  }

  void run() {
    for (std::size_t y = 0; y < height_ + kEdge; ++y) {
      if (y < height_) enter(y);
      if (const Feature* row = coarse_.push(y < height_ ? entered_.data() : nullptr)) {
        widen(y - kEdge, row);
        for (std::size_t half = 0; half < 2; ++half) pass(0, &wider_[half * 2 * width_ * Synthesis::kFine]);
      }
    }
    for (std::size_t block = 0; block < fine_.size(); ++block)
      for (std::size_t i = 0; i < kEdge; ++i) pass(block, nullptr);
  }

 private:
  static constexpr std::size_t kHeld = 8;  // rows of latents that are held: a row of the picture is done when those up to 5 below have come
  static constexpr std::size_t kEdge = Passage::kEdge;

  Feature* straight(std::size_t y) { return &straight_[y % kHeld * width_ * Synthesis::kLatents]; }
  const Factors** factors(std::size_t y) { return &factors_[y % kHeld * width_]; }

  const Factors* factors_at(float level) {
    level = level > 0.0f ? std::min(level, kLargestLevel) : 0.0f;  // what is no number too
    auto found = known_.find(level);
    if (found == known_.end()) found = known_.emplace(level, network_.factors(level)).first;
    return &found->second;
  }

  const float* latent(std::size_t channel, std::size_t y, std::size_t x) const { return latents_ + (channel * height_ + y) * width_ + x; }

  // Row y of the latents as features, and the entry.
  LIC_PRODUCT void enter(std::size_t y) {
    const Factors** own = factors(y);
    for (std::size_t x = 0; x < width_; ++x) {
      const bool same = x && level_[y * width_ + x] == level_[y * width_ + x - 1];
      own[x] = same ? own[x - 1] : factors_at(level_[y * width_ + x]);
    }
    Feature* row = straight(y);
    std::size_t x = 0;
    for (; x + kAcross <= width_; x += kAcross)
      turn_eight(Strong{latent(0, y, x), height_ * width_, own + x}, Synthesis::kLatents, row + x * Synthesis::kLatents, Synthesis::kLatents);
    for (; x < width_; ++x)
      for (std::size_t channel = 0; channel < Synthesis::kLatents; ++channel)
        row[x * Synthesis::kLatents + channel] = feature(*latent(channel, y, x) * own[x]->latents[channel]);
    apply(network_.entry, row, width_, entered_.data(), Synthesis::kCoarse, Put{});
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void widen_at(std::size_t y, std::size_t block, const Feature* row, std::size_t x) {
    constexpr std::size_t kBlocksOfPlace = Synthesis::kFine / kOutputs;
    const std::size_t place = block / kBlocksOfPlace, first = block % kBlocksOfPlace * kOutputs;
    const Layer& layer = network_.wider;
    __m256i low[n], high[n];
    begin(layer.bias[block], low, high);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, &layer.weights[block * layer.inputs / 2], low, high);
    const __m256 one = unit(layer.shift[block].of), other = unit(layer.shift[block].of + 8);
    for (std::size_t i = 0; i < n; ++i) {
      const float* factor = &factors(y)[x + i]->fine[first];
      Feature* to = &wider_[(place / 2 * 2 * width_ + 2 * (x + i) + place % 2) * Synthesis::kFine + first];
      stored(to, _mm256_packs_epi32(scaled(low[i], one, factor), scaled(high[i], other, factor + 8)));
    }
  }

  // Two fine rows of a coarse one.
  LIC_PRODUCT void widen(std::size_t y, const Feature* row) {
    for (std::size_t block = 0; block < network_.wider.bias.size(); ++block) {
      std::size_t x = 0;
      for (; x + kAbreast <= width_; x += kAbreast) widen_at<kAbreast>(y, block, row, x);
      for (; x < width_; ++x) widen_at<1>(y, block, row, x);
    }
  }

  // Gives a row, or nullptr after the last one, to a block and what it returns to those behind it.
  void pass(std::size_t block, const Feature* row) {
    row = fine_[block].push(row);
    if (!row) return;
    if (block + 1 < fine_.size()) {
      pass(block + 1, row);
    } else {
      leave(left_, row);
      leave_context(left_, row);
      ++left_;
    }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_at(std::size_t y, std::size_t plane, std::size_t half, const Feature* row, std::size_t x) {
    const std::size_t place = y % 2 * 2 + half;
    __m256i low[n], high[n];
    begin(network_.bias[plane], low, high);
    multiply(straight(y / 2) + x * Synthesis::kLatents, Synthesis::kLatents, Synthesis::kLatents / 2,
             &network_.straight[(place * Synthesis::kPlanes + plane) * Synthesis::kLatents / 2], low, high);
    multiply(row + (2 * x + half) * Synthesis::kFine, 2 * Synthesis::kFine, Synthesis::kFine / 2,
             &network_.last[plane * Synthesis::kFine / 2], low, high);
    const __m256 level = _mm256_set1_ps(1.0f / static_cast<float>(1 << kPictureBits));
    const std::size_t width = 8 * width_;
    for (std::size_t i = 0; i < n; ++i) {
      float* to = picture_ + (plane * 8 * height_ + 4 * y) * width + 4 * (2 * (x + i) + half);
      const __m256 even = _mm256_mul_ps(_mm256_cvtepi32_ps(low[i]), level), odd = _mm256_mul_ps(_mm256_cvtepi32_ps(high[i]), level);
      _mm_storeu_ps(to, _mm256_castps256_ps128(even));
      _mm_storeu_ps(to + width, _mm256_castps256_ps128(odd));
      _mm_storeu_ps(to + 2 * width, _mm256_extractf128_ps(even, 1));
      _mm_storeu_ps(to + 3 * width, _mm256_extractf128_ps(odd, 1));
    }
  }

  // Row y at 1/8 of the picture, from its features and the latents.
  LIC_PRODUCT void leave(std::size_t y, const Feature* row) {
    for (std::size_t plane = 0; plane < Synthesis::kPlanes; ++plane)
      for (std::size_t half = 0; half < 2; ++half) {
        std::size_t x = 0;
        for (; x + kAbreast <= width_; x += kAbreast) leave_at<kAbreast>(y, plane, half, row, x);
        for (; x < width_; ++x) leave_at<1>(y, plane, half, row, x);
      }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_context_at(std::size_t y, const Feature* row, std::size_t x) {
    const Layer& layer = network_.to_context;
    __m256i low[n], high[n];
    begin(layer.bias[0], low, high);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, layer.weights.data(), low, high);
    const __m256 one = unit(layer.shift[0].of), other = unit(layer.shift[0].of + 8);
    for (std::size_t i = 0; i < n; ++i) {
      const float* more = factors(y / 2)[(x + i) / 2]->context.data();
      alignas(32) float made[kOutputs];
      _mm256_store_ps(made, _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(low[i]), one), _mm256_loadu_ps(more)));
      _mm256_store_ps(made + 8, _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(high[i]), other), _mm256_loadu_ps(more + 8)));
      for (std::size_t k = 0; k < kOutputs; ++k) context_[(output_at(k) * 2 * height_ + y) * 2 * width_ + x + i] = made[k];
    }
  }

  LIC_PRODUCT void leave_context(std::size_t y, const Feature* row) {
    std::size_t x = 0;
    for (; x + kAbreast <= 2 * width_; x += kAbreast) leave_context_at<kAbreast>(y, row, x);
    for (; x < 2 * width_; ++x) leave_context_at<1>(y, row, x);
  }

  const Synthesis& network_;
  const float *latents_, *level_;
  std::size_t height_, width_;
  float *picture_, *context_;
  std::vector<Feature> straight_, entered_, wider_;
  std::map<float, Factors> known_;
  std::vector<const Factors*> factors_;
  Passage coarse_;
  std::vector<Passage> fine_;
  std::size_t left_ = 0;  // rows at 1/8 that are done
};

}  // namespace

void Synthesis::draw(const float* latents, const float* level, std::size_t height, std::size_t width, float* picture, float* context) const {
  Course(*this, latents, level, height, width, picture, context).run();
}

#endif

}  // namespace lic
