// The heads of drafts for numpy: draft.hpp.
#include "bindings.hpp"
#include "draft.hpp"
#include "kernels.hpp"

namespace {

template <typename T, std::size_t axes>
using Array = nb::ndarray<T, nb::ndim<axes>, nb::c_contig, nb::device::cpu>;

lic::Draft made(const Vector<std::uint8_t>& numbers, std::size_t latents, std::size_t near, std::size_t side) {
  const lic::Draft::Sizes sizes{latents, near, side};
  if (!sizes.legal())
    throw std::invalid_argument("latents must be a multiple of 8 up to 4096, the near ones an even number of them, and a side 1 to 16");
  check_lengths(numbers.size(), "bytes", sizes.bytes(), "of the layers");
  return lic::Draft(lic::Numbers(numbers.data()), sizes);
}

void draw(const lic::Draft& network, const Array<const float, 3>& latents, const Array<const float, 2>& level, const Array<std::uint8_t, 3>& pixels,
          std::size_t first, std::size_t last) {
  const std::size_t height = level.shape(0), width = level.shape(1), side = network.sizes.side;
  if (!height || !width || first > last || last > height)
    throw std::invalid_argument("there must be levels, and rows, [first, last), of them");
  if (latents.shape(0) != network.sizes.latents || latents.shape(1) != height || latents.shape(2) != width || pixels.shape(0) != side * height ||
      pixels.shape(1) != side * width || pixels.shape(2) != lic::Draft::kColours)
    throw std::invalid_argument("there must be latents for every level, and the pixels of them of 3 colours");
  nb::gil_scoped_release release;
  lic::kernels().draft(network, latents.data(), level.data(), {first, last, height, width}, pixels.data());
}

}  // namespace

void bind_drafts(nb::module_& module) {
  nb::class_<lic::Draft>(module, "Draft")
      .def("__init__", [](lic::Draft* self, const Vector<std::uint8_t>& numbers, std::size_t latents, std::size_t near, std::size_t side) {
        new (self) lic::Draft(made(numbers, latents, near, side));
      }, nb::arg("numbers").noconvert(), nb::arg("latents"), nb::arg("near"), nb::arg("side"))
      .def_static("fast", &lic::fast_kernels)
      .def("draw", &draw, nb::arg("latents").noconvert(), nb::arg("level").noconvert(), nb::arg("pixels").noconvert(), nb::arg("first"),
           nb::arg("last"));
}
