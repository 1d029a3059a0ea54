// pillow_lic._native: rangecoder.hpp, trellis.hpp, passes.hpp, bits.hpp, bitplanes.hpp, predictor.hpp, detail.hpp,
// scales.hpp, synthesis.hpp and filter.hpp for numpy. Typed and documented in ../_native.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <memory>
#include <mutex>
#include <optional>

#include "bitplanes.hpp"
#include "bits.hpp"
#include "detail.hpp"
#include "filter_sums.hpp"
#include "passes.hpp"
#include "predictor.hpp"
#include "scales.hpp"
#include "synthesis.hpp"
#include "trellis.hpp"

namespace nb = nanobind;

namespace {

template <typename T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Symbols = Vector<std::int16_t>;
using Indexes = Vector<std::uint16_t>;

void check_lengths(std::size_t n, const char* what, std::size_t others, const char* which) {
  if (n != others)
    throw std::invalid_argument("there are " + std::to_string(n) + " " + what + " but " + std::to_string(others) + " " +
                                which);
}

lic::Tables make_tables(const Vector<std::int16_t>& low, const Vector<std::uint16_t>& sizes,
                        const Vector<std::uint16_t>& frequencies) {
  check_lengths(low.size(), "minima", sizes.size(), "sizes");
  return {low.data(), sizes.data(), low.size(), frequencies.data(), frequencies.size()};
}

double cost(const lic::Tables& tables, const Symbols& symbols, const Indexes& indexes) {
  check_lengths(symbols.size(), "symbols", indexes.size(), "indexes");
  nb::gil_scoped_release release;
  return lic::cost(tables, symbols.data(), indexes.data(), symbols.size());
}

nb::bytes encode(const lic::Tables& tables, const Symbols& symbols, const Indexes& indexes, unsigned lanes) {
  check_lengths(symbols.size(), "symbols", indexes.size(), "indexes");
  std::vector<std::uint8_t> stream;
  {
    nb::gil_scoped_release release;
    stream = lic::Encoder(tables, lanes).run(symbols.data(), indexes.data(), symbols.size());
  }
  return nb::bytes(stream.data(), stream.size());
}

template <typename T>
using Result = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

template <typename T>
Result<T> owned(std::unique_ptr<T[]> values, std::size_t n) {
  nb::capsule owner(values.get(), [](void* pointer) noexcept { delete[] static_cast<T*>(pointer); });
  return {values.release(), {n}, owner};
}

template <typename T>
Result<T> owned(std::vector<T> values) {
  auto* kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<T>*>(pointer); });
  return {kept->data(), {kept->size()}, owner};
}

std::tuple<Result<std::int16_t>, Result<std::uint16_t>, Result<std::int32_t>, unsigned> quantise(
    const lic::Tables& tables, const Vector<float>& residuals, const Indexes& indexes, std::uint16_t first,
    std::uint16_t offset, float weight, unsigned state) {
  const std::size_t n = indexes.size();
  check_lengths(residuals.size(), "residuals", n, "indexes");
  if (state >= lic::kStates)
    throw std::invalid_argument("state must be below " + std::to_string(lic::kStates) + ", got " + std::to_string(state));
  auto symbols = std::make_unique<std::int16_t[]>(n);
  auto chosen = std::make_unique<std::uint16_t[]>(n);
  auto values = std::make_unique<std::int32_t[]>(n);
  {
    nb::gil_scoped_release release;
    const lic::Trellis trellis{tables, {first, offset}, weight};
    state = trellis.run(residuals.data(), indexes.data(), n, state, symbols.get(), chosen.get(), values.get());
  }
  return {owned(std::move(symbols), n), owned(std::move(chosen), n), owned(std::move(values), n), state};
}

// Two threads may call one decoder: the calls take turns, in no promised order.
struct Decoder {
  Decoder(const lic::Tables& tables, const Vector<std::uint8_t>& data, unsigned lanes)
      : decoder(tables, data.data(), data.size(), lanes) {}

  Result<std::int16_t> decode(const Indexes& indexes) {
    auto symbols = std::make_unique<std::int16_t[]>(indexes.size());
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      decoder.decode(indexes.data(), symbols.get(), indexes.size());
    }
    return owned(std::move(symbols), indexes.size());
  }

  Result<std::int32_t> decode_dependent(const Indexes& indexes, std::uint16_t first, std::uint16_t offset) {
    auto values = std::make_unique<std::int32_t[]>(indexes.size());
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      decoder.decode(indexes.data(), {first, offset}, values.get(), indexes.size());
    }
    return owned(std::move(values), indexes.size());
  }

  void finish() {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    decoder.finish();
  }

  lic::Decoder decoder;
  std::mutex mutex;
};

template <typename T>
using Array = nb::ndarray<T, nb::ndim<4>, nb::c_contig, nb::device::cpu>;
using Bits = Array<const std::uint8_t>;
using Classes = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <typename T>
lic::Planes planes_of(const Array<T>& bits, const Classes& classes, const std::optional<Bits>& mask) {
  for (std::size_t axis = 0; axis < 4; ++axis)
    if (mask && mask->shape(axis) != bits.shape(axis))
      throw std::invalid_argument("the mask must have the shape of the planes, but axis " + std::to_string(axis) + " has " +
                                  std::to_string(mask->shape(axis)) + ", not " + std::to_string(bits.shape(axis)));
  if (classes.shape(0) != bits.shape(0) || classes.shape(1) != bits.shape(1))
    throw std::invalid_argument("there must be " + std::to_string(bits.shape(0)) + " x " + std::to_string(bits.shape(1)) +
                                " classes, got " + std::to_string(classes.shape(0)) + " x " + std::to_string(classes.shape(1)));
  return {bits.shape(0),
          bits.shape(1),
          bits.shape(2),
          bits.shape(3),
          {classes.data(), classes.data() + classes.size()},
          mask ? mask->data() : nullptr};
}

template <typename T>
using SymbolArray = nb::ndarray<T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Unknown = nb::ndarray<std::uint8_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

std::tuple<Result<std::uint8_t>, Result<std::uint16_t>> symbol_bits(const SymbolArray<const std::int8_t>& symbols,
                                                                    const Vector<std::uint8_t>& tops, std::size_t end) {
  check_lengths(tops.size(), "tops", symbols.shape(0), "channels");
  std::vector<std::uint8_t> bits;
  std::vector<std::uint16_t> contexts;
  {
    nb::gil_scoped_release release;
    lic::SymbolPlanes planes(symbols.shape(0), symbols.shape(1), symbols.shape(2), tops.data());
    lic::KnownSymbols answer(symbols.data(), symbols.shape(0), symbols.shape(1), symbols.shape(2), planes);
    planes.walk(end, answer);
    bits = std::move(answer.bits), contexts = std::move(answer.contexts);
  }
  return {owned(std::move(bits)), owned(std::move(contexts))};
}

using Counts = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

lic::SignPredictor make_predictor(const Vector<std::int32_t>& numbers, std::size_t planes) {
  return {numbers.data(), numbers.size(), planes};
}

void check_signs(const lic::SignPredictor& predictor, std::size_t planes, std::size_t rows, std::size_t columns, const Counts& counts) {
  check_lengths(planes, "planes", predictor.planes(), "of the predictor");
  check_lengths(rows, "rows", counts.shape(0), "rows of counts");
  check_lengths(columns, "columns", counts.shape(1), "columns of counts");
}

std::tuple<Result<std::uint8_t>, Result<std::uint16_t>> sign_bits(const lic::SignPredictor& predictor,
                                                                  const SymbolArray<const std::int8_t>& signs, const Counts& counts,
                                                                  std::size_t each) {
  const std::size_t rows = signs.shape(1), columns = signs.shape(2);
  check_signs(predictor, signs.shape(0), rows, columns, counts);
  std::vector<std::uint8_t> bits;
  std::vector<std::uint16_t> contexts;
  {
    nb::gil_scoped_release release;
    lic::KnownSigns answer{signs.data(), rows * columns};
    std::vector<std::int8_t> walked(signs.size());
    predictor.walk(counts.data(), each, rows, columns, walked.data(), answer);
    bits = std::move(answer.bits), contexts = std::move(answer.contexts);
  }
  return {owned(std::move(bits)), owned(std::move(contexts))};
}

struct BitEncoder {
  explicit BitEncoder(const Indexes& starts) : encoder(starts.data(), starts.size()) {}

  void write(const Vector<std::uint8_t>& bits, const Indexes& contexts) {
    check_lengths(bits.size(), "bits", contexts.size(), "contexts");
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    encoder.write(bits.data(), contexts.data(), bits.size());
  }

  void write_planes(const Bits& bits, const Classes& classes, const std::optional<Bits>& mask) {
    const lic::Planes planes = planes_of(bits, classes, mask);
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    encoder.write(bits.data(), planes);
  }

  double cost() {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    return encoder.cost();
  }

  nb::bytes stream() {
    std::vector<std::uint8_t> stream;
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      stream = encoder.stream();
    }
    return nb::bytes(stream.data(), stream.size());
  }

  lic::BitEncoder encoder;
  std::mutex mutex;
};

struct BitDecoder {
  BitDecoder(const Indexes& starts, const Vector<std::uint8_t>& data, bool cut)
      : decoder(starts.data(), starts.size(), data.data(), data.size(), cut) {}

  std::size_t read(const Indexes& contexts, const nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>& bits) {
    check_lengths(bits.size(), "bits", contexts.size(), "contexts");
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    return decoder.read(contexts.data(), bits.data(), bits.size());
  }

  std::size_t read_planes(const Array<std::uint8_t>& bits, const Classes& classes, const std::optional<Bits>& mask) {
    const lic::Planes planes = planes_of(bits, classes, mask);
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    return decoder.read(bits.data(), planes);
  }

  Result<std::uint8_t> read_symbols(const SymbolArray<std::int8_t>& symbols, const Vector<std::uint8_t>& tops, std::size_t end,
                                    const Unknown& unknown) {
    check_lengths(tops.size(), "tops", symbols.shape(0), "channels");
    check_lengths(unknown.shape(0), "numbers of unknown planes", symbols.shape(0), "channels");
    std::vector<std::uint8_t> bits;
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      lic::SymbolPlanes planes(symbols.shape(0), symbols.shape(1), symbols.shape(2), tops.data());
      lic::ReadBits answer{decoder};
      planes.walk(end, answer);
      planes.symbols(symbols.data());
      planes.unknown(unknown.data());
      bits = std::move(answer.bits);
    }
    return owned(std::move(bits));
  }

  Result<std::uint8_t> read_signs(const lic::SignPredictor& predictor, const SymbolArray<std::int8_t>& signs, const Counts& counts,
                                  std::size_t each) {
    check_signs(predictor, signs.shape(0), signs.shape(1), signs.shape(2), counts);
    std::vector<std::uint8_t> bits;
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      lic::ReadBits answer{decoder};
      predictor.walk(counts.data(), each, signs.shape(1), signs.shape(2), signs.data(), answer);
      bits = std::move(answer.bits);
    }
    return owned(std::move(bits));
  }

  void finish() {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    decoder.finish();
  }

  lic::BitDecoder decoder;
  std::mutex mutex;
};

using Latents = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Places = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;

lic::Pass pass_of(const Latents& out, const Places& places, std::tuple<std::size_t, std::size_t> inside, std::size_t values) {
  const auto [a, b, c, d] = places;
  const lic::Pass pass{out.shape(0), out.shape(1), out.shape(2), std::get<0>(inside), std::get<1>(inside), {a, b, c, d}};
  if (!pass.legal())
    throw std::invalid_argument("channels must be a multiple of 4, places 0-3, and the latents inside no more than there are");
  check_lengths(values, "values", pass.count(), "latents of the pass");
  return pass;
}

void scatter_magnitudes(const Latents& out, const Places& places, std::tuple<std::size_t, std::size_t> inside,
                        const Vector<std::int32_t>& values, std::uint32_t most) {
  const lic::Pass pass = pass_of(out, places, inside, values.size());
  nb::gil_scoped_release release;
  lic::scatter_magnitudes(pass, values.data(), most, out.data());
}

void scatter_sums(const Latents& out, const Places& places, std::tuple<std::size_t, std::size_t> inside, const Vector<std::int32_t>& values,
                  const nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>& means) {
  const lic::Pass pass = pass_of(out, places, inside, values.size());
  if (means.shape(0) != pass.channels || 2 * means.shape(1) < pass.rows || 2 * means.shape(2) < pass.columns)
    throw std::invalid_argument("there must be a mean for every cell of 2x2 latents");
  nb::gil_scoped_release release;
  lic::scatter_sums(pass, values.data(), means.data(), means.shape(1), means.shape(2), out.data());
}

using Cells = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void spread(const Cells& cells, std::size_t first, std::size_t last,
            const nb::ndarray<std::uint16_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& out) {
  const std::size_t height = cells.shape(1), width = cells.shape(2);
  if (cells.shape(0) != 4 * lic::kColours || first > last || last > height)
    throw std::invalid_argument("there must be 12 channels, and the rows inside them");
  if (out.shape(0) != 2 * (last - first) || out.shape(1) != 2 * width || out.shape(2) != lic::kColours)
    throw std::invalid_argument("the pixels must be twice as many each way as the cells, of 3 colours");
  nb::gil_scoped_release release;
  lic::spread(cells.data(), height, width, first, last, out.data());
}

using Fine = nb::ndarray<const std::uint16_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
template <std::size_t... Sizes>
using Coefficients = nb::ndarray<const std::int16_t, nb::shape<Sizes...>, nb::c_contig, nb::device::cpu>;
using Taps = Coefficients<lic::kColours, lic::kColours, lic::kTaps>;
using Directed = Coefficients<lic::kColours, lic::kDirected>;
using Alternating = Coefficients<lic::kTurns, lic::kColours, lic::kColours, lic::kInner>;
using Image = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<3>>;

void copy_coefficients(const std::int16_t* from, std::size_t count, std::int16_t* to) {
  for (std::size_t tap = 0; tap < count; ++tap)
    if (std::abs(from[tap]) > lic::kLargestCoefficient)
      throw std::invalid_argument("coefficients must be -127..127, got " + std::to_string(from[tap]));
  std::copy_n(from, count, to);
}

Image filtered(const Fine& pixels, std::tuple<std::size_t, std::size_t, std::size_t, std::size_t> inside, const Taps& taps,
               const Directed& directed, const Alternating& alternating, int threshold, int shift, bool plain) {
  const auto [top, left, rows, columns] = inside;
  const std::size_t height = pixels.shape(0), width = pixels.shape(1);
  if (pixels.shape(2) != lic::kColours || top > height || rows > height - top || left > width || columns > width - left)
    throw std::invalid_argument("the part must lie inside an array of 3 colours");
  if (threshold < 0 || threshold > lic::kLargest || shift < 0 || shift > lic::kLargestShift)
    throw std::invalid_argument("threshold must be 0-" + std::to_string(lic::kLargest) + " and shift 0-" +
                                std::to_string(lic::kLargestShift) + ", got " + std::to_string(threshold) + " and " +
                                std::to_string(shift));
  lic::Filter filter{{}, {}, {}, static_cast<std::int16_t>(threshold), shift};
  copy_coefficients(taps.data(), taps.size(), &filter.coefficients[0][0][0]);
  copy_coefficients(directed.data(), directed.size(), &filter.directed[0][0]);
  copy_coefficients(alternating.data(), alternating.size(), &filter.alternating[0][0][0][0]);
  auto result = std::make_unique<std::uint8_t[]>(rows * columns * lic::kColours);
  {
    nb::gil_scoped_release release;
    lic::filtered(pixels.data(), height, width, top, left, rows, columns, filter, plain, result.get());
  }
  nb::capsule owner(result.get(), [](void* pointer) noexcept { delete[] static_cast<std::uint8_t*>(pointer); });
  return {result.release(), {rows, columns, static_cast<std::size_t>(lic::kColours)}, owner};
}

lic::Detail make_detail(const Vector<float>& numbers) {
  check_lengths(numbers.size(), "numbers", lic::Detail::kNumbers, "of the layers");
  return lic::Detail(numbers.data());
}

void draw(const lic::Detail& detail, const Cells& picture, const Cells& context,
          const nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& level,
          std::tuple<std::size_t, std::size_t, std::size_t, std::size_t> inside,
          const nb::ndarray<std::uint16_t, nb::ndim<3>, nb::device::cpu>& out) {
  const auto [top, left, rows, columns] = inside;
  const std::size_t height = level.shape(0), width = level.shape(1);
  const auto sized = [&](const Cells& planes, std::size_t count, std::size_t each) {
    return planes.shape(0) == count && planes.shape(1) == each * height && planes.shape(2) == each * width;
  };
  if (!sized(picture, lic::Detail::kPlanes, 8) || !sized(context, lic::Detail::kHidden, 2))
    throw std::invalid_argument("the picture must have 12 channels of 8x8 cells for every level, the context 16 of 2x2");
  if (top > height || rows > height - top || left > width || columns > width - left)
    throw std::invalid_argument("the part must lie inside the picture");
  if (out.shape(0) != 16 * rows || out.shape(1) != 16 * columns || out.shape(2) != lic::kColours || out.stride(2) != 1 ||
      out.stride(1) != lic::kColours || (rows && columns && out.stride(0) < 0))
    throw std::invalid_argument("the pixels must be 16 times as many each way as the levels inside, of 3 colours that lie together");
  if (!lic::Detail::fast()) throw std::invalid_argument("this processor has no multiply-add: the network is as quick");
  nb::gil_scoped_release release;
  detail.draw({picture.data(), context.data(), level.data(), 8 * height, 8 * width}, {8 * top, 8 * left, 8 * rows, 8 * columns},
              out.data(), static_cast<std::size_t>(out.stride(0)));
}

lic::Synthesis make_synthesis(const Vector<std::uint8_t>& numbers) {
  check_lengths(numbers.size(), "bytes", lic::Synthesis::kBytes, "of the layers");
  return lic::Synthesis(lic::Numbers(numbers.data()));
}

using Planes = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void synthesise(const lic::Synthesis& network, const Cells& latents,
                const nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& level, const Planes& picture,
                const Planes& context) {
  const std::size_t height = level.shape(0), width = level.shape(1);
  const auto sized = [&](const auto& planes, std::size_t count, std::size_t each) {
    return planes.shape(0) == count && planes.shape(1) == each * height && planes.shape(2) == each * width;
  };
  if (!height || !width) throw std::invalid_argument("there must be latents");
  if (!sized(latents, lic::Synthesis::kLatents, 1) || !sized(picture, lic::Synthesis::kPlanes, 8) ||
      !sized(context, lic::Synthesis::kContext, 2))
    throw std::invalid_argument("for every level there must be 384 latents, 12 channels of 8x8 cells, and a context of 16 of 2x2");
  if (!lic::Synthesis::fast()) throw std::invalid_argument("this processor has no AVX2: the network is as quick");
  nb::gil_scoped_release release;
  network.draw(latents.data(), level.data(), height, width, picture.data(), context.data());
}

lic::Scales make_scales(const Vector<std::uint8_t>& numbers, std::size_t stages) {
  if (!stages || stages > lic::Scales::kPasses) throw std::invalid_argument("stages must be 1 to 4, got " + std::to_string(stages));
  check_lengths(numbers.size(), "bytes", lic::Scales::bytes(stages), "of the layers");
  return lic::Scales(lic::Numbers(numbers.data()), stages);
}

void find_scales(const lic::Scales& scales, std::size_t number, const Cells& features,
                 const nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& level, const std::optional<Cells>& magnitudes,
                 const nb::ndarray<std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& index) {
  if (number >= scales.stages.size())
    throw std::invalid_argument("the stage must be below " + std::to_string(scales.stages.size()) + ", got " + std::to_string(number));
  const lic::Stage& stage = scales.stages[number];
  const std::size_t height = level.shape(0), width = level.shape(1);
  const auto sized = [&](const auto& planes, std::size_t count, std::size_t share) {
    return planes.shape(0) == count && planes.shape(1) == height / share && planes.shape(2) == width / share;
  };
  if (!height || !width || height % 2 || width % 2) throw std::invalid_argument("there must be whole cells of 2x2 levels");
  if (!sized(features, lic::Stage::kFeatures, 1) || !sized(index, stage.passes() * lic::Stage::kLatents, 2))
    throw std::invalid_argument("for every level there must be 80 features, and for every 2x2 an index of each latent and pass");
  if (magnitudes.has_value() != stage.takes_magnitudes() || (magnitudes && !sized(*magnitudes, lic::Stage::kLatents, 1)))
    throw std::invalid_argument("there must be 384 magnitudes for every level, and none in the first stage");
  if (!lic::Stage::fast()) throw std::invalid_argument("this processor has no AVX2: the network is as quick");
  nb::gil_scoped_release release;
  stage.find(features.data(), level.data(), magnitudes ? magnitudes->data() : nullptr, height, width, index.data());
}

nb::ndarray<nb::numpy, std::int64_t, nb::ndim<2>> filter_sums(
    const Fine& pixels, const nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& picture,
    std::size_t every, int threshold) {
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (pixels.shape(axis) != picture.shape(axis) || pixels.shape(2) != lic::kColours)
      throw std::invalid_argument("pixels and picture must be of one shape, of 3 colours");
  if (threshold < 0 || threshold > lic::kLargest || !every)
    throw std::invalid_argument("threshold must be 0-" + std::to_string(lic::kLargest) + ", got " + std::to_string(threshold));
  constexpr std::size_t columns = lic::kFeatures + lic::kColours;
  auto sums = std::make_unique<std::int64_t[]>(lic::kFeatures * columns);
  {
    nb::gil_scoped_release release;
    lic::add_sums(pixels.data(), picture.data(), pixels.shape(0), pixels.shape(1), every, static_cast<std::int16_t>(threshold),
                  sums.get());
  }
  nb::capsule owner(sums.get(), [](void* pointer) noexcept { delete[] static_cast<std::int64_t*>(pointer); });
  return {sums.release(), {lic::kFeatures, columns}, owner};
}

}  // namespace

NB_MODULE(_native, module) {
  module.doc() = "Interleaved rANS with fixed 16-bit tables, dependent quantisation, adaptive coding of bits, and the filter of pixels.";

  nb::set_leak_warnings(false);  // tables are kept until the process ends, which users need not be told

  module.attr("STEP") = lic::kStep;
  module.attr("HALF_STEP") = lic::kHalfStep;
  module.attr("LARGEST_RESIDUAL") = lic::kLargestResidual;
  nb::exception<lic::StreamError>(module, "StreamError", PyExc_ValueError);

  nb::class_<lic::Tables>(module, "Tables")
      .def(
          "__init__",
          [](lic::Tables* self, const Vector<std::int16_t>& low, const Vector<std::uint16_t>& sizes,
             const Vector<std::uint16_t>& frequencies) { new (self) lic::Tables(make_tables(low, sizes, frequencies)); },
          nb::arg("lo").noconvert(), nb::arg("sizes").noconvert(), nb::arg("frequencies").noconvert())
      .def_prop_ro("count", &lic::Tables::count)
      .def("cost", &cost, nb::arg("symbols").noconvert(), nb::arg("indexes").noconvert());

  module.def("encode", &encode, nb::arg("tables"), nb::arg("symbols").noconvert(), nb::arg("indexes").noconvert(),
             nb::arg("lanes"));
  module.def("quantise", &quantise, nb::arg("tables"), nb::arg("residuals").noconvert(), nb::arg("indexes").noconvert(),
             nb::arg("first"), nb::arg("offset"), nb::arg("weight"), nb::arg("state"));
  module.def("spread", &spread, nb::arg("cells").noconvert(), nb::arg("first"), nb::arg("last"), nb::arg("out").noconvert());
  module.def("scatter_magnitudes", &scatter_magnitudes, nb::arg("out").noconvert(), nb::arg("places"), nb::arg("inside"),
             nb::arg("values").noconvert(), nb::arg("most"));
  module.def("scatter_sums", &scatter_sums, nb::arg("out").noconvert(), nb::arg("places"), nb::arg("inside"),
             nb::arg("values").noconvert(), nb::arg("means").noconvert());
  nb::class_<lic::Detail>(module, "Detail")
      .def("__init__", [](lic::Detail* self, const Vector<float>& numbers) { new (self) lic::Detail(make_detail(numbers)); },
           nb::arg("numbers").noconvert())
      .def_static("fast", &lic::Detail::fast)
      .def("draw", &draw, nb::arg("picture").noconvert(), nb::arg("context").noconvert(), nb::arg("level").noconvert(),
           nb::arg("inside"), nb::arg("out").noconvert());
  nb::class_<lic::Scales>(module, "Scales")
      .def(
          "__init__",
          [](lic::Scales* self, const Vector<std::uint8_t>& numbers, std::size_t stages) {
            new (self) lic::Scales(make_scales(numbers, stages));
          },
          nb::arg("numbers").noconvert(), nb::arg("stages"))
      .def_static("fast", &lic::Stage::fast)
      .def("find", &find_scales, nb::arg("stage"), nb::arg("features").noconvert(), nb::arg("level").noconvert(),
           nb::arg("magnitudes").noconvert().none(), nb::arg("index").noconvert());
  nb::class_<lic::Synthesis>(module, "Synthesis")
      .def("__init__", [](lic::Synthesis* self, const Vector<std::uint8_t>& numbers) { new (self) lic::Synthesis(make_synthesis(numbers)); },
           nb::arg("numbers").noconvert())
      .def_static("fast", &lic::Synthesis::fast)
      .def("draw", &synthesise, nb::arg("latents").noconvert(), nb::arg("level").noconvert(), nb::arg("picture").noconvert(),
           nb::arg("context").noconvert());
  module.def("filtered", &filtered, nb::arg("pixels").noconvert(), nb::arg("inside"), nb::arg("taps").noconvert(),
             nb::arg("directed").noconvert(), nb::arg("alternating").noconvert(), nb::arg("threshold"), nb::arg("shift"),
             nb::arg("plain") = false);
  module.def("filter_sums", &filter_sums, nb::arg("pixels").noconvert(), nb::arg("picture").noconvert(), nb::arg("every"),
             nb::arg("threshold"));

  nb::class_<Decoder>(module, "Decoder")
      .def(nb::init<const lic::Tables&, const Vector<std::uint8_t>&, unsigned>(), nb::arg("tables"),
           nb::arg("data").noconvert(), nb::arg("lanes"), nb::keep_alive<1, 2>())
      .def("decode", &Decoder::decode, nb::arg("indexes").noconvert())
      .def("decode_dependent", &Decoder::decode_dependent, nb::arg("indexes").noconvert(), nb::arg("first"),
           nb::arg("offset"))
      .def("finish", &Decoder::finish);

  module.def("symbol_bits", &symbol_bits, nb::arg("symbols").noconvert(), nb::arg("tops").noconvert(), nb::arg("end"));

  nb::class_<lic::SignPredictor>(module, "SignPredictor")
      .def("__init__", [](lic::SignPredictor* self, const Vector<std::int32_t>& numbers,
                          std::size_t planes) { new (self) lic::SignPredictor(make_predictor(numbers, planes)); },
           nb::arg("numbers").noconvert(), nb::arg("planes"))
      .def_static("numbers_of", &lic::SignPredictor::numbers_of, nb::arg("planes"))
      .def("bits", &sign_bits, nb::arg("signs").noconvert(), nb::arg("counts").noconvert(), nb::arg("each"));

  nb::class_<BitEncoder>(module, "BitEncoder")
      .def(nb::init<const Indexes&>(), nb::arg("starts").noconvert())
      .def("write", &BitEncoder::write, nb::arg("bits").noconvert(), nb::arg("contexts").noconvert())
      .def("write_planes", &BitEncoder::write_planes, nb::arg("bits").noconvert(), nb::arg("classes").noconvert(),
           nb::arg("mask").noconvert().none())
      .def("cost", &BitEncoder::cost)
      .def("stream", &BitEncoder::stream);

  nb::class_<BitDecoder>(module, "BitDecoder")
      .def(nb::init<const Indexes&, const Vector<std::uint8_t>&, bool>(), nb::arg("starts").noconvert(),
           nb::arg("data").noconvert(), nb::arg("cut"))
      .def("read", &BitDecoder::read, nb::arg("contexts").noconvert(), nb::arg("bits").noconvert())
      .def("read_planes", &BitDecoder::read_planes, nb::arg("bits").noconvert(), nb::arg("classes").noconvert(),
           nb::arg("mask").noconvert().none())
      .def("read_symbols", &BitDecoder::read_symbols, nb::arg("symbols").noconvert(), nb::arg("tops").noconvert(), nb::arg("end"),
           nb::arg("unknown").noconvert())
      .def("read_signs", &BitDecoder::read_signs, nb::arg("predictor"), nb::arg("signs").noconvert(), nb::arg("counts").noconvert(),
           nb::arg("each"))
      .def("finish", &BitDecoder::finish);
}
