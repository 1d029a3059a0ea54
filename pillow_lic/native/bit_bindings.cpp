// The coder of bits and what chooses their contexts for numpy: bits.hpp, bitplanes.hpp, predictor.hpp.
#include <mutex>
#include <optional>

#include "bindings.hpp"
#include "bitplanes.hpp"
#include "bits.hpp"
#include "predictor.hpp"

namespace {

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

}  // namespace

void bind_bits(nb::module_& module) {
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
