// What turns latents into pixels for numpy: passes.hpp, means.hpp, scales.hpp, synthesis.hpp, detail.hpp and kernels.hpp.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "bindings.hpp"
#include "detail.hpp"
#include "kernels.hpp"
#include "means.hpp"
#include "passes.hpp"
#include "rows.hpp"

namespace {

using Latents = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Places = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;

template <typename Array>
lic::Pass pass_of(const Array& out, const Places& places, std::tuple<std::size_t, std::size_t> inside, std::size_t values) {
  const auto [a, b, c, d] = places;
  const lic::Pass pass{out.shape(0), out.shape(1), out.shape(2), std::get<0>(inside), std::get<1>(inside), {a, b, c, d}};
  if (!pass.legal())
    throw std::invalid_argument("channels must be a multiple of 4, places 0-3, and the latents inside no more than there are");
  check_lengths(values, "values", pass.count(), "latents of the pass");
  return pass;
}

void scatter_magnitudes(const nb::ndarray<std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& out, const Places& places,
                        std::tuple<std::size_t, std::size_t> inside, const Vector<std::int32_t>& values, std::uint32_t most) {
  const lic::Pass pass = pass_of(out, places, inside, values.size());
  if (most > lic::kMostMagnitude)
    throw std::invalid_argument("the most must be 0-" + std::to_string(lic::kMostMagnitude) + ", got " + std::to_string(most));
  nb::gil_scoped_release release;
  lic::scatter_magnitudes(pass, values.data(), most, out.data());
}

void scatter_sums(const Latents& out, const Places& places, std::tuple<std::size_t, std::size_t> inside, const Vector<std::int32_t>& values,
                  const nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>& means) {
  const lic::Pass pass = pass_of(out, places, inside, values.size());
  const bool has_known = means.shape(0) == pass.channels || means.shape(0) == pass.channels / lic::kGroups;
  if (!has_known || 2 * means.shape(1) < pass.rows || 2 * means.shape(2) < pass.columns)
    throw std::invalid_argument("there must be a mean for every cell of 2x2 latents, of all channels or of the first quarter");
  nb::gil_scoped_release release;
  lic::scatter_sums(pass, values.data(), means.data(), means.shape(0), means.shape(1), means.shape(2), out.data());
}

using Cells = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

lic::Detail make_detail(const Vector<float>& numbers) {
  check_lengths(numbers.size(), "numbers", lic::Detail::kNumbers, "of the layers");
  return lic::Detail(numbers.data());
}

// Whether `inside`, in levels, lies inside a picture, and `out` has room for its pixels.
void check_part(std::size_t height, std::size_t width, std::tuple<std::size_t, std::size_t, std::size_t, std::size_t> inside,
                const nb::ndarray<std::uint16_t, nb::ndim<3>, nb::device::cpu>& out) {
  const auto [top, left, rows, columns] = inside;
  if (top > height || rows > height - top || left > width || columns > width - left)
    throw std::invalid_argument("the part must lie inside the picture");
  if (!in_rows(out, lic::kColours) || out.shape(0) != 16 * rows || out.shape(1) != 16 * columns)
    throw std::invalid_argument("the pixels must be 16 times as many each way as the levels inside, of 3 colours that lie together");
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
  check_part(height, width, inside, out);
  nb::gil_scoped_release release;
  if (!rows || !columns) return;
  lic::kernels().refine(detail, {picture.data(), context.data(), level.data(), 8 * height, 8 * width}, {8 * top, 8 * left, 8 * rows, 8 * columns},
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
  nb::gil_scoped_release release;
  lic::kernels().draw(network, latents.data(), level.data(), height, width, picture.data(), context.data());
}

void paint(const lic::Synthesis& network, const lic::Detail& layers, const Cells& latents,
           const nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& level,
           std::tuple<std::size_t, std::size_t, std::size_t, std::size_t> inside,
           const nb::ndarray<std::uint16_t, nb::ndim<3>, nb::device::cpu>& out) {
  const auto [top, left, rows, columns] = inside;
  const std::size_t height = level.shape(0), width = level.shape(1);
  if (!height || !width || latents.shape(0) != lic::Synthesis::kLatents || latents.shape(1) != height || latents.shape(2) != width)
    throw std::invalid_argument("there must be latents, 384 for every level");
  check_part(height, width, inside, out);
  nb::gil_scoped_release release;
  if (!rows || !columns) return;
  lic::kernels().paint(network, layers, latents.data(), level.data(), height, width, {8 * top, 8 * left, 8 * rows, 8 * columns}, out.data(),
                       static_cast<std::size_t>(out.stride(0)));
}

lic::Scales make_scales(const Vector<std::uint8_t>& numbers, std::size_t stages) {
  if (!stages || stages > lic::Scales::kPasses) throw std::invalid_argument("stages must be 1 to 4, got " + std::to_string(stages));
  check_lengths(numbers.size(), "bytes", lic::Scales::bytes(stages), "of the layers");
  return lic::Scales(lic::Numbers(numbers.data()), stages);
}

void ascend(const lic::Scales& scales, const Cells& latents, const Planes& features) {
  const std::size_t height = latents.shape(1), width = latents.shape(2);
  if (!height || !width) throw std::invalid_argument("there must be hyper-latents");
  if (latents.shape(0) != lic::Hyper::kLatents || features.shape(0) != lic::Hyper::kFeatures || features.shape(1) != 4 * height ||
      features.shape(2) != 4 * width)
    throw std::invalid_argument("there must be 64 hyper-latents of every place, and of 4x4 of these 80 features");
  nb::gil_scoped_release release;
  lic::kernels().ascend(scales.hyper, latents.data(), height, width, features.data());
}

void check_rows(std::size_t first, std::size_t last, std::size_t count) {
  if (first >= last || last > count)
    throw std::invalid_argument("rows must be some of " + std::to_string(count) + ", got " + std::to_string(first) + " to " + std::to_string(last));
}

void find_scales(const lic::Scales& scales, std::size_t number, const Cells& features,
                 const nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& level,
                 const std::optional<nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>>& magnitudes,
                 const nb::ndarray<std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& index, std::size_t first, std::size_t last) {
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
  check_rows(first, last, height / 2);
  nb::gil_scoped_release release;
  lic::kernels().find(stage, features.data(), level.data(), magnitudes ? magnitudes->data() : nullptr, height, width, first, last, index.data());
}

lic::Means make_means(const Vector<std::uint8_t>& numbers, std::size_t hyper_latents, std::size_t latents, std::size_t stages) {
  const lic::Means::Sizes sizes{hyper_latents, lic::Means::features_of(numbers.data(), numbers.size()), latents, stages};
  if (!sizes.legal())
    throw std::invalid_argument("hyper-latents and features must be multiples of 16, latents of 64, and stages 1 to 4");
  check_lengths(numbers.size(), "bytes", sizes.bytes(), "of the layers");
  return lic::Means(lic::Numbers(numbers.data()), sizes);
}

using Field = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

void begin_means(const lic::Means& means, const Cells& hyper_latents, const Field& level, const Planes& features) {
  const std::size_t height = level.shape(0), width = level.shape(1);
  if (!height || !width || height % 4 || width % 4) throw std::invalid_argument("there must be whole squares of 4x4 levels");
  if (hyper_latents.shape(0) != means.sizes.hyper_latents || hyper_latents.shape(1) != height / 4 || hyper_latents.shape(2) != width / 4 ||
      features.shape(0) != height || features.shape(1) != width || features.shape(2) != means.sizes.features)
    throw std::invalid_argument("there must be hyper-latents for every 4x4 levels, and features for every level");
  nb::gil_scoped_release release;
  lic::kernels().begin_means(means, hyper_latents.data(), level.data(), height, width, features.data());
}

// Which of the two `run` says; of so many of the latents.
template <typename Run>
void find_means(const lic::Means& means, std::size_t latents, std::size_t stage, const Cells& features, const Cells& y, const Planes& out,
                std::size_t first, std::size_t last, const Run& run) {
  if (stage >= means.stages.size())
    throw std::invalid_argument("the stage must be below " + std::to_string(means.stages.size()) + ", got " + std::to_string(stage));
  const std::size_t height = features.shape(0), width = features.shape(1);
  if (!height || !width || height % 2 || width % 2) throw std::invalid_argument("there must be whole cells of 2x2 features");
  if (features.shape(2) != means.sizes.features || y.shape(0) != means.sizes.latents || y.shape(1) != height || y.shape(2) != width ||
      out.shape(0) != means.sizes.passes(stage) * latents || out.shape(1) != height / 2 || out.shape(2) != width / 2)
    throw std::invalid_argument("there must be features and latents of every place, and for every 2x2 a mean of each latent and pass");
  check_rows(first, last, height / 2);
  nb::gil_scoped_release release;
  run(means, stage, features.data(), y.data(), {first, last, height, width}, out.data());
}

void find_all_means(const lic::Means& means, std::size_t stage, const Cells& features, const Cells& y, const Planes& out, std::size_t first,
                    std::size_t last) {
  find_means(means, means.sizes.latents, stage, features, y, out, first, last, lic::kernels().find_means);
}

void draft_means(const lic::Means& means, std::size_t stage, const Cells& features, const Cells& y, const Planes& out, std::size_t first,
                 std::size_t last) {
  find_means(means, means.sizes.group(), stage, features, y, out, first, last, lic::kernels().draft_means);
}

}  // namespace

void bind_pictures(nb::module_& module) {
  module.def("scatter_magnitudes", &scatter_magnitudes, nb::arg("out").noconvert(), nb::arg("places"), nb::arg("inside"),
             nb::arg("values").noconvert(), nb::arg("most"));
  module.def("scatter_sums", &scatter_sums, nb::arg("out").noconvert(), nb::arg("places"), nb::arg("inside"),
             nb::arg("values").noconvert(), nb::arg("means").noconvert());
  nb::class_<lic::Detail>(module, "Detail")
      .def("__init__", [](lic::Detail* self, const Vector<float>& numbers) { new (self) lic::Detail(make_detail(numbers)); },
           nb::arg("numbers").noconvert())
      .def_static("fast", &lic::fast_kernels)
      .def("draw", &draw, nb::arg("picture").noconvert(), nb::arg("context").noconvert(), nb::arg("level").noconvert(),
           nb::arg("inside"), nb::arg("out").noconvert());
  nb::class_<lic::Means>(module, "Means")
      .def(
          "__init__",
          [](lic::Means* self, const Vector<std::uint8_t>& numbers, std::size_t hyper_latents, std::size_t latents, std::size_t stages) {
            new (self) lic::Means(make_means(numbers, hyper_latents, latents, stages));
          },
          nb::arg("numbers").noconvert(), nb::arg("hyper_latents"), nb::arg("latents"), nb::arg("stages"))
      .def_static("fast", &lic::fast_kernels)
      .def_prop_ro("features", [](const lic::Means& self) { return self.sizes.features; })
      .def("begin", &begin_means, nb::arg("hyper_latents").noconvert(), nb::arg("level").noconvert(), nb::arg("features").noconvert())
      .def("find", &find_all_means, nb::arg("stage"), nb::arg("features").noconvert(), nb::arg("y").noconvert(),
           nb::arg("means").noconvert(), nb::arg("first"), nb::arg("last"))
      .def("draft", &draft_means, nb::arg("stage"), nb::arg("features").noconvert(), nb::arg("y").noconvert(),
           nb::arg("means").noconvert(), nb::arg("first"), nb::arg("last"));
  nb::class_<lic::Scales>(module, "Scales")
      .def(
          "__init__",
          [](lic::Scales* self, const Vector<std::uint8_t>& numbers, std::size_t stages) {
            new (self) lic::Scales(make_scales(numbers, stages));
          },
          nb::arg("numbers").noconvert(), nb::arg("stages"))
      .def_static("fast", &lic::fast_kernels)
      .def_ro_static("FEATURES", &lic::Hyper::kFeatures)
      .def("begin", &ascend, nb::arg("hyper_latents").noconvert(), nb::arg("features").noconvert())
      .def("find", &find_scales, nb::arg("stage"), nb::arg("features").noconvert(), nb::arg("level").noconvert(),
           nb::arg("magnitudes").noconvert().none(), nb::arg("index").noconvert(), nb::arg("first"), nb::arg("last"));
  nb::class_<lic::Synthesis>(module, "Synthesis")
      .def("__init__", [](lic::Synthesis* self, const Vector<std::uint8_t>& numbers) { new (self) lic::Synthesis(make_synthesis(numbers)); },
           nb::arg("numbers").noconvert())
      .def_static("fast", &lic::fast_kernels)
      .def("draw", &synthesise, nb::arg("latents").noconvert(), nb::arg("level").noconvert(), nb::arg("picture").noconvert(),
           nb::arg("context").noconvert())
      .def("paint", &paint, nb::arg("detail"), nb::arg("latents").noconvert(), nb::arg("level").noconvert(), nb::arg("inside"),
           nb::arg("out").noconvert());
  module.def("kernels", [] {
    std::vector<std::string> names;
    for (const lic::Kernels* one : lic::all_kernels()) names.emplace_back(one->name);
    return names;
  });
  module.def("use_kernels", [](const std::string& name) {
    if (!lic::use_kernels(name)) throw std::invalid_argument("this processor has no kernels of the name " + name);
  }, nb::arg("name"));
}
