// means.hpp: rows of hyper-latents, features and latents on their way to means, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "means.hpp"
#include "rounded_rows.hpp"

namespace lic {

namespace {

// Rows of hyper-latents on their way to features.
class Beginning {
 public:
  Beginning(const Means& network, const float* hyper_latents, const float* level, std::size_t height, std::size_t width, float* features)
      : network_(network), hyper_latents_(hyper_latents), level_(level), height_(height), width_(width), features_(features),
        half_(width / 2 * network.sizes.features), body_(network.start, width),
        seen_(width / 4, network.sizes.hyper_latents), halved_(width / 2, network.sizes.features) {}

  LIC_PRODUCT void run() {
    const std::size_t features = network_.sizes.features, inputs = network_.sizes.hyper_latents, across = width_ / 4;
    for (std::size_t y = 0; y < height_ / 4; ++y) {
      seen_.take(Planes{hyper_latents_ + y * across, height_ / 4 * across, 1}, inputs, across);
      for (std::size_t row = 0; row < 2; ++row) {
        for (std::size_t column = 0; column < 2; ++column)
          apply(network_.first[2 * row + column], seen_, across, &half_[column * features], 2 * features, BendReals{});
        halved_.take(Places{half_.data(), features}, features, width_ / 2);
        for (std::size_t half = 0; half < 2; ++half) enter(4 * y + 2 * row + half, half);
      }
    }
    for (std::size_t edge = 0; edge < Means::kFirstSide / 2; ++edge) leave(body_.push(false));
  }

 private:
  // Row y, the upper or lower half of the row of half as many places.
  LIC_PRODUCT void enter(std::size_t y, std::size_t half) {
    const std::size_t features = network_.sizes.features;
    float* row = body_.next();
    for (std::size_t column = 0; column < 2; ++column)
      apply(network_.second[2 * half + column], halved_, width_ / 2, row + column * features, 2 * features, PutReals{});
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
  std::vector<float> half_;  // of a row
  RoundedPassage body_;
  RoundedRow seen_, halved_;
};

// Rows of features on their way to the means of a stage, of all groups or only of the first.
class Finding {
 public:
  Finding(const Means& network, std::size_t stage, const float* features, const float* y, const Stretch& stretch, float* means)
      : network_(network), stage_(network.stages[stage]), passes_(stage), features_(features), latents_(y), stretch_(stretch), means_(means),
        left_(stretch.width / 2 * network.sizes.group()), begin_(2 * stretch.first > kEdge ? 2 * stretch.first - kEdge : 0),
        end_(std::min(2 * stretch.last + kEdge, stretch.height)), body_(stage_.body, stretch.width, 2 * stretch.first - begin_),
        known_(stretch.width / 2, std::max(network.sizes.features, network.sizes.group())), done_(2 * stretch.first) {}

  LIC_PRODUCT void all() {
    run(Means::kGroups, [&] {
      const float* row = body_.push(true);
      if (row) leave_all(row);
    }, [&] { leave_all(body_.push(false)); });
  }

  LIC_PRODUCT void draft() {
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
    while (done_ < 2 * stretch_.last) last();
  }

  // Row y, of which only so many groups of latents are looked at.
  LIC_PRODUCT void enter(std::size_t y, std::size_t groups) {
    const std::size_t features = network_.sizes.features, group = network_.sizes.group(), width = stretch_.width, plane = stretch_.height * width;
    const float* from = features_ + y * width * features;
    float* row = body_.next();
    if (stage_.context.empty()) {
      std::copy_n(from, width * features, row);
      return;
    }
    for (std::size_t column = 0; column < 2; ++column) {
      float* to = row + column * features;
      known_.take(Places{from + column * features, 2 * features}, features, width / 2);
      apply(stage_.context[0], known_, width / 2, to, 2 * features, PutReals{});
      const std::vector<std::size_t>& coded = network_.known[y % 2 * 2 + column];
      for (std::size_t pass = 0; pass < passes_; ++pass) {
        if (coded[pass] >= groups) continue;
        known_.take(Planes{latents_ + coded[pass] * group * plane + y * width + column, plane, 2}, group, width / 2);
        apply(stage_.context[1 + coded[pass]], known_, width / 2, to, 2 * features, AddReals{});
      }
    }
  }

  LIC_PRODUCT void leave_all(const float* row) {
    const std::size_t features = network_.sizes.features;
    for (std::size_t column = 0; column < 2; ++column) {
      known_.take(Places{row + column * features, 2 * features}, features, stretch_.width / 2);
      for (std::size_t number = 0; number < stage_.leave.size(); ++number)
        if (stage_.leave[number].place == done_ % 2 * 2 + column) put(stage_.leave[number].layer, number);
    }
    ++done_;
  }

  LIC_PRODUCT void leave_first() {
    const std::size_t features = network_.sizes.features;
    for (std::size_t number = 0; number < stage_.leave.size(); number += Means::kGroups) {
      const std::size_t place = stage_.leave[number].place;
      if (place / 2 != done_ % 2) continue;
      known_.take(Places{body_.every_other(place % 2), features}, features, stretch_.width / 2);
      put(stage_.leave[number].layer, number / Means::kGroups);
    }
    ++done_;
  }

  // The means of a group, the number of these in the array.
  LIC_PRODUCT void put(const RoundedLayer& layer, std::size_t number) {
    const std::size_t group = network_.sizes.group(), across = stretch_.width / 2, plane = stretch_.height / 2 * across;
    apply(layer, known_, across, left_.data(), group, PutReals{});
    planes_of(left_.data(), group, across, means_ + number * group * plane + done_ / 2 * across, plane);
  }

  const Means& network_;
  const Means::Stage& stage_;
  std::size_t passes_;  // that are known
  const float *features_, *latents_;
  Stretch stretch_;  // of cells, in a picture whose height and width are of places
  float* means_;
  std::vector<float> left_;  // of a row, at every other place
  std::size_t begin_, end_;  // rows that are looked at
  RoundedPassage body_;
  RoundedRow known_;
  std::size_t done_;  // rows that are left
};

}  // namespace

}  // namespace lic
