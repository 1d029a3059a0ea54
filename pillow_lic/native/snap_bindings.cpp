// Near-lossless colours for numpy: snapping.hpp.
#include "bindings.hpp"
#include "snapping.hpp"

namespace {

using Tile = nb::ndarray<std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

Result<std::int32_t> snap(const Tile& colors, const Flags& exact, std::uint32_t slope, unsigned passes) {
  const std::size_t height = colors.shape(0), width = colors.shape(1), channels = colors.shape(2);
  if (channels < 1 || channels > 3) throw std::invalid_argument("colours must have 1 to 3 channels, got " + std::to_string(channels));
  if (exact.shape(0) != height || exact.shape(1) != width) throw std::invalid_argument("there must be a flag for every pixel");
  if (height && width > lic::Snapping::kMostPixels / height)
    throw std::invalid_argument("there may be " + std::to_string(lic::Snapping::kMostPixels) + " pixels, got " + std::to_string(width) + "x" + std::to_string(height));
  std::vector<std::int32_t> bits;
  {
    nb::gil_scoped_release release;
    lic::Snapping snapping(colors.data(), reinterpret_cast<const std::uint8_t*>(exact.data()), height, width, channels, slope);
    snapping.run(passes);
    snapping.show(colors.data());
    bits = snapping.bits();
  }
  return owned(std::move(bits));
}

}  // namespace

void bind_snapping(nb::module_& module) {
  module.def("snap", &snap, nb::arg("colors"), nb::arg("exact"), nb::arg("slope"), nb::arg("passes"));
}
