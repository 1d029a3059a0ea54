// The networks of an encoder for numpy: analysis.hpp, gradient.hpp, hyper_analysis.hpp.
#include "analysis.hpp"
#include "bindings.hpp"
#include "gradient.hpp"
#include "hyper_analysis.hpp"
#include "kernels.hpp"

namespace {

template <typename T, std::size_t axes>
using Given = nb::ndarray<const T, nb::ndim<axes>, nb::c_contig, nb::device::cpu>;
template <typename T, std::size_t axes>
using Made = nb::ndarray<T, nb::ndim<axes>, nb::c_contig, nb::device::cpu>;
using Bytes = Vector<std::uint8_t>;

template <typename Network>
Network made(const Bytes& numbers, const typename Network::Sizes& sizes) {
  if (!sizes.legal()) throw std::invalid_argument("channels and latents must be multiples of 16 up to 4096, and blocks no more than 64");
  check_lengths(numbers.size(), "bytes", sizes.bytes(), "of the layers");
  return Network(lic::Numbers(numbers.data()), sizes);
}

lic::Stretch stretch(std::size_t first, std::size_t last, std::size_t height, std::size_t width, std::size_t each) {
  if (!height || !width || height % each || width % each || first % each || last % each || first > last || last > height)
    throw std::invalid_argument("there must be rows, [first, last) of latents, and all in whole squares of " + std::to_string(each));
  return {first, last, height, width};
}

template <typename Array>
bool sized(const Array& array, std::size_t a, std::size_t b, std::size_t c) {
  return array.shape(0) == a && array.shape(1) == b && array.shape(2) == c;
}

void analyse(const lic::Analysis& network, const Given<std::uint8_t, 3>& pixels, const Made<std::int16_t, 3>& trunk,
             const Made<float, 3>& linear, std::size_t first, std::size_t last) {
  const std::size_t height = linear.shape(0), width = linear.shape(1);
  const lic::Stretch rows = stretch(first, last, height, width, 1);
  if (!sized(pixels, 16 * height, 16 * width, lic::Analysis::kColours) || !sized(trunk, 2 * height, 2 * width, network.sizes.features) ||
      linear.shape(2) != network.sizes.latents)
    throw std::invalid_argument("there must be 16x16 pixels of 3 colours and 2x2 places of the trunk for every place of the linear path");
  nb::gil_scoped_release release;
  lic::kernels().analyse(network, pixels.data(), rows, trunk.data(), linear.data());
}

void find_latents(const lic::Latents& network, const Given<std::int16_t, 3>& trunk, const Given<float, 3>& linear,
                  const Given<float, 2>& level, const Made<float, 3>& y, std::size_t first, std::size_t last) {
  const std::size_t height = level.shape(0), width = level.shape(1);
  const lic::Stretch rows = stretch(first, last, height, width, 1);
  if (!sized(trunk, 2 * height, 2 * width, network.sizes.features) || !sized(linear, height, width, network.sizes.latents) ||
      !sized(y, network.sizes.latents, height, width))
    throw std::invalid_argument("there must be 2x2 places of the trunk, a linear path and latents for every level");
  nb::gil_scoped_release release;
  lic::kernels().find_latents(network, trunk.data(), linear.data(), level.data(), rows, y.data());
}

void descend(const lic::HyperAnalysis& network, const Given<float, 3>& y, const Made<float, 3>& hyper_latents, std::size_t first, std::size_t last) {
  constexpr std::size_t kStride = lic::HyperAnalysis::kStride;
  const std::size_t height = y.shape(1), width = y.shape(2);
  const lic::Stretch rows = stretch(first, last, height, width, kStride);
  if (y.shape(0) != network.sizes.latents || !sized(hyper_latents, network.sizes.hyper_latents, height / kStride, width / kStride))
    throw std::invalid_argument("there must be hyper-latents for every 4x4 latents");
  nb::gil_scoped_release release;
  lic::kernels().descend(network, y.data(), rows, hyper_latents.data());
}

void find_gradient(const lic::ErrorGradient& network, const Given<std::uint8_t, 3>& shown, const Given<std::uint8_t, 3>& wanted,
                   const Given<float, 2>& level, const Made<float, 3>& gradient, std::size_t first, std::size_t last) {
  constexpr std::size_t kSquare = lic::ErrorGradient::kSquare;
  const std::size_t height = level.shape(0), width = level.shape(1), rows = shown.shape(0), columns = shown.shape(1);
  const lic::Stretch stretched = stretch(first, last, height, width, 1);
  const auto cover = [](std::size_t pixels, std::size_t latents) { return pixels && (pixels + kSquare - 1) / kSquare == latents; };
  if (!cover(rows, height) || !cover(columns, width) || !sized(shown, rows, columns, lic::ErrorGradient::kColours) ||
      !sized(wanted, rows, columns, lic::ErrorGradient::kColours) || !sized(gradient, network.sizes.latents, height, width))
    throw std::invalid_argument("there must be a level and a gradient for every 16x16 pixels of 3 colours, the same number of both pictures");
  nb::gil_scoped_release release;
  lic::kernels().find_gradient(network, shown.data(), wanted.data(), rows, columns, level.data(), stretched, gradient.data());
}

}  // namespace

void bind_encoder(nb::module_& module) {
  nb::class_<lic::Analysis>(module, "Analysis")
      .def("__init__", [](lic::Analysis* self, const Bytes& numbers, std::size_t channels, std::size_t blocks, std::size_t features, std::size_t latents) {
        new (self) lic::Analysis(made<lic::Analysis>(numbers, {channels, blocks, features, latents}));
      }, nb::arg("numbers").noconvert(), nb::arg("channels"), nb::arg("blocks"), nb::arg("features"), nb::arg("latents"))
      .def_static("fast", &lic::fast_kernels)
      .def_prop_ro("features", [](const lic::Analysis& self) { return self.sizes.features; })
      .def("run", &analyse, nb::arg("pixels").noconvert(), nb::arg("trunk").noconvert(), nb::arg("linear").noconvert(), nb::arg("first"),
           nb::arg("last"));
  nb::class_<lic::Latents>(module, "Latents")
      .def("__init__", [](lic::Latents* self, const Bytes& numbers, std::size_t features, std::size_t channels, std::size_t latents) {
        new (self) lic::Latents(made<lic::Latents>(numbers, {features, channels, latents}));
      }, nb::arg("numbers").noconvert(), nb::arg("features"), nb::arg("channels"), nb::arg("latents"))
      .def("run", &find_latents, nb::arg("trunk").noconvert(), nb::arg("linear").noconvert(), nb::arg("level").noconvert(),
           nb::arg("y").noconvert(), nb::arg("first"), nb::arg("last"));
  nb::class_<lic::HyperAnalysis>(module, "HyperAnalysis")
      .def("__init__", [](lic::HyperAnalysis* self, const Bytes& numbers, std::size_t latents, std::size_t channels, std::size_t hyper_latents) {
        new (self) lic::HyperAnalysis(made<lic::HyperAnalysis>(numbers, {latents, channels, hyper_latents}));
      }, nb::arg("numbers").noconvert(), nb::arg("latents"), nb::arg("channels"), nb::arg("hyper_latents"))
      .def_static("fast", &lic::fast_kernels)
      .def("run", &descend, nb::arg("y").noconvert(), nb::arg("hyper_latents").noconvert(), nb::arg("first"), nb::arg("last"));
  nb::class_<lic::ErrorGradient>(module, "ErrorGradient")
      .def("__init__", [](lic::ErrorGradient* self, const Bytes& numbers, std::size_t latents) {
        new (self) lic::ErrorGradient(made<lic::ErrorGradient>(numbers, {latents}));
      }, nb::arg("numbers").noconvert(), nb::arg("latents"))
      .def("run", &find_gradient, nb::arg("shown").noconvert(), nb::arg("wanted").noconvert(), nb::arg("level").noconvert(),
           nb::arg("gradient").noconvert(), nb::arg("first"), nb::arg("last"));
}
