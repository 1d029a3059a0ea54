// The table of kernels.hpp, compiled for the instruction set that a translation unit names.
#pragma once

#include "analysis_rows.hpp"
#include "canvas.hpp"
#include "draft_rows.hpp"
#include "filter_rows.hpp"
#include "gradient_rows.hpp"
#include "hyper_analysis_rows.hpp"
#include "kernels.hpp"
#include "means_rows.hpp"
#include "search.hpp"

namespace lic {

namespace {

LIC_PRODUCT void draw(const Synthesis& network, const float* latents, const float* level, std::size_t height, std::size_t width,
                      float* picture, float* context) {
  WholeSink sink{picture, context, height, width};
  const Reach rows({0, 2 * height}, height), columns({0, 2 * width}, width);
  Course<WholeSink>(network, latents, level, height, width, rows, columns, sink).run();
}

LIC_PRODUCT void analyse(const Analysis& network, const std::uint8_t* pixels, const Stretch& stretch, Feature* trunk, float* linear) {
  AnalysisRows(network, pixels, stretch, trunk, linear).run();
}

LIC_PRODUCT void find_latents(const Latents& network, const Feature* trunk, const float* linear, const float* level, const Stretch& stretch,
                              float* y) {
  LatentRows(network, trunk, linear, level, stretch, y).run();
}

LIC_PRODUCT void descend(const HyperAnalysis& network, const float* y, const Stretch& stretch, float* hyper_latents) {
  Descent(network, y, stretch, hyper_latents).run();
}

LIC_PRODUCT void draft(const Draft& network, const float* latents, const float* level, const Stretch& stretch, std::uint8_t* pixels) {
  DraftRows(network, latents, level, stretch, pixels).run();
}

LIC_PRODUCT void find_gradient(const ErrorGradient& network, const std::uint8_t* shown, const std::uint8_t* wanted, std::size_t height, std::size_t width,
                               const float* level, const Stretch& stretch, float* gradient) {
  GradientRows(network, {shown, wanted, height, width}, level, stretch, gradient).run();
}

LIC_PRODUCT void ascend(const Hyper& network, const float* latents, std::size_t height, std::size_t width, float* features) {
  Ascent(network, latents, height, width, features).run();
}

LIC_PRODUCT void find(const Stage& stage, const float* features, const float* level, const std::uint8_t* magnitudes, std::size_t height,
                      std::size_t width, std::size_t first, std::size_t last, std::uint8_t* index) {
  Search(stage, features, level, magnitudes, height, width, first, last, index).run();
}

LIC_PRODUCT void begin_means(const Means& network, const float* hyper_latents, const float* level, std::size_t height, std::size_t width,
                             float* features) {
  Beginning(network, hyper_latents, level, height, width, features).run();
}

LIC_PRODUCT void find_means(const Means& network, std::size_t stage, const float* features, const float* y, const Stretch& stretch, float* means) {
  Finding(network, stage, features, y, stretch, means).all();
}

LIC_PRODUCT void draft_means(const Means& network, std::size_t stage, const float* features, const float* y, const Stretch& stretch, float* means) {
  Finding(network, stage, features, y, stretch, means).draft();
}

LIC_PRODUCT void refine(const Detail& layers, const Seen& seen, const Cells& inside, std::uint16_t* out, std::size_t stride) {
  const Whole whole{seen};
  Way<Whole>(layers, whole, seen.level, seen.height, seen.width, inside, out, stride).advance(seen.height);
}

}  // namespace

}  // namespace lic
