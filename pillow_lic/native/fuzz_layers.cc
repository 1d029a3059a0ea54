// libFuzzer target of synthesis.hpp, scales.hpp, detail.hpp, draft.hpp, analysis.hpp, gradient.hpp, hyper_analysis.hpp and means.hpp, built and run as that of the range coder: see fuzz_rangecoder.cc.
//
// An input: rows and columns, a stage and kernels, 2 bytes; the bits of latents, levels, features, magnitudes, pixels and context as
// floating-point numbers, whatever they are. A picture, a context and means of numbers must come out, features of 8 bits, indexes of 0 to 63 and
// colours in sixteenths of 255 levels, of a part of latents too, the same from two of the kernels. The layers' own numbers are random and the
// same every time: those of a release are checked by a hash.
#include <cmath>

#include "kernels.hpp"
#include "random_layers.hpp"

namespace {

// What the quickest kernels compute, which those number `other` must too.
template <typename Compute>
auto by_both(std::size_t other, const Compute& compute) {
  const auto& all = lic::all_kernels();
  const auto found = compute(*all.front()), same = compute(*all[other % all.size()]);
  for (std::size_t i = 0; i < found.size(); ++i) require(found[i] == same[i]);
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6) return 0;
  static const lic::Synthesis synthesis = make_synthesis();
  static const lic::Scales scales = make_scales(3);
  static const lic::Detail layers = make_detail();
  static const lic::Means means = make_means({16, 32, 128, 3});
  const std::size_t height = 1 + data[0] % 6, width = 1 + data[1] % 20;
  const std::size_t stage = data[0] / 6 % 3, other = data[1] / 20;
  data += 2, size -= 2;
  std::size_t at = 0;
  const auto numbers = [&](std::size_t n) {
    std::vector<float> made(n);
    for (float& number : made) std::memcpy(&number, data + at++ * 3 % (size - 3), sizeof(number));
    return made;
  };
  const auto latents = numbers(lic::Synthesis::kLatents * height * width), level = numbers(height * width);
  const std::size_t drawn = lic::Synthesis::kPlanes * 64 * height * width;
  const auto picture = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<float> both(drawn + lic::Synthesis::kContext * 4 * height * width);
    kernels.draw(synthesis, latents.data(), level.data(), height, width, both.data(), both.data() + drawn);
    return both;
  });
  for (const float number : picture) require(std::isfinite(number));

  const std::size_t rows = 2 * ((height + 1) / 2), columns = 2 * ((width + 1) / 2);
  const auto features = numbers(lic::Stage::kFeatures * rows * columns);
  std::vector<std::uint8_t> magnitudes(lic::Stage::kLatents * rows * columns);
  for (std::uint8_t& magnitude : magnitudes) magnitude = data[at++ % size];
  const auto levels = numbers(rows * columns);
  const auto index = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<std::uint8_t> index(scales.stages[stage].passes() * lic::Stage::kLatents * rows * columns / 4, 255);
    const std::size_t middle = rows / 4;
    kernels.find(scales.stages[stage], features.data(), levels.data(), magnitudes.data(), rows, columns, 0, middle, index.data());
    kernels.find(scales.stages[stage], features.data(), levels.data(), magnitudes.data(), rows, columns, middle, rows / 2, index.data());
    return index;
  });
  for (const std::uint8_t number : index) require(number < 64);

  const auto any = numbers(lic::Hyper::kLatents * height * width);
  const auto ascended = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<float> ascended(16 * lic::Hyper::kFeatures * height * width, -1);
    kernels.ascend(scales.hyper, any.data(), height, width, ascended.data());
    return ascended;
  });
  for (const float number : ascended) require(number >= 0 && number < 256);

  const auto pixels = numbers(lic::Detail::kPlanes * 64 * height * width), context = numbers(lic::Detail::kHidden * 4 * height * width);
  const std::size_t top = height / 2, left = width / 3, inner_rows = (height - top + 1) / 2, inner_columns = (width - left + 1) / 2;
  const auto colours = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<std::uint16_t> colours(16 * inner_rows * 48 * inner_columns, 65535);
    kernels.refine(layers, {pixels.data(), context.data(), level.data(), 8 * height, 8 * width},
                   {8 * top, 8 * left, 8 * inner_rows, 8 * inner_columns}, colours.data(), 48 * inner_columns);
    return colours;
  });
  for (const std::uint16_t number : colours) require(number <= 255 << 4);

  const auto painted = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<std::uint16_t> made(colours.size(), 65535);
    kernels.paint(synthesis, layers, latents.data(), level.data(), height, width, {8 * top, 8 * left, 8 * inner_rows, 8 * inner_columns},
                  made.data(), 48 * inner_columns);
    return made;
  });
  for (std::size_t i = 0; i < painted.size(); ++i) require(painted[i] <= 255 << 4);

  static const lic::Analysis analysis = make_analysis({32, 2, 48, 64});
  static const lic::Latents network = make_latents({48, 32, 64});
  const std::size_t square = height * width;
  std::vector<std::uint8_t> shown(768 * square);
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = data[i % size];
  const lic::Stretch part{height / 3, height - height / 4, height, width};
  const auto found_latents = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<lic::Feature> trunk(4 * 48 * square);
    std::vector<float> both(2 * 64 * square);
    kernels.analyse(analysis, shown.data(), {0, height, height, width}, trunk.data(), both.data());
    kernels.find_latents(network, trunk.data(), both.data(), level.data(), part, both.data() + 64 * square);
    return both;
  });
  for (const float number : found_latents) require(std::isfinite(number));

  static const lic::Draft head = make_draft({32, 16, 4});
  by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<std::uint8_t> drafted(48 * square);
    kernels.draft(head, latents.data(), level.data(), {0, part.first, height, width}, drafted.data());
    kernels.draft(head, latents.data(), level.data(), {part.first, height, height, width}, drafted.data());
    return drafted;
  });

  static const lic::ErrorGradient gradient = make_gradient({48});
  const std::size_t tall = 16 * height - size % 16, wide = 16 * width - data[0] % 16;
  const auto found_gradient = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<float> made(48 * square);
    const std::vector<std::uint8_t> wanted(shown.rbegin(), shown.rend());
    kernels.find_gradient(gradient, shown.data(), wanted.data(), tall, wide, level.data(), part, made.data());
    return made;
  });
  for (const float number : found_gradient) require(std::isfinite(number));

  const lic::Means::Sizes& sizes = means.sizes;
  const std::size_t down = 4 * ((height + 3) / 4), across = 4 * ((width + 3) / 4), places = down * across;
  const auto hyper = numbers(sizes.hyper_latents * places / 16), y = numbers(sizes.latents * places), steps = numbers(places);
  const lic::Stretch parts[2] = {{0, down / 4, down, across}, {down / 4, down / 2, down, across}};
  const auto found_means = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<float> known(sizes.features * places), both;
    kernels.begin_means(means, hyper.data(), steps.data(), down, across, known.data());
    for (const auto run : {kernels.find_means, kernels.draft_means}) {
      std::vector<float> found(sizes.passes(stage) * sizes.latents * places / 4);
      for (const lic::Stretch& part : parts) run(means, stage, known.data(), y.data(), part, found.data());
      both.insert(both.end(), found.begin(), found.end());
    }
    return both;
  });
  for (const float number : found_means) require(std::isfinite(number));

  static const lic::HyperAnalysis descent = make_hyper_analysis({128, 32, 16});
  const auto latents_below = numbers(128 * places);
  const auto below = by_both(other, [&](const lic::Kernels& kernels) {
    std::vector<float> found(places);  // of 16 for 4x4 places
    kernels.descend(descent, latents_below.data(), {0, down, down, across}, found.data());
    return found;
  });
  for (const float number : below) require(std::fabs(number) <= 127);
  return 0;
}
