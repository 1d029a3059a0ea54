// Passes over the pixels of a layer for numpy: layer_pixels.hpp.
#include "bindings.hpp"
#include "layer_pixels.hpp"

namespace {

using Colors = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

lic::Tile tile_of(const Colors& colors) {
  if (colors.shape(2) < 1 || colors.shape(2) > 4) throw std::invalid_argument("colours must have 1 to 4 channels");
  return {colors.shape(0), colors.shape(1), colors.shape(2)};
}

const std::uint8_t* flags_of(const Flags& flags, const lic::Tile& tile) {
  check_lengths(flags.shape(0), "rows of flags", tile.height, "of colours");
  check_lengths(flags.shape(1), "columns of flags", tile.width, "of colours");
  return reinterpret_cast<const std::uint8_t*>(flags.data());
}

void check_same(const Colors& one, const Colors& other) {
  for (int axis = 0; axis < 3; ++axis) check_lengths(one.shape(axis), "lengths of one picture", other.shape(axis), "of the other");
}

Result<std::uint8_t> chosen(const Flags& marked, const Colors& one, const Colors& other) {
  const lic::Tile tile = tile_of(one);
  const std::uint8_t* flags = flags_of(marked, tile);
  check_same(one, other);
  const std::size_t n = one.size();
  auto result = unset<std::uint8_t>(n);
  {
    nb::gil_scoped_release release;
    lic::chosen(tile, flags, one.data(), other.data(), result.get());
  }
  return owned(std::move(result), n);
}

Result<std::uint32_t> packed(const Colors& colors) {
  const lic::Tile tile = tile_of(colors);
  const std::size_t n = tile.height * tile.width;
  auto result = unset<std::uint32_t>(n);
  {
    nb::gil_scoped_release release;
    lic::packed(tile, colors.data(), result.get());
  }
  return owned(std::move(result), n);
}

std::tuple<Result<float>, Result<float>> sums_of_others(const Colors& colors, const Flags& gone) {
  const lic::Tile tile = tile_of(colors);
  const std::uint8_t* flags = flags_of(gone, tile);
  const std::size_t n = tile.rows() * tile.columns();
  auto sums = unset<float>(n * tile.channels), counts = unset<float>(n);
  {
    nb::gil_scoped_release release;
    lic::sums_of_others(tile, colors.data(), flags, sums.get(), counts.get());
  }
  return {owned(std::move(sums), n * tile.channels), owned(std::move(counts), n)};
}

Result<float> errors_of_marked(const Flags& marked, const Colors& shown, const Colors& wanted) {
  const lic::Tile tile = tile_of(wanted);
  const std::uint8_t* flags = flags_of(marked, tile);
  check_same(shown, wanted);
  const std::size_t n = tile.rows() * tile.columns();
  auto result = unset<float>(n);
  {
    nb::gil_scoped_release release;
    lic::errors_of_marked(tile, flags, shown.data(), wanted.data(), result.get());
  }
  return owned(std::move(result), n);
}

}  // namespace

void bind_layers(nb::module_& module) {
  module.def("chosen", &chosen, nb::arg("marked").noconvert(), nb::arg("one").noconvert(), nb::arg("other").noconvert());
  module.def("packed", &packed, nb::arg("colors").noconvert());
  module.def("sums_of_others", &sums_of_others, nb::arg("colors").noconvert(), nb::arg("gone").noconvert());
  module.def("errors_of_marked", &errors_of_marked, nb::arg("marked").noconvert(), nb::arg("shown").noconvert(), nb::arg("wanted").noconvert());
}
