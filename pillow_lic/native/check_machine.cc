// What this machine computes, as a hash for each part: the same on every machine, whatever its processor, compiler and C library.
// tests/run_machines.sh builds and runs it for several. Of layers every set of kernels is asked, or those that arguments name; ends with 1
// where two differ.
#include <cinttypes>
#include <cstdio>
#include <functional>

#include "bitplanes.hpp"
#include "filter_sums.hpp"
#include "kernels.hpp"
#include "predictor.hpp"
#include "random_layers.hpp"
#include "symbol_decoder.hpp"
#include "symbol_encoder.hpp"
#include "trellis.hpp"

namespace {

std::mt19937 random_numbers(7);

// FNV-1a.
class Hash {
 public:
  template <typename T>
  void add(const std::vector<T>& numbers) {
    for (const T& number : numbers) {
      std::conditional_t<sizeof(T) == 8, std::uint64_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint8_t>>> bits;
      std::memcpy(&bits, &number, sizeof(T));
      for (std::size_t k = 0; k < sizeof(T); ++k) value = (value ^ (static_cast<std::uint64_t>(bits) >> 8 * k & 0xFF)) * 1099511628211u;
    }
  }

  std::uint64_t value = 14695981039346656037u;
};

template <typename T, typename Make>
std::vector<T> made(std::size_t n, const Make& make) {
  std::vector<T> numbers(n);
  for (T& number : numbers) number = static_cast<T>(make(random_numbers()));
  return numbers;
}

// Numbers of every size.
float any(std::uint32_t random) { return static_cast<float>(static_cast<std::int32_t>(random)) / static_cast<float>(1u << random % 32); }

bool same = true;

void print(const char* part, std::uint64_t hash) { std::printf("%-13s %016" PRIx64 "\n", part, hash); }

std::vector<const char*> asked;  // the names of sets of kernels

// What is computed by all of them.
void by_kernels(const char* part, const std::function<void(Hash&)>& compute) {
  std::uint64_t first = 0;
  for (const char* name : asked) {
    lic::use_kernels(name);
    Hash hash;
    compute(hash);
    if (name == asked.front()) first = hash.value;
    if (hash.value == first) continue;
    same = false;
    std::printf("%s: %s differs from %s\n", part, name, asked.front());
  }
  print(part, first);
}

void check_synthesis(const char* part, float (*latent)(std::uint32_t), float (*level_of)(std::uint32_t)) {
  static const lic::Synthesis network = make_synthesis();
  const std::size_t height = 3, width = 21;
  const auto latents = made<float>(lic::Synthesis::kLatents * height * width, latent), level = made<float>(height * width, level_of);
  by_kernels(part, [&](Hash& hash) {
    std::vector<float> picture(lic::Synthesis::kPlanes * 64 * height * width), context(lic::Synthesis::kContext * 4 * height * width);
    lic::kernels().draw(network, latents.data(), level.data(), height, width, picture.data(), context.data());
    hash.add(picture), hash.add(context);
  });
}

void check_canvas() {
  const lic::Synthesis network = make_synthesis();
  const lic::Detail layers = make_detail();
  const std::size_t height = 9, width = 22;
  const auto latents = made<float>(lic::Synthesis::kLatents * height * width, [](std::uint32_t r) { return static_cast<float>(static_cast<int>(r % 2001) - 1000) * 1e-4f; });
  const auto level = made<float>(height * width, [](std::uint32_t r) { return static_cast<float>(r % 1025); });
  by_kernels("canvas", [&](Hash& hash) {
    std::vector<std::uint16_t> out(16 * height * 48 * width);
    for (const lic::Cells& inside : {lic::Cells{0, 0, 8 * height, 8 * width}, lic::Cells{8, 16, 24, 80}, lic::Cells{56, 8, 16, 160}}) {
      lic::kernels().paint(network, layers, latents.data(), level.data(), height, width, inside, out.data(), 48 * width);
      hash.add(out);
    }
  });
}

void check_scales() {
  const lic::Scales scales = make_scales(3);
  const std::size_t height = 6, width = 26, places = height * width;
  const auto latents = made<float>(lic::Hyper::kLatents * 2 * 7, [](std::uint32_t r) { return static_cast<int>(r % 255) - 127; });
  by_kernels("hyper", [&](Hash& hash) {
    std::vector<float> made(lic::Hyper::kFeatures * 16 * 2 * 7);
    lic::kernels().ascend(scales.hyper, latents.data(), 2, 7, made.data());
    hash.add(made);
  });
  const auto features = made<float>(lic::Stage::kFeatures * places, [](std::uint32_t r) { return r % 256; });
  const auto level = made<float>(places, [](std::uint32_t r) { return r % 1025; });
  const auto magnitudes = made<std::uint8_t>(lic::Stage::kLatents * places, [](std::uint32_t r) { return r % 9; });
  by_kernels("scales", [&](Hash& hash) {
    for (const lic::Stage& stage : scales.stages) {
      std::vector<std::uint8_t> index(stage.passes() * lic::Stage::kLatents * places / 4);
      for (const std::size_t first : {0, 1})  // of three rows
        lic::kernels().find(stage, features.data(), level.data(), stage.takes_magnitudes() ? magnitudes.data() : nullptr, height, width, first,
                            1 + 2 * first, index.data());
      hash.add(index);
    }
  });
}

void check_means(const char* part, float (*latent)(std::uint32_t), float (*level_of)(std::uint32_t)) {
  static const lic::Means network = make_means({16, 32, 128, 3});
  const std::size_t height = 8, width = 44, places = height * width;
  const auto latents = made<float>(network.sizes.hyper_latents * places / 16, latent), y = made<float>(network.sizes.latents * places, latent);
  const auto level = made<float>(places, level_of);
  by_kernels(part, [&](Hash& hash) {
    std::vector<float> features(network.sizes.features * places);
    lic::kernels().begin_means(network, latents.data(), level.data(), height, width, features.data());
    hash.add(features);
    for (std::size_t stage = 0; stage < network.sizes.stages; ++stage) {
      std::vector<float> means(network.sizes.passes(stage) * network.sizes.latents * places / 4);
      const lic::Stretch parts[2] = {{0, 1, height, width}, {1, 4, height, width}};
      for (const lic::Stretch& rows : parts) lic::kernels().find_means(network, stage, features.data(), y.data(), rows, means.data());
      hash.add(means);
      means.resize(means.size() / lic::Means::kGroups);
      for (const lic::Stretch& rows : parts) lic::kernels().draft_means(network, stage, features.data(), y.data(), rows, means.data());
      hash.add(means);
    }
  });
}

void check_drafts() {
  const std::size_t height = 5, width = 21;
  const auto latents = made<float>(32 * height * width, [](std::uint32_t r) { return static_cast<float>(static_cast<int>(r % 2001) - 1000) * 1e-2f; });
  const auto level = made<float>(height * width, [](std::uint32_t r) { return r % 3 ? 300.5f : static_cast<float>(r % 1025); });
  by_kernels("drafts", [&](Hash& hash) {
    for (const std::size_t side : {2, 4, 8}) {
      const lic::Draft network = make_draft({32, 16, side});
      std::vector<std::uint8_t> pixels(3 * side * side * height * width);
      for (const lic::Stretch& part : {lic::Stretch{0, 2, height, width}, lic::Stretch{2, height, height, width}})
        lic::kernels().draft(network, latents.data(), level.data(), part, pixels.data());
      hash.add(pixels);
    }
  });
}

void check_encoder() {
  const lic::Analysis analysis = make_analysis({32, 2, 48, 64});
  const lic::Latents network = make_latents({48, 32, 64});
  const std::size_t height = 8, width = 12;
  const auto pixels = made<std::uint8_t>(2 * 768 * height * width, [](std::uint32_t r) { return r; });  // of two pictures
  const auto level = made<float>(height * width, [](std::uint32_t r) { return static_cast<float>(r % 1025); });
  std::vector<float> y(64 * height * width);
  by_kernels("analysis", [&](Hash& hash) {
    std::vector<lic::Feature> trunk(4 * 48 * height * width);
    std::vector<float> linear(y.size());
    for (const lic::Stretch& part : {lic::Stretch{0, 5, height, width}, lic::Stretch{5, height, height, width}}) {
      lic::kernels().analyse(analysis, pixels.data(), part, trunk.data(), linear.data());
      hash.add(trunk), hash.add(linear);
    }
    lic::kernels().find_latents(network, trunk.data(), linear.data(), level.data(), {0, height, height, width}, y.data());
    hash.add(y);
  });
  const lic::ErrorGradient gradient = make_gradient({48});
  by_kernels("gradient", [&](Hash& hash) {
    const std::size_t rows = 16 * height - 5, columns = 16 * width - 7;
    std::vector<float> found(48 * height * width);
    for (const lic::Stretch& part : {lic::Stretch{0, 5, height, width}, lic::Stretch{5, height, height, width}})
      lic::kernels().find_gradient(gradient, pixels.data(), pixels.data() + 768 * height * width, rows, columns, level.data(), part, found.data());
    hash.add(found);
  });
  for (float& number : y) number *= 1e-3f;
  const lic::HyperAnalysis descent = make_hyper_analysis({64, 32, 16});
  by_kernels("hyper-latents", [&](Hash& hash) {
    std::vector<float> hyper_latents(16 * height * width / 16);
    lic::kernels().descend(descent, y.data(), {0, height, height, width}, hyper_latents.data());
    hash.add(hyper_latents);
  });
}

void check_detail() {
  const lic::Detail layers = make_detail();
  const std::size_t height = 16, width = 40;
  const auto picture = made<float>(lic::Detail::kPlanes * height * width, [](std::uint32_t r) { return static_cast<float>(r % 28000) / 100 - 10; });
  const auto context = made<float>(lic::Detail::kHidden * height * width / 16, [](std::uint32_t r) { return static_cast<float>(r % 1000) / 500 - 1; });
  const auto level = made<float>(height * width / 64, [](std::uint32_t r) { return r % 1025; });
  const lic::Seen seen{picture.data(), context.data(), level.data(), height, width};
  by_kernels("detail", [&](Hash& hash) {
    std::vector<std::uint16_t> out(2 * height * 2 * width * 3);
    lic::kernels().refine(layers, seen, {0, 0, height, width}, out.data(), 6 * width);
    lic::kernels().refine(layers, seen, {8, 16, 8, 16}, out.data(), 6 * width);
    hash.add(out);
  });
}

void check_filter() {
  const std::size_t height = 20, width = 45;
  const auto pixels = made<std::uint16_t>(height * width * 3, [](std::uint32_t r) { return r % 3 ? 1000 + r % 200 : r % 4081; });
  lic::Filter filter{{}, {}, {}, 90, 7};
  const auto fill = [](std::int16_t* to, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) to[k] = static_cast<std::int16_t>(static_cast<int>(random_numbers() % 21) - 10);
  };
  fill(&filter.coefficients[0][0][0], sizeof(filter.coefficients) / 2), fill(&filter.directed[0][0], sizeof(filter.directed) / 2);
  fill(&filter.alternating[0][0][0][0], sizeof(filter.alternating) / 2);
  by_kernels("filter", [&](Hash& hash) {
    std::vector<std::uint8_t> out((height - 2) * (width - 3) * 3);
    lic::filtered(pixels.data(), height, width, 3 * width, 1, 3, height - 2, width - 3, filter, out.data(), 3 * (width - 3));
    hash.add(out);
  });
  const auto wanted = made<std::uint8_t>(pixels.size(), [](std::uint32_t r) { return r; });
  std::vector<std::int64_t> sums(lic::kFeatures * (lic::kFeatures + lic::kColours));
  lic::add_sums(pixels.data(), wanted.data(), height, width, 0, height, 1, 90, sums.data());
  Hash hash;
  hash.add(sums);
  print("filter sums", hash.value);
}

void check_symbols() {
  std::vector<std::int16_t> low;
  std::vector<std::uint16_t> sizes, frequencies;
  for (unsigned table = 0; table < 32; ++table) {
    const unsigned size = 3 + 2 * table % 30;
    low.push_back(static_cast<std::int16_t>(-static_cast<int>(size / 2)));
    sizes.push_back(static_cast<std::uint16_t>(size));
    for (unsigned k = 0; k + 1 < size; ++k) frequencies.push_back(static_cast<std::uint16_t>(1 + table * k));
    std::uint32_t rest = 65536;
    for (unsigned k = 0; k + 1 < size; ++k) rest -= 1 + table * k;
    frequencies.push_back(static_cast<std::uint16_t>(rest));
  }
  const lic::Tables tables(low.data(), sizes.data(), low.size(), frequencies.data(), frequencies.size());
  const std::size_t n = 20000;  // several runs of the search
  const auto index = made<std::uint16_t>(n, [](std::uint32_t r) { return r % 16; });
  const auto residuals = made<float>(n, [](std::uint32_t r) { return static_cast<float>(static_cast<int>(r % 4001) - 2000) / 300; });
  const lic::Dependent dependent{8, 16};
  std::vector<std::int16_t> symbols(n);
  std::vector<std::uint16_t> chosen(n);
  std::vector<std::int32_t> values(n), decoded(n);
  lic::quantise({tables, dependent, 8.0f}, residuals.data(), index.data(), n, 0, symbols.data(), chosen.data(), values.data());
  Hash quantised, coded;
  quantised.add(symbols), quantised.add(values);
  print("trellis", quantised.value);
  const std::vector<std::uint8_t> stream = lic::Encoder(tables, 4).run(symbols.data(), chosen.data(), n);
  lic::Decoder decoder(tables, stream.data(), stream.size(), 4);
  decoder.decode(index.data(), dependent, decoded.data(), n);
  decoder.finish();
  coded.add(stream), coded.add(decoded);
  print("range coder", coded.value);
}

void check_bits() {
  const auto starts = made<std::uint16_t>(std::max<std::size_t>(lic::kSymbolContexts, lic::kPredictedContexts + lic::kPredictedTables), [](std::uint32_t r) { return r; });
  const std::size_t channels = 60, rows = 5, columns = 7;
  const auto tops = made<std::uint8_t>(channels, [](std::uint32_t r) { return r % 6; });
  std::vector<std::int8_t> symbols;
  for (std::size_t i = 0; i < channels * rows * columns; ++i) {
    const int size = static_cast<int>(random_numbers() % (1u << tops[i / (rows * columns)]));
    symbols.push_back(static_cast<std::int8_t>(random_numbers() % 2 ? -size : size));
  }
  lic::SymbolPlanes planes(channels, rows, columns, tops.data());
  lic::KnownSymbols known(symbols.data(), channels, rows, columns, planes);
  planes.walk(5 * channels, known);
  lic::BitEncoder encoder(starts.data(), starts.size());
  encoder.write(known.bits.data(), known.contexts.data(), known.bits.size());
  Hash hash;
  hash.add(encoder.stream()), hash.add(known.contexts);
  print("bits", hash.value);

  const std::size_t count = 24, each = 3;
  const std::size_t outputs = (2 + lic::kRowsOfPlane) * count;
  std::vector<std::int32_t> numbers;
  for (std::size_t i = 0; i < lic::SignPredictor::numbers_of(count); ++i) {
    const int r = static_cast<int>(random_numbers() % 256);
    numbers.push_back(i < outputs ? 16 * (r - 128) : i < 2 * outputs ? r % 17 : std::max(-127, r - 128));
  }
  const lic::SignPredictor predictor(numbers.data(), numbers.size(), count);
  const auto counts = made<std::uint8_t>(rows * columns, [](std::uint32_t r) { return r % 9; });
  std::vector<std::int8_t> signs, found(count * rows * columns);
  for (std::size_t p = 0; p < count; ++p)
    for (std::size_t i = 0; i < rows * columns; ++i) signs.push_back(static_cast<std::int8_t>(p < counts[i] * each ? (random_numbers() % 2 ? 1 : -1) : 0));
  lic::KnownSigns of_signs{signs.data(), rows * columns};
  predictor.walk(counts.data(), each, rows, columns, found.data(), of_signs);
  Hash predicted;
  predicted.add(of_signs.bits), predicted.add(of_signs.contexts);
  print("predictor", predicted.value);
}

}  // namespace

int main(int count, char** names) {
  std::fprintf(stderr, "kernels:");
  for (const lic::Kernels* kernels : lic::all_kernels()) {
    std::fprintf(stderr, " %s", kernels->name);
    if (count == 1) asked.push_back(kernels->name);
  }
  std::fprintf(stderr, "\n");
  for (int k = 1; k < count; ++k) {
    asked.push_back(names[k]);
    if (lic::use_kernels(names[k])) continue;
    std::fprintf(stderr, "there are no kernels of the name %s\n", names[k]);
    return 2;
  }
  const auto small = [](std::uint32_t r) { return static_cast<float>(static_cast<int>(r % 2001) - 1000) * 1e-3f; };
  check_synthesis("synthesis", small, [](std::uint32_t) { return 300.5f; });
  check_synthesis("its levels", small, [](std::uint32_t r) { return static_cast<float>(r % 1025); });
  check_synthesis("its limits", any, any);
  check_canvas();
  check_scales();
  check_drafts();
  check_encoder();
  check_detail();
  check_filter();
  check_symbols();
  check_bits();
  check_means("means", [](std::uint32_t r) { return static_cast<float>(static_cast<int>(r % 255) - 127) / 3; }, [](std::uint32_t r) { return static_cast<float>(r % 1025); });
  check_means("means' limits", any, any);
  return same ? 0 : 1;
}
