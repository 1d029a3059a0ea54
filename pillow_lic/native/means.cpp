#include "means.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "real_rows.hpp"

namespace lic {

namespace {

std::vector<RealLayer> take_places(Numbers& numbers, std::size_t inputs, std::size_t outputs) {
  std::vector<RealLayer> found;
  for (std::size_t place = 0; place < 4; ++place) found.emplace_back(numbers, inputs, outputs);
  return found;
}

// The layer of all features and latents as one for each place, of those latents that are known there.
std::vector<RealLayer> take_context(Numbers& numbers, const Means::Sizes& sizes, const std::vector<std::size_t> (&known)[Means::kGroups]) {
  const std::size_t features = sizes.features, inputs = features + sizes.latents;
  const auto bias = numbers.take<float>(features);
  const auto flat = take_halves(numbers, features * inputs);
  std::vector<RealLayer> found;
  for (const auto& groups : known) {
    std::vector<float> chosen;
    for (std::size_t output = 0; output < features; ++output) {
      const auto row = flat.begin() + static_cast<std::ptrdiff_t>(output * inputs);
      chosen.insert(chosen.end(), row, row + static_cast<std::ptrdiff_t>(features));
      for (const std::size_t group : groups) {
        const auto begin = row + static_cast<std::ptrdiff_t>(features + group * sizes.group());
        chosen.insert(chosen.end(), begin, begin + static_cast<std::ptrdiff_t>(sizes.group()));
      }
    }
    found.emplace_back(bias, chosen);
  }
  return found;
}

}  // namespace

bool Means::Sizes::legal() const {
  return hyper_latents && hyper_latents % 8 == 0 && features && features % kOutputs == 0 && features < 4096 && latents && latents % (kGroups * kOutputs) == 0 &&
         stages && stages <= kPasses;
}

std::size_t Means::features_of(const std::uint8_t* numbers, std::size_t size) {
  std::uint32_t found = 0;
  if (size >= sizeof(found)) std::memcpy(&found, numbers, sizeof(found));
  return found;
}

std::size_t Means::Sizes::bytes() const {
  std::size_t n = 4 + 4 * RealLayer::bytes(hyper_latents, features) + 4 * RealLayer::bytes(features, features) + 4 * kAnchors * features +
                  RealBlock::bytes(kFirstSide, features);
  for (std::size_t stage = 0; stage < stages; ++stage)
    n += (stage ? RealLayer::bytes(features + latents, features) : 0) + RealBlock::bytes(kSide, features) +
         kGroups * passes(stage) * (4 + RealLayer::bytes(features, group()));
  return n;
}

Means::Means(Numbers numbers, const Sizes& sizes)
    : sizes{sizes.hyper_latents, numbers.take<std::uint32_t>(1)[0], sizes.latents, sizes.stages}, first(take_places(numbers, sizes.hyper_latents, sizes.features)),
      second(take_places(numbers, sizes.features, sizes.features)), level(numbers.take<float>(kAnchors * sizes.features)),
      start(numbers, kFirstSide, sizes.features) {
  for (std::size_t stage = 0; stage < sizes.stages; ++stage) {
    auto context = stage ? take_context(numbers, sizes, known) : std::vector<RealLayer>{};
    RealBlock body(numbers, kSide, sizes.features);
    std::vector<Leave> leave;
    for (std::size_t number = 0; number < kGroups * sizes.passes(stage); ++number) {
      const std::size_t place = static_cast<std::size_t>(numbers.take<std::int32_t>(1)[0]) % kGroups;
      leave.push_back({place, RealLayer(numbers, sizes.features, sizes.group())});
      known[place].push_back(number % kGroups);
    }
    for (const auto& groups : known)
      if (groups.size() != stage + sizes.passes(stage)) throw std::invalid_argument("a pass must code another place of each group");
    stages.push_back({std::move(context), std::move(body), std::move(leave)});
  }
}

#ifndef LIC_VECTORS

bool Means::fast() { return false; }
void Means::begin(const float*, const float*, std::size_t, std::size_t, float*) const {}
void Means::find(std::size_t, const float*, const float*, std::size_t, std::size_t, std::size_t, std::size_t, float*) const {}
void Means::draft(std::size_t, const float*, const float*, std::size_t, std::size_t, std::size_t, std::size_t, float*) const {}

#else

bool Means::fast() { return multiplies_and_adds(); }

namespace {

// Rows of hyper-latents on their way to features.
class Beginning {
 public:
  Beginning(const Means& network, const float* hyper_latents, const float* level, std::size_t height, std::size_t width, float* features)
      : network_(network), hyper_latents_(hyper_latents), level_(level), height_(height), width_(width), features_(features),
        input_(width / 4 * network.sizes.hyper_latents), half_(width * network.sizes.features), body_(network.start, width) {}

  void run() {
    const std::size_t features = network_.sizes.features, across = width_ / 4;
    for (std::size_t y = 0; y < height_ / 4; ++y) {
      for (std::size_t channel = 0; channel < network_.sizes.hyper_latents; ++channel)
        for (std::size_t x = 0; x < across; ++x)
          input_[x * network_.sizes.hyper_latents + channel] = hyper_latents_[(channel * (height_ / 4) + y) * across + x];
      const Input whole{input_.data(), network_.sizes.hyper_latents, network_.sizes.hyper_latents};
      for (std::size_t row = 0; row < 2; ++row) {
        for (std::size_t column = 0; column < 2; ++column)
          layer_row(network_.first[2 * row + column], whole, {}, across, &half_[column * features], 2 * features, End::kBend);
        for (std::size_t half = 0; half < 2; ++half) enter(4 * y + 2 * row + half, half);
      }
    }
    for (std::size_t edge = 0; edge < Means::kFirstSide / 2; ++edge) leave(body_.push(false));
  }

 private:
  // Row y, the upper or lower half of the row of half as many places.
  void enter(std::size_t y, std::size_t half) {
    const std::size_t features = network_.sizes.features;
    float* row = body_.next();
    for (std::size_t column = 0; column < 2; ++column)
      layer_row(network_.second[2 * half + column], {half_.data(), features, features}, {}, width_ / 2, row + column * features, 2 * features,
                End::kPut);

    for (std::size_t x = 0; x < width_; ++x) add_level(level_[y * width_ + x], row + x * features);
    leave(body_.push(true));
  }

  void add_level(float level, float* place) const {
    const AmongAnchors at(level);
    const std::size_t features = network_.sizes.features;
    for (std::size_t k = 0; k < features; ++k) place[k] += at.number(network_.level.data(), features, k);
  }

  void leave(const float* row) {
    if (row) features_ = std::copy_n(row, width_ * network_.sizes.features, features_);
  }

  const Means& network_;
  const float *hyper_latents_, *level_;
  std::size_t height_, width_;
  float* features_;
  std::vector<float> input_, half_;  // of a row
  RealPassage body_;
};

// Rows of features on their way to the means of a stage, of all groups or only of the first.
class Finding {
 public:
  Finding(const Means& network, std::size_t stage, const float* features, const float* y, std::size_t height, std::size_t width,
          std::size_t first, std::size_t last, float* means)
      : network_(network), stage_(network.stages[stage]), passes_(stage), features_(features), latents_(y), height_(height), width_(width),
        means_(means), seen_(width / 2 * stage * network.sizes.group()), left_(width / 2 * network.sizes.group()), begin_(2 * first > kEdge ? 2 * first - kEdge : 0),
        end_(std::min(2 * last + kEdge, height)), body_(stage_.body, width, 2 * first - begin_), done_(2 * first), last_(2 * last) {}

  void all() {
    run(Means::kGroups, [&] {
      const float* row = body_.push(true);
      if (row) leave_all(row);
    }, [&] { leave_all(body_.push(false)); });
  }

  void draft() {
    run(Means::kDrafted, [&] {
      if (body_.take(true)) leave_first();
    }, [&] {
      body_.take(false);
      leave_first();
    });
  }

 private:
  static constexpr std::size_t kEdge = Means::kSide / 2;

  template <typename More, typename Last>
  void run(std::size_t groups, const More& more, const Last& last) {
    for (std::size_t y = begin_; y < end_; ++y) {
      enter(y, groups);
      more();
    }
    while (done_ < last_) last();
  }

  // Row y, of which only so many groups of latents are looked at.
  void enter(std::size_t y, std::size_t groups) {
    const std::size_t features = network_.sizes.features, group = network_.sizes.group(), plane = height_ * width_;
    const float* from = features_ + y * width_ * features;
    float* row = body_.next();
    if (stage_.context.empty()) {
      std::copy_n(from, width_ * features, row);
      return;
    }
    for (std::size_t column = 0; column < 2; ++column) {
      const std::size_t place = y % 2 * 2 + column, count = seen_passes(place, groups);
      for (std::size_t pass = 0; pass < count; ++pass) {
        const std::size_t known = network_.known[place][pass];
        float* to = &seen_[pass * group];
        if (known < groups) places_of(latents_ + known * group * plane + y * width_ + column, plane, group, width_ / 2, to, count * group);
        else for (std::size_t x = 0; x < width_ / 2; ++x) std::fill_n(to + x * count * group, group, 0.0f);
      }
      layer_row(stage_.context[place], {from + column * features, 2 * features, features},
                {seen_.data(), count * group, count * group}, width_ / 2, row + column * features, 2 * features, End::kPut);
    }
  }

  // Passes up to the last known one that coded one of the first groups at a place.
  std::size_t seen_passes(std::size_t place, std::size_t groups) const {
    std::size_t count = passes_;
    while (count && network_.known[place][count - 1] >= groups) --count;
    return count;
  }

  void leave_all(const float* row) {
    const std::size_t features = network_.sizes.features, groups = stage_.leave.size();
    for (std::size_t number = 0; number < groups; ++number) {
      const std::size_t place = stage_.leave[number].place;
      if (place / 2 == done_ % 2) put(stage_.leave[number].layer, {row + place % 2 * features, 2 * features, features}, number);
    }
    ++done_;
  }

  void leave_first() {
    const std::size_t features = network_.sizes.features;
    for (std::size_t number = 0; number < stage_.leave.size(); number += Means::kGroups) {
      const std::size_t place = stage_.leave[number].place;
      if (place / 2 == done_ % 2) put(stage_.leave[number].layer, {body_.every_other(place % 2), features, features}, number / Means::kGroups);
    }
    ++done_;
  }

  // The means of a group, the number of these in the array.
  void put(const RealLayer& layer, const Input& row, std::size_t number) {
    const std::size_t group = network_.sizes.group(), across = width_ / 2, plane = height_ / 2 * across;
    layer_row(layer, row, {}, across, left_.data(), group, End::kPut);
    planes_of(left_.data(), group, group, across, means_ + number * group * plane + done_ / 2 * across, plane);
  }

  const Means& network_;
  const Means::Stage& stage_;
  std::size_t passes_;  // that are known
  const float *features_, *latents_;
  std::size_t height_, width_;
  float* means_;
  std::vector<float> seen_, left_;  // of a row, at every other place
  std::size_t begin_, end_;  // rows that are looked at
  RealPassage body_;
  std::size_t done_, last_;  // rows that are left, the next one and the end
};

}  // namespace

void Means::begin(const float* hyper_latents, const float* level, std::size_t height, std::size_t width, float* features) const {
  Beginning(*this, hyper_latents, level, height, width, features).run();
}

void Means::find(std::size_t stage, const float* features, const float* y, std::size_t height, std::size_t width, std::size_t first,
                 std::size_t last, float* means) const {
  Finding(*this, stage, features, y, height, width, first, last, means).all();
}

void Means::draft(std::size_t stage, const float* features, const float* y, std::size_t height, std::size_t width, std::size_t first,
                  std::size_t last, float* means) const {
  Finding(*this, stage, features, y, height, width, first, last, means).draft();
}

#endif

}  // namespace lic
