// libFuzzer target of synthesis.hpp, scales.hpp and means.hpp, built and run as that of rangecoder.hpp: see fuzz_rangecoder.cc.
//
// An input: rows and columns, 2 bytes; the bits of latents, levels, features and magnitudes as floating-point numbers, whatever they are.
// A picture and a context of numbers must come out, and indexes of 0 to 63; means of numbers that are some. The layers' own numbers are random and the same every time:
// those of a release are checked by a hash.
#include <cmath>

#include "kernels.hpp"
#include "random_layers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6) return 0;
  static const lic::Synthesis synthesis = make_synthesis();
  static const lic::Scales scales = make_scales(3);
  static const lic::Means means = make_means({8, 32, 128, 3});
  const std::size_t height = 1 + data[0] % 6, width = 1 + data[1] % 20;
  const std::size_t stage = data[0] / 6 % 3;
  data += 2, size -= 2;
  std::size_t at = 0;
  const auto numbers = [&](std::size_t n) {
    std::vector<float> made(n);
    for (float& number : made) std::memcpy(&number, data + at++ * 3 % (size - 3), sizeof(number));
    return made;
  };
  const auto latents = numbers(lic::Synthesis::kLatents * height * width), level = numbers(height * width);
  std::vector<float> picture(lic::Synthesis::kPlanes * 64 * height * width), context(lic::Synthesis::kContext * 4 * height * width);
  lic::kernels().draw(synthesis, latents.data(), level.data(), height, width, picture.data(), context.data());
  for (const float number : picture) require(std::isfinite(number));
  for (const float number : context) require(std::isfinite(number));

  const std::size_t rows = 2 * ((height + 1) / 2), columns = 2 * ((width + 1) / 2);
  const auto features = numbers(lic::Stage::kFeatures * rows * columns), magnitudes = numbers(lic::Stage::kLatents * rows * columns);
  const auto levels = numbers(rows * columns);
  std::vector<std::uint8_t> index(scales.stages[stage].passes() * lic::Stage::kLatents * rows * columns / 4, 255);
  lic::kernels().find(scales.stages[stage], features.data(), levels.data(), magnitudes.data(), rows, columns, index.data());
  for (const std::uint8_t number : index) require(number < 64);

  const auto any = numbers(lic::Hyper::kLatents * height * width);
  std::vector<float> ascended(16 * lic::Hyper::kFeatures * height * width, -1);
  lic::kernels().ascend(scales.hyper, any.data(), height, width, ascended.data());
  for (const float number : ascended) require(number >= 0 && number < 256);

  const lic::Means::Sizes& sizes = means.sizes;
  const std::size_t down = 4 * ((height + 3) / 4), across = 4 * ((width + 3) / 4), places = down * across;
  const auto some = [&](std::size_t n) {
    auto made = numbers(n);
    for (float& number : made) number = std::isfinite(number) ? std::clamp(number, -1e4f, 1e4f) : 0.0f;
    return made;
  };
  const auto hyper = some(sizes.hyper_latents * places / 16), y = some(sizes.latents * places), steps = numbers(places);
  std::vector<float> known(sizes.features * places), found(sizes.passes(stage) * sizes.latents * places / 4);
  means.begin(hyper.data(), steps.data(), down, across, known.data());
  means.find(stage, known.data(), y.data(), down, across, found.data());
  for (const float number : found) require(std::isfinite(number));
  return 0;
}
