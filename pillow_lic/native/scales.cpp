#include "scales.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace lic {

namespace {

constexpr std::int32_t kSpacing = 128, kLargest = 63;  // levels between two anchors; the last index

}  // namespace

Stage::Stage(Numbers& numbers, bool magnitudes, std::size_t passes)
    : entry(numbers, inputs(magnitudes), kFeatures), around(numbers, kFeatures), between(numbers, kFeatures, kFeatures),
      again(numbers, kFeatures) {
  for (std::size_t quarter = 0; quarter < kGroups * passes; ++quarter) {
    places.push_back(static_cast<std::size_t>(numbers.take<std::int32_t>(1)[0]) % kGroups);
    ends.emplace_back(numbers, kFeatures, kOfGroup);
  }
  by_anchor = numbers.take<std::int32_t>(passes * kLatents * kAnchors);
}

std::int32_t Stage::nearness(std::int32_t level, std::size_t anchor) {
  return std::max(kSpacing - std::abs(level - kSpacing * static_cast<std::int32_t>(anchor)), 0);
}

std::vector<Sums> Stage::added(std::int32_t level) const {
  std::vector<Sums> found(passes() * kLatents / kOutputs);
  for (std::size_t n = 0; n < passes() * kLatents; ++n) {
    const std::size_t output = n / kOutputs * kOutputs + output_at(n % kOutputs);
    std::int32_t sum = 0;
    for (std::size_t anchor = 0; anchor < kAnchors; ++anchor) sum += nearness(level, anchor) * by_anchor[output * kAnchors + anchor];
    found[n / kOutputs].of[n % kOutputs] = (sum >> 7) + 8;
  }
  return found;
}

#ifndef LIC_PRODUCTS

bool Stage::fast() { return false; }
void Stage::find(const float*, const float*, const float*, std::size_t, std::size_t, std::uint8_t*) const {}

#else

bool Stage::fast() { return __builtin_cpu_supports("avx2"); }

namespace {

// The magnitudes or features of eight places, times a factor.
struct Times {
  const float* first;
  std::size_t plane;
  float factor;

  LIC_PRODUCT_INLINE __m256 operator()(std::size_t channel) const {
    return _mm256_mul_ps(_mm256_loadu_ps(first + channel * plane), _mm256_set1_ps(factor));
  }
};

// Rows on their way to the index.
class Search {
 public:
  static constexpr std::size_t kFeatures = Stage::kFeatures, kGroups = Stage::kGroups, kOfGroup = Stage::kOfGroup;

  Search(const Stage& stage, const float* features, const float* level, const float* magnitudes, std::size_t height, std::size_t width,
         std::uint8_t* index)
      : stage_(stage), features_(features), level_(level), magnitudes_(magnitudes), height_(height), width_(width), index_(index),
        input_(width * stage.entry.inputs), looked_(width * kFeatures), last_(2 * width * kFeatures),
        added_(width * 2), around_(width, kFeatures), again_(width, kFeatures) {}

  void run() {
    for (std::size_t y = 0; y < height_; ++y) {
      enter(y);
      step();
    }
    around_.next();
    step();
    again_.next();
    leave();
  }

 private:
  static constexpr float kStepOfMagnitude = 16.0f;

  // So many channels of a row as features; `to` is the first of them.
  LIC_PRODUCT void turn(const float* planes, std::size_t channels, std::size_t y, float factor, Feature* to) const {
    const float* row = planes + y * width_;
    const std::size_t plane = height_ * width_, apart = stage_.entry.inputs;
    std::size_t x = 0;
    for (; x + kAcross <= width_; x += kAcross) turn_eight(Times{row + x, plane, factor}, channels, to + x * apart, apart);
    for (; x < width_; ++x)
      for (std::size_t channel = 0; channel < channels; ++channel) to[x * apart + channel] = feature(row[channel * plane + x] * factor);
  }

  LIC_PRODUCT void enter(std::size_t y) {
    turn(features_, kFeatures, y, 1.0f, input_.data());
    if (stage_.takes_magnitudes()) turn(magnitudes_, Stage::kLatents, y, kStepOfMagnitude, &input_[Stage::kBefore]);
    for (std::size_t x = 0; x < width_; ++x) {
      Feature* anchors = &input_[x * stage_.entry.inputs + kFeatures];
      for (std::size_t k = 0; k < Stage::kAnchors; ++k) anchors[k] = static_cast<Feature>(Stage::nearness(level(y, x), k));
    }
    apply(stage_.entry, input_.data(), width_, around_.next(), kFeatures, Limit{});
  }

  LIC_PRODUCT void step() {
    if (!around_.ready()) return;
    look_around(stage_.around, around_.window(), width_, looked_.data(), Limit{});
    apply(stage_.between, looked_.data(), width_, again_.next(), kFeatures, Limit{});
    leave();
  }

  LIC_PRODUCT void leave() {
    if (!again_.ready()) return;
    const std::size_t y = again_.row();
    look_around(stage_.again, again_.window(), width_, &last_[y % 2 * width_ * kFeatures], Limit{});
    if (y % 2 == 0) return;
    for (std::size_t row = 0; row < 2; ++row)
      for (std::size_t x = 0; x < width_; ++x) added_[row * width_ + x] = added(level(y - 1 + row, x));
    for (std::size_t quarter = 0; quarter < stage_.ends.size(); ++quarter)
      for (std::size_t block = 0; block < kOfGroup / kOutputs; ++block) {
        std::size_t cell = 0;
        for (; cell + kAbreast <= width_ / 2; cell += kAbreast) leave_cells<kAbreast>(quarter, block, y / 2, cell);
        for (; cell < width_ / 2; ++cell) leave_cells<1>(quarter, block, y / 2, cell);
      }
  }

  // kOutputs indexes of n cells.
  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_cells(std::size_t quarter, std::size_t block, std::size_t row, std::size_t cell) {
    const Layer& layer = stage_.ends[quarter];
    const std::size_t place = stage_.places[quarter], at = place / 2 * width_ + 2 * cell + place % 2;
    __m256i low[n], high[n];
    begin(layer.bias[block], low, high);
    multiply(&last_[at * kFeatures], 2 * kFeatures, kFeatures / 2, &layer.weights[block * kFeatures / 2], low, high);
    const __m256i first = loaded(layer.shift[block].of), second = loaded(layer.shift[block].of + 8);
    alignas(32) Feature made[n][kOutputs];
    for (std::size_t i = 0; i < n; ++i) {
      const Sums& more = (*added_[at + 2 * i])[quarter * (kOfGroup / kOutputs) + block];
      const __m256i one = _mm256_add_epi32(_mm256_srav_epi32(low[i], first), loaded(more.of));
      const __m256i other = _mm256_add_epi32(_mm256_srav_epi32(high[i], second), loaded(more.of + 8));
      const __m256i found = _mm256_packs_epi32(_mm256_srai_epi32(one, 4), _mm256_srai_epi32(other, 4));
      const __m256i least = _mm256_setzero_si256(), most = _mm256_set1_epi16(kLargest);
      stored(made[i], _mm256_min_epi16(_mm256_max_epi16(found, least), most));
    }
    const std::size_t plane = height_ * width_ / 4;
    std::uint8_t* to = index_ + (quarter * kOfGroup + block * kOutputs) * plane + row * (width_ / 2) + cell;
    for (std::size_t k = 0; k < kOutputs; ++k, to += plane)
      for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<std::uint8_t>(made[i][k]);
  }

  LIC_PRODUCT std::int32_t level(std::size_t y, std::size_t x) const { return feature(level_[y * width_ + x]); }

  const std::vector<Sums>* added(std::int32_t level) {
    auto found = known_levels_.find(level);
    if (found == known_levels_.end()) found = known_levels_.emplace(level, stage_.added(level)).first;
    return &found->second;
  }

  const Stage& stage_;
  const float *features_, *level_, *magnitudes_;
  std::size_t height_, width_;
  std::uint8_t* index_;
  std::map<std::int32_t, std::vector<Sums>> known_levels_;
  std::vector<Feature> input_, looked_, last_;  // of a row; the last layer's of two
  std::vector<const std::vector<Sums>*> added_;
  Neighbours<3> around_, again_;
};

}  // namespace

void Stage::find(const float* features, const float* level, const float* magnitudes, std::size_t height, std::size_t width,
                 std::uint8_t* index) const {
  Search(*this, features, level, magnitudes, height, width, index).run();
}

#endif

}  // namespace lic
