// libFuzzer target of synthesis.hpp and scales.hpp, built and run as that of rangecoder.hpp: see fuzz_rangecoder.cc.
//
// An input: rows and columns, 2 bytes; the bits of latents, levels, features and magnitudes as floating-point numbers, whatever they are.
// A picture and a context of numbers must come out, and indexes of 0 to 63. The layers' own numbers are random and the same every time:
// those of a release are checked by a hash.
#include <cmath>
#include <cstdlib>
#include <random>

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
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
      data.insert(data.end(), bytes, bytes + sizeof(T));
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

  std::mt19937 random{1};
  std::vector<std::uint8_t> data;
};

lic::Synthesis make_synthesis() {
  using S = lic::Synthesis;
  File file;
  file.put<float>(S::kAnchors * (S::kLatents + S::kFine + S::kContext), [&] { return static_cast<float>(file.random() % 100) / 50 - 1; });
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
  File file;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    const std::size_t passes = lic::Scales::passes_of(stage, stages);
    file.layer(S::kFeatures, S::inputs(stage > 0)), file.layer(S::kFeatures, 9), file.layer(S::kFeatures, S::kFeatures);
    file.layer(S::kFeatures, 9);
    for (std::size_t quarter = 0; quarter < S::kGroups * passes; ++quarter) {
      file.put<std::int32_t>(1, [&] { return file.random(); });
      file.layer(S::kOfGroup, S::kFeatures);
    }
    file.put<std::int32_t>(passes * S::kLatents * S::kAnchors, [&] { return file.random() % 4001; });
  }
  require(file.data.size() == lic::Scales::bytes(stages));
  return lic::Scales(lic::Numbers(file.data.data()), stages);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6 || !lic::Synthesis::fast() || !lic::Stage::fast()) return 0;
  static const lic::Synthesis synthesis = make_synthesis();
  static const lic::Scales scales = make_scales(3);
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
  synthesis.draw(latents.data(), level.data(), height, width, picture.data(), context.data());
  for (const float number : picture) require(std::isfinite(number));
  for (const float number : context) require(std::isfinite(number));

  const std::size_t rows = 2 * ((height + 1) / 2), columns = 2 * ((width + 1) / 2);
  const auto features = numbers(lic::Stage::kFeatures * rows * columns), magnitudes = numbers(lic::Stage::kLatents * rows * columns);
  const auto levels = numbers(rows * columns);
  std::vector<std::uint8_t> index(scales.stages[stage].passes() * lic::Stage::kLatents * rows * columns / 4, 255);
  scales.stages[stage].find(features.data(), levels.data(), magnitudes.data(), rows, columns, index.data());
  for (const std::uint8_t number : index) require(number < 64);
  return 0;
}
