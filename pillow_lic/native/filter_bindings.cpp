// The filter of pixels for numpy, and the search for its coefficients: filter.hpp, filter_sums.hpp and filter_sweep.hpp.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "bindings.hpp"
#include "filter_sums.hpp"
#include "filter_sweep.hpp"

namespace {

void spread(const nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>& cells, std::size_t first, std::size_t last,
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

void copy_coefficients(const std::int16_t* from, std::size_t count, std::int16_t* to) {
  for (std::size_t tap = 0; tap < count; ++tap)
    if (std::abs(from[tap]) > lic::kLargestCoefficient)
      throw std::invalid_argument("coefficients must be -127..127, got " + std::to_string(from[tap]));
  std::copy_n(from, count, to);
}

void filtered(const nb::ndarray<const std::uint16_t, nb::ndim<3>, nb::device::cpu>& pixels,
              std::tuple<std::size_t, std::size_t, std::size_t, std::size_t> inside, const Taps& taps, const Directed& directed,
              const Alternating& alternating, int threshold, int shift, const nb::ndarray<std::uint8_t, nb::ndim<3>, nb::device::cpu>& out) {
  const auto [top, left, rows, columns] = inside;
  const std::size_t height = pixels.shape(0), width = pixels.shape(1);
  if (!in_rows(pixels, lic::kColours) || top > height || rows > height - top || left > width || columns > width - left)
    throw std::invalid_argument("the part must lie inside an array of 3 colours that lie together");
  if (!in_rows(out, lic::kColours) || out.shape(0) != rows || out.shape(1) != columns)
    throw std::invalid_argument("what comes out must be as many pixels as the part has, of 3 colours that lie together");
  if (threshold < 0 || threshold > lic::kLargest || shift < 0 || shift > lic::kLargestShift)
    throw std::invalid_argument("threshold must be 0-" + std::to_string(lic::kLargest) + " and shift 0-" +
                                std::to_string(lic::kLargestShift) + ", got " + std::to_string(threshold) + " and " +
                                std::to_string(shift));
  lic::Filter filter{{}, {}, {}, static_cast<std::int16_t>(threshold), shift};
  copy_coefficients(taps.data(), taps.size(), &filter.coefficients[0][0][0]);
  copy_coefficients(directed.data(), directed.size(), &filter.directed[0][0]);
  copy_coefficients(alternating.data(), alternating.size(), &filter.alternating[0][0][0][0]);
  nb::gil_scoped_release release;
  if (!rows || !columns) return;
  lic::filtered(pixels.data(), height, width, static_cast<std::size_t>(pixels.stride(0)), top, left, rows, columns, filter, out.data(),
                static_cast<std::size_t>(out.stride(0)));
}

nb::ndarray<nb::numpy, std::int64_t, nb::ndim<2>> filter_sums(
    const Fine& pixels, const nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& picture,
    std::size_t first, std::size_t last, std::size_t every, int threshold) {
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (pixels.shape(axis) != picture.shape(axis) || pixels.shape(2) != lic::kColours)
      throw std::invalid_argument("pixels and picture must be of one shape, of 3 colours");
  if (threshold < 0 || threshold > lic::kLargest || !every)
    throw std::invalid_argument("threshold must be 0-" + std::to_string(lic::kLargest) + ", got " + std::to_string(threshold));
  if (first > last || last > pixels.shape(0)) throw std::invalid_argument("rows must be those of the picture");
  constexpr std::size_t columns = lic::kFeatures + lic::kColours;
  auto sums = std::make_unique<std::int64_t[]>(lic::kFeatures * columns);
  {
    nb::gil_scoped_release release;
    lic::add_sums(pixels.data(), picture.data(), pixels.shape(0), pixels.shape(1), first, last, every, static_cast<std::int16_t>(threshold),
                  sums.get());
  }
  nb::capsule owner(sums.get(), [](void* pointer) noexcept { delete[] static_cast<std::int64_t*>(pointer); });
  return {sums.release(), {lic::kFeatures, columns}, owner};
}

template <typename T, std::size_t axes>
using Array = nb::ndarray<T, nb::ndim<axes>, nb::c_contig, nb::device::cpu>;

void filter_sweep(const Array<double, 3>& coefficients, const Array<double, 3>& slopes, const Array<const double, 2>& gram,
                  const Vector<double>& steps, const Array<const double, 2>& prices, const Array<const std::int64_t, 3>& tables) {
  constexpr std::size_t kSizes = lic::kLargestCoefficient + 1;
  const std::size_t count = steps.size(), places = gram.shape(0);
  const auto sized = [&](const auto& array) { return array.shape(0) == count && array.shape(1) == places && array.shape(2) == lic::kColours; };
  if (!sized(coefficients) || !sized(slopes) || !sized(tables) || gram.shape(1) != places || prices.shape(1) != kSizes)
    throw std::invalid_argument("there must be a coefficient, a slope and a table for every step, place and colour, and prices of 0-127");
  const std::size_t n = count * places * lic::kColours, tables_of = prices.shape(0);
  const double* known = coefficients.data();
  if (std::any_of(tables.data(), tables.data() + n, [&](std::int64_t table) { return table < 0 || static_cast<std::size_t>(table) >= tables_of; }) ||
      !std::all_of(known, known + n, [](double value) { return std::fabs(value) <= lic::kLargestCoefficient; }))
    throw std::invalid_argument("coefficients must be -127 to 127, and tables those that have prices");
  nb::gil_scoped_release release;
  lic::Sweep{count, places, gram.data(), steps.data(), prices.data(), tables.data()}.run(coefficients.data(), slopes.data());
}

}  // namespace

void bind_filters(nb::module_& module) {
  module.def("spread", &spread, nb::arg("cells").noconvert(), nb::arg("first"), nb::arg("last"), nb::arg("out").noconvert());
  module.def("filtered", &filtered, nb::arg("pixels").noconvert(), nb::arg("inside"), nb::arg("taps").noconvert(),
             nb::arg("directed").noconvert(), nb::arg("alternating").noconvert(), nb::arg("threshold"), nb::arg("shift"),
             nb::arg("out").noconvert());
  module.def("filter_sums", &filter_sums, nb::arg("pixels").noconvert(), nb::arg("picture").noconvert(), nb::arg("first"),
             nb::arg("last"), nb::arg("every"), nb::arg("threshold"));
  module.def("filter_sweep", &filter_sweep, nb::arg("coefficients").noconvert(), nb::arg("slopes").noconvert(), nb::arg("gram").noconvert(),
             nb::arg("steps").noconvert(), nb::arg("prices").noconvert(), nb::arg("tables").noconvert());
}
