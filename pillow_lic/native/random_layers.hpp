// Layers of random numbers, the same every time, for programs that check what is done with layers.
#pragma once

#include <cstdlib>
#include <random>

#include "analysis.hpp"
#include "detail.hpp"
#include "draft.hpp"
#include "gradient.hpp"
#include "hyper_analysis.hpp"
#include "means.hpp"
#include "scales.hpp"
#include "synthesis.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// A file of layers, written as `Numbers` reads it.
class File {
 public:
  template <typename T, typename Make>
  void put(std::size_t n, const Make& make) {
    for (std::size_t i = 0; i < n; ++i) {
      const T value = static_cast<T>(make());
      std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t> bits;
      std::memcpy(&bits, &value, sizeof(T));
      for (std::size_t k = 0; k < sizeof(T); ++k) data.push_back(static_cast<std::uint8_t>(bits >> 8 * k));
    }
  }
  void layer(std::size_t outputs, std::size_t inputs) {
    put<std::int32_t>(outputs, [&] { return static_cast<std::int32_t>(random()) >> 12; });
    put<std::int32_t>(outputs, [&] { return 5 + random() % 9; });
    weights(outputs * inputs);
  }
  void weights(std::size_t n) {
    put<lic::Feature>(n, [&] { return static_cast<std::int32_t>(random() % 4001) - 2000; });
  }
  void block(std::size_t channels) {
    layer(channels, channels), layer(channels, 25), layer(channels, channels), layer(2 * channels, channels), layer(channels, 2 * channels);
  }
  void real(std::size_t outputs, std::size_t inputs) {
    put<float>(outputs, [&] { return static_cast<float>(random() % 100) / 50 - 1; });
    put<std::uint16_t>(outputs * inputs, [&] { return 0x2000 + (random() & 0x83ff); });  // about 1/64
  }
  void real_block(std::size_t side, std::size_t channels) {
    real(channels, channels), real(channels, side * side), real(channels, channels), real(2 * channels, channels), real(channels, 2 * channels);
  }

  std::mt19937 random{1};
  std::vector<std::uint8_t> data;
};

lic::Synthesis make_synthesis() {
  using S = lic::Synthesis;
  File file;
  file.put<float>(lic::kAnchors * (S::kLatents + S::kFine + S::kContext), [&] { return static_cast<float>(file.random() % 100) / 50 - 1; });
  file.layer(S::kCoarse, S::kLatents), file.block(S::kCoarse), file.layer(4 * S::kFine, S::kCoarse);
  for (std::size_t i = 0; i < S::kBlocks; ++i) file.block(S::kFine);
  file.layer(S::kContext, S::kFine);
  file.put<std::int32_t>(S::kPlanes * S::kSquare, [&] { return file.random(); });
  file.weights(S::kPlanes * S::kSquare * (S::kFine + 4 * S::kLatents));
  require(file.data.size() == S::kBytes);
  return S(lic::Numbers(file.data.data()));
}

lic::Scales make_scales(std::size_t stages) {
  using S = lic::Stage;
  using H = lic::Hyper;
  File file;
  file.layer(H::kWidth, H::kLatents), file.layer(H::kWidth, 9);
  for (std::size_t place = 0; place < 4; ++place) file.layer(H::kWidth, H::kWidth);
  file.layer(H::kWidth, 9);
  for (std::size_t place = 0; place < 4; ++place) file.layer(H::kFeatures, H::kWidth);
  for (std::size_t stage = 0; stage < stages; ++stage) {
    const std::size_t passes = lic::Scales::passes_of(stage, stages);
    file.layer(S::kFeatures, S::inputs(stage > 0)), file.layer(S::kFeatures, 9), file.layer(S::kFeatures, S::kFeatures);
    file.layer(S::kFeatures, 9);
    for (std::size_t quarter = 0; quarter < S::kGroups * passes; ++quarter) {
      file.put<std::int32_t>(1, [&] { return quarter % S::kGroups ^ (stage + quarter / S::kGroups); });
      file.layer(S::kOfGroup, S::kFeatures);
    }
    file.put<std::int32_t>(passes * S::kLatents * lic::kAnchors, [&] { return file.random() % 4001; });
  }
  require(file.data.size() == lic::Scales::bytes(stages));
  return lic::Scales(lic::Numbers(file.data.data()), stages);
}

lic::Means make_means(const lic::Means::Sizes& sizes) {
  using M = lic::Means;
  File file;
  file.put<std::uint32_t>(1, [&] { return sizes.features; });
  for (const std::size_t inputs : {sizes.hyper_latents, sizes.features})
    for (std::size_t place = 0; place < 4; ++place) file.real(sizes.features, inputs);
  file.put<float>(lic::kAnchors * sizes.features, [&] { return static_cast<float>(file.random() % 100) / 50 - 1; });
  file.real_block(M::kFirstSide, sizes.features);
  for (std::size_t stage = 0, pass = 0; stage < sizes.stages; ++stage) {
    if (stage) file.real(sizes.features, sizes.features + sizes.latents);
    file.real_block(M::kSide, sizes.features);
    for (std::size_t turn = 0; turn < sizes.passes(stage); ++turn, ++pass)
      for (std::size_t group = 0; group < M::kGroups; ++group) {
        file.put<std::int32_t>(1, [&] { return group ^ pass; });
        file.real(sizes.group(), sizes.features);
      }
  }
  require(file.data.size() == sizes.bytes());
  return M(lic::Numbers(file.data.data()), sizes);
}

lic::Analysis make_analysis(const lic::Analysis::Sizes& sizes) {
  using A = lic::Analysis;
  File file;
  file.layer(sizes.channels, A::kInputs);
  for (std::size_t i = 0; i < sizes.blocks; ++i) file.block(sizes.channels);
  if (sizes.channels != sizes.features) file.layer(sizes.features, sizes.channels);
  file.layer(sizes.latents, 4 * A::kInputs);
  require(file.data.size() == sizes.bytes());
  return A(lic::Numbers(file.data.data()), sizes);
}

lic::Latents make_latents(const lic::Latents::Sizes& sizes) {
  using L = lic::Latents;
  File file;
  file.put<float>(lic::kAnchors * (sizes.features + sizes.latents), [&] { return static_cast<float>(file.random() % 100) / 50 - 1; });
  file.layer(sizes.channels, 4 * sizes.features);
  for (std::size_t i = 0; i < L::kBlocks; ++i) file.block(sizes.channels);
  file.layer(sizes.latents, sizes.channels);
  require(file.data.size() == sizes.bytes());
  return L(lic::Numbers(file.data.data()), sizes);
}

lic::HyperAnalysis make_hyper_analysis(const lic::HyperAnalysis::Sizes& sizes) {
  File file;
  file.real(sizes.channels, sizes.latents), file.real_block(lic::HyperAnalysis::kSide, sizes.channels);
  file.real(sizes.channels, 4 * sizes.channels), file.real(sizes.hyper_latents, 4 * sizes.channels);
  require(file.data.size() == sizes.bytes());
  return lic::HyperAnalysis(lic::Numbers(file.data.data()), sizes);
}

lic::Draft make_draft(const lic::Draft::Sizes& sizes) {
  File file;
  file.put<float>(lic::kAnchors * sizes.latents, [&] { return static_cast<float>(file.random() % 100) / 20; });
  file.layer(sizes.outputs(), sizes.inputs());
  require(file.data.size() == sizes.bytes());
  return lic::Draft(lic::Numbers(file.data.data()), sizes);
}

// Its weights are so small that no sum overflows.
lic::ErrorGradient make_gradient(const lic::ErrorGradient::Sizes& sizes) {
  using G = lic::ErrorGradient;
  File file;
  file.put<float>(lic::kAnchors, [&] { return static_cast<float>(file.random() % 100) / 200; });
  file.put<float>(lic::kAnchors * sizes.latents, [&] { return static_cast<float>(file.random() % 100) / 50 - 1; });
  file.put<std::int32_t>(sizes.latents, [&] { return static_cast<std::int32_t>(file.random()) >> 12; });
  file.put<std::int32_t>(sizes.latents, [&] { return 5 + file.random() % 9; });
  file.put<lic::Feature>(sizes.latents * G::kInputs, [&] { return static_cast<std::int32_t>(file.random() % 1001) - 500; });
  require(file.data.size() == sizes.bytes());
  return G(lic::Numbers(file.data.data()), sizes);
}

lic::Detail make_detail() {
  std::mt19937 random{1};
  std::vector<float> numbers(lic::Detail::kNumbers);
  for (float& number : numbers) number = static_cast<float>(static_cast<int>(random() % 2001) - 1000) * 2e-4f;
  for (std::size_t k = 0; k < lic::kAnchors; ++k) numbers[k] -= 3;
  return lic::Detail(numbers.data());
}

}  // namespace
