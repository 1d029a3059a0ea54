// What is done pixel by pixel for the exact layer, for numpy: pixelwise.hpp, continuation.hpp, kinds.hpp, leaders.hpp and block_planes.hpp.
#include <cmath>

#include "bindings.hpp"
#include "block_planes.hpp"
#include "continuation.hpp"
#include "pixelwise.hpp"
#include "kinds.hpp"
#include "leaders.hpp"

namespace {

using Colors = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Means = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Places = Vector<std::int64_t>;

lic::Tile tile_of(const Colors& colors) {
  const lic::Tile tile{colors.shape(0), colors.shape(1), colors.shape(2)};
  if (!tile.height || !tile.width || tile.channels < 1 || tile.channels > 4)
    throw std::invalid_argument("colours must have 1 to 4 channels and at least a pixel");
  return tile;
}

Result<std::uint8_t> continued(const Colors& colors, const Flags& gone, const Means& coarse) {
  const lic::Tile tile = tile_of(colors);
  check_lengths(gone.shape(0), "rows of flags", tile.height, "of colours");
  check_lengths(gone.shape(1), "columns of flags", tile.width, "of colours");
  check_lengths(coarse.shape(0), "rows of means", tile.rows(), "of blocks");
  check_lengths(coarse.shape(1), "columns of means", tile.columns(), "of blocks");
  check_lengths(coarse.shape(2), "channels of means", tile.channels, "of colours");
  const std::size_t n = colors.size();
  auto result = unset<std::uint8_t>(n);
  {
    nb::gil_scoped_release release;
    std::copy_n(colors.data(), n, result.get());
    const auto* flags = reinterpret_cast<const std::uint8_t*>(gone.data());
    const lic::Continuation continuation(tile, colors.data(), flags, coarse.data());
    for (std::size_t y = 0; y < tile.height; y += lic::kDrawnBlock)
      for (std::size_t x = 0; x < tile.width; x += lic::kDrawnBlock) {
        bool any = false;
        for (std::size_t row = y; row < std::min(y + lic::kDrawnBlock, tile.height) && !any; ++row)
          any = std::any_of(flags + row * tile.width + x, flags + row * tile.width + std::min(x + lic::kDrawnBlock, tile.width),
                            [](std::uint8_t flag) { return flag != 0; });
        if (any) continuation.write(y, x, result.get() + tile.at(y, x), tile.width * tile.channels);
      }
  }
  return owned(std::move(result), n);
}

std::tuple<Result<std::uint32_t>, Result<std::int64_t>, Result<std::int64_t>> distinct(const Vector<std::uint32_t>& numbers) {
  lic::Distinct found;
  {
    nb::gil_scoped_release release;
    found = lic::distinct(numbers.data(), numbers.size());
  }
  return {owned(std::move(found.kinds)), owned(std::move(found.places)), owned(std::move(found.counts))};
}

void check_channels(const Rows& colors) {
  if (colors.shape(1) < 1 || colors.shape(1) > 4) throw std::invalid_argument("colours must have 1 to 4 channels");
}

Result<std::int64_t> leaders(const Rows& colors, const Vector<std::int64_t>& order, std::size_t fixed, std::int32_t limit,
                             std::size_t most) {
  check_channels(colors);
  std::vector<std::int64_t> found;
  {
    nb::gil_scoped_release release;
    const auto n = static_cast<std::int64_t>(colors.shape(0));
    if (std::any_of(order.data(), order.data() + order.size(), [n](std::int64_t row) { return row < 0 || row >= n; }))
      throw std::invalid_argument("an order must be of rows below " + std::to_string(n));
    found = lic::leaders(colors.data(), colors.shape(1), order.data(), order.size(), fixed, limit, most);
  }
  return owned(std::move(found));
}

Result<std::int64_t> nearest(const Rows& colors, const Rows& staying) {
  check_channels(colors);
  check_lengths(colors.shape(1), "channels", staying.shape(1), "that stay");
  auto rows = unset<std::int64_t>(colors.shape(0));
  {
    nb::gil_scoped_release release;
    lic::nearest(colors.data(), colors.shape(0), staying.data(), staying.shape(0), colors.shape(1), rows.get());
  }
  return owned(std::move(rows), colors.shape(0));
}

Result<bool> flat(const Colors& colors, std::uint8_t within) {
  const lic::Tile tile = tile_of(colors);
  const std::size_t n = tile.height * tile.width;
  auto result = unset<bool>(n);
  {
    nb::gil_scoped_release release;
    lic::flat(tile, colors.data(), within, reinterpret_cast<std::uint8_t*>(result.get()));
  }
  return owned(std::move(result), n);
}

Result<float> contrast(const Colors& colors) {
  const lic::Tile tile = tile_of(colors);
  const std::size_t n = tile.rows() * tile.columns();
  auto result = unset<float>(n);
  {
    nb::gil_scoped_release release;
    lic::contrast(tile, colors.data(), result.get());
  }
  return owned(std::move(result), n);
}

// What a measure gives of every block of what is shown instead of what is wanted.
template <auto measure>
Result<float> compared(const Colors& shown, const Colors& wanted) {
  const lic::Tile tile = tile_of(wanted);
  for (int axis = 0; axis < 3; ++axis)
    check_lengths(shown.shape(axis), "lengths of what is shown", wanted.shape(axis), "of what is wanted");
  const std::size_t n = tile.rows() * tile.columns();
  auto result = unset<float>(n);
  {
    nb::gil_scoped_release release;
    measure(tile, shown.data(), wanted.data(), result.get());
  }
  return owned(std::move(result), n);
}

constexpr std::size_t kPixels = lic::kDrawnBlock * lic::kDrawnBlock;

Result<float> marked(const Flags& flags) {
  const std::size_t side = lic::kDrawnBlock, n = (flags.shape(0) + side - 1) / side * ((flags.shape(1) + side - 1) / side);
  auto result = unset<float>(n);
  {
    nb::gil_scoped_release release;
    lic::marked(flags.shape(0), flags.shape(1), reinterpret_cast<const std::uint8_t*>(flags.data()), result.get());
  }
  return owned(std::move(result), n);
}

Result<std::uint8_t> strokes(const Colors& colors, int sides, std::size_t away, std::uint8_t step) {
  const lic::Tile tile = tile_of(colors);
  if (!away) throw std::invalid_argument("away must be at least 1, got 0");
  const std::size_t n = tile.height * tile.width;
  auto result = unset<std::uint8_t>(n);
  {
    nb::gil_scoped_release release;
    lic::strokes(tile, colors.data(), sides, away, step, result.get());
  }
  return owned(std::move(result), n);
}

lic::Blocks blocks_of(const Colors& colors, const Places& places) {
  const lic::Tile tile = tile_of(colors);
  const auto n = static_cast<std::int64_t>((tile.height / lic::kDrawnBlock) * (tile.width / lic::kDrawnBlock));
  if (std::any_of(places.data(), places.data() + places.size(), [n](std::int64_t place) { return place < 0 || place >= n; }))
    throw std::invalid_argument("places must be of whole blocks, below " + std::to_string(n));
  return {tile, colors.data()};
}

void check_planes(const Means& planes, std::size_t n, std::size_t channels) {
  check_lengths(planes.shape(0), "planes", n, "places");
  check_lengths(planes.shape(1), "numbers", 3, "of a plane");
  check_lengths(planes.shape(2), "channels of planes", channels, "of colours");
}

std::tuple<Result<bool>, Result<float>> near_planes(const Colors& colors, const Places& places, const Means& planes, float most) {
  const lic::Blocks blocks = blocks_of(colors, places);
  const std::size_t n = places.size(), numbers = 3 * blocks.tile.channels;
  check_planes(planes, n, blocks.tile.channels);
  auto near = unset<bool>(n * kPixels);
  auto noise = unset<float>(n);
  {
    nb::gil_scoped_release release;
    for (std::size_t i = 0; i < n; ++i)
      noise[i] = lic::near_plane(blocks, places.data()[i], planes.data() + i * numbers, most,
                                 reinterpret_cast<std::uint8_t*>(near.get()) + i * kPixels);
  }
  return {owned(std::move(near), n * kPixels), owned(std::move(noise), n)};
}

Result<float> fit_planes(const Colors& colors, const Places& places, const Flags& marked, const std::optional<Means>& prior, double trust) {
  const lic::Blocks blocks = blocks_of(colors, places);
  const std::size_t n = places.size(), numbers = 3 * blocks.tile.channels;
  check_lengths(marked.shape(0), "rows of flags", n, "places");
  check_lengths(marked.shape(1), "flags", kPixels, "pixels of a block");
  if (prior) check_planes(*prior, n, blocks.tile.channels);
  auto planes = unset<float>(n * numbers);
  {
    nb::gil_scoped_release release;
    for (std::size_t i = 0; i < n; ++i)
      lic::fit_plane(blocks, places.data()[i], reinterpret_cast<const std::uint8_t*>(marked.data()) + i * kPixels,
                     prior ? prior->data() + i * numbers : nullptr, trust, planes.get() + i * numbers);
  }
  return owned(std::move(planes), n * numbers);
}

}  // namespace

void bind_pixelwise(nb::module_& module) {
  module.def("continued", &continued, nb::arg("colors").noconvert(), nb::arg("gone").noconvert(), nb::arg("coarse").noconvert());
  module.def("distinct", &distinct, nb::arg("numbers").noconvert());
  module.def("leaders", &leaders, nb::arg("colors").noconvert(), nb::arg("order").noconvert(), nb::arg("fixed"), nb::arg("limit"),
             nb::arg("most"));
  module.def("nearest", &nearest, nb::arg("colors").noconvert(), nb::arg("staying").noconvert());
  module.def("flat", &flat, nb::arg("colors").noconvert(), nb::arg("within"));
  module.def("contrast", &contrast, nb::arg("colors").noconvert());
  module.def("squared_errors", &compared<&lic::errors>, nb::arg("shown").noconvert(), nb::arg("wanted").noconvert());
  module.def("squared_shifts", &compared<&lic::shifts>, nb::arg("shown").noconvert(), nb::arg("wanted").noconvert());
  module.def("marked", &marked, nb::arg("flags").noconvert());
  module.def("strokes", &strokes, nb::arg("colors").noconvert(), nb::arg("sides"), nb::arg("away"), nb::arg("step"));
  module.def("near_planes", &near_planes, nb::arg("colors").noconvert(), nb::arg("places").noconvert(), nb::arg("planes").noconvert(),
             nb::arg("most"));
  module.def("fit_planes", &fit_planes, nb::arg("colors").noconvert(), nb::arg("places").noconvert(), nb::arg("marked").noconvert(),
             nb::arg("prior").noconvert().none(), nb::arg("trust"));
}
