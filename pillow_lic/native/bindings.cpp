// pillow_lic._native: rangecoder.hpp for numpy. Typed and documented in ../_native.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <mutex>

#include "rangecoder.hpp"

namespace nb = nanobind;

namespace {

template <typename T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Symbols = Vector<std::int16_t>;
using Indexes = Vector<std::uint16_t>;

void check_lengths(const Symbols& symbols, const Indexes& indexes) {
  if (symbols.size() != indexes.size())
    throw std::invalid_argument("there are " + std::to_string(symbols.size()) + " symbols but " +
                                std::to_string(indexes.size()) + " indexes");
}

lic::Tables make_tables(const Vector<std::int16_t>& low, const Vector<std::uint16_t>& sizes,
                        const Vector<std::uint16_t>& frequencies) {
  if (low.size() != sizes.size())
    throw std::invalid_argument("there are " + std::to_string(low.size()) + " minima but " +
                                std::to_string(sizes.size()) + " sizes");
  return {low.data(), sizes.data(), low.size(), frequencies.data(), frequencies.size()};
}

double cost(const lic::Tables& tables, const Symbols& symbols, const Indexes& indexes) {
  check_lengths(symbols, indexes);
  nb::gil_scoped_release release;
  return lic::cost(tables, symbols.data(), indexes.data(), symbols.size());
}

nb::bytes encode(const lic::Tables& tables, const Symbols& symbols, const Indexes& indexes, unsigned lanes) {
  check_lengths(symbols, indexes);
  std::vector<std::uint8_t> stream;
  {
    nb::gil_scoped_release release;
    stream = lic::Encoder(tables, lanes).run(symbols.data(), indexes.data(), symbols.size());
  }
  return nb::bytes(stream.data(), stream.size());
}

// Two threads may call one decoder: the calls take turns, in no promised order.
struct Decoder {
  Decoder(const lic::Tables& tables, const Vector<std::uint8_t>& data, unsigned lanes)
      : decoder(tables, data.data(), data.size(), lanes) {}

  nb::ndarray<nb::numpy, std::int16_t, nb::ndim<1>> decode(const Indexes& indexes) {
    const std::size_t n = indexes.size();
    auto symbols = std::make_unique<std::int16_t[]>(n);
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      decoder.decode(indexes.data(), symbols.get(), n);
    }
    nb::capsule owner(symbols.get(), [](void* pointer) noexcept { delete[] static_cast<std::int16_t*>(pointer); });
    return {symbols.release(), {n}, owner};
  }

  void finish() {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    decoder.finish();
  }

  lic::Decoder decoder;
  std::mutex mutex;
};

}  // namespace

NB_MODULE(_native, module) {
  module.doc() = "Interleaved rANS with fixed 16-bit tables.";

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

  nb::class_<Decoder>(module, "Decoder")
      .def(nb::init<const lic::Tables&, const Vector<std::uint8_t>&, unsigned>(), nb::arg("tables"),
           nb::arg("data").noconvert(), nb::arg("lanes"), nb::keep_alive<1, 2>())
      .def("decode", &Decoder::decode, nb::arg("indexes").noconvert())
      .def("finish", &Decoder::finish);
}
