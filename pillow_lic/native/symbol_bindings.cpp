// The coder of symbols and the quantiser for numpy: symbol_encoder.hpp, symbol_decoder.hpp, trellis.hpp.
#include <atomic>
#include <mutex>

#include "bindings.hpp"
#include "symbol_decoder.hpp"
#include "symbol_encoder.hpp"
#include "trellis.hpp"

namespace {

using Symbols = Vector<std::int16_t>;

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

// The parts of a way may be searched by several threads at the same time.
struct Way {
  Way(const lic::Tables& tables, const Vector<float>& residuals, const Indexes& indexes, std::uint16_t first, std::uint16_t offset,
      float weight, unsigned state) {
    const std::size_t n = indexes.size();
    check_lengths(residuals.size(), "residuals", n, "indexes");
    if (state >= lic::kStates)
      throw std::invalid_argument("state must be below " + std::to_string(lic::kStates) + ", got " + std::to_string(state));
    nb::gil_scoped_release release;
    way = std::make_unique<lic::Way>(lic::Trellis{tables, {first, offset}, weight}, residuals.data(), indexes.data(), n, state);
    symbols = unset<std::int16_t>(n), chosen = unset<std::uint16_t>(n), values = unset<std::int32_t>(n);
  }

  void search(std::size_t first, std::size_t last) {
    if (first > last || last > lic::Way::kParts) throw std::invalid_argument("parts must be 0 to " + std::to_string(lic::Way::kParts));
    nb::gil_scoped_release release;
    way->search(first, last, symbols.get(), chosen.get(), values.get());
    searched += last - first;
  }

  std::tuple<Result<std::int16_t>, Result<std::uint16_t>, Result<std::int32_t>, unsigned> finish() {
    if (searched.exchange(0) != lic::Way::kParts) throw std::invalid_argument("every part must be searched once, and a way is finished once");
    const std::size_t n = way->size();
    unsigned state = 0;
    {
      nb::gil_scoped_release release;
      state = way->finish(symbols.get(), chosen.get(), values.get());
    }
    return {owned(std::move(symbols), n), owned(std::move(chosen), n), owned(std::move(values), n), state};
  }

  std::unique_ptr<lic::Way> way;
  std::unique_ptr<std::int16_t[]> symbols;
  std::unique_ptr<std::uint16_t[]> chosen;
  std::unique_ptr<std::int32_t[]> values;
  std::atomic<std::size_t> searched = 0;
};

// Two threads may call one decoder: the calls take turns, in no promised order.
struct Decoder {
  Decoder(const lic::Tables& tables, const Vector<std::uint8_t>& data, unsigned lanes)
      : decoder(tables, data.data(), data.size(), lanes) {}

  Result<std::int16_t> decode(const Indexes& indexes) {
    auto symbols = unset<std::int16_t>(indexes.size());
    {
      nb::gil_scoped_release release;
      const std::lock_guard<std::mutex> guard(mutex);
      decoder.decode(indexes.data(), symbols.get(), indexes.size());
    }
    return owned(std::move(symbols), indexes.size());
  }

  Result<std::int32_t> decode_dependent(const Indexes& indexes, std::uint16_t first, std::uint16_t offset) {
    auto values = unset<std::int32_t>(indexes.size());
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

}  // namespace

void bind_symbols(nb::module_& module) {
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
  nb::class_<Way>(module, "Way")
      .def(nb::init<const lic::Tables&, const Vector<float>&, const Indexes&, std::uint16_t, std::uint16_t, float, unsigned>(), nb::arg("tables"),
           nb::arg("residuals").noconvert(), nb::arg("indexes").noconvert(), nb::arg("first"), nb::arg("offset"), nb::arg("weight"),
           nb::arg("state"), nb::keep_alive<1, 2>())
      .def("search", &Way::search, nb::arg("first"), nb::arg("last"))
      .def("finish", &Way::finish)
      .def_ro_static("PARTS", &lic::Way::kParts);

  nb::class_<Decoder>(module, "Decoder")
      .def(nb::init<const lic::Tables&, const Vector<std::uint8_t>&, unsigned>(), nb::arg("tables"),
           nb::arg("data").noconvert(), nb::arg("lanes"), nb::keep_alive<1, 2>())
      .def("decode", &Decoder::decode, nb::arg("indexes").noconvert())
      .def("decode_dependent", &Decoder::decode_dependent, nb::arg("indexes").noconvert(), nb::arg("first"),
           nb::arg("offset"))
      .def("finish", &Decoder::finish);
}
