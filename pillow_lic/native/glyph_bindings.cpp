// The search for glyphs for numpy: glyph_pixels.hpp.
#include "bindings.hpp"
#include "glyph_pixels.hpp"

namespace {

using Colors = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Reals = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Blocks = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

constexpr std::size_t kPixels = lic::kBlockPixels, kMostKinds = 32, kMostChannels = 4;

std::tuple<Result<std::uint32_t>, Result<std::int64_t>> beside_kinds(const Colors& colors, const Flags& within, const Rows& kinds,
                                                                      std::uint8_t near, std::uint8_t far) {
  const lic::Tile tile{colors.shape(0), colors.shape(1), colors.shape(2)};
  if (tile.channels < 1 || tile.channels > kMostChannels) throw std::invalid_argument("colours must have 1 to 4 channels");
  check_lengths(within.shape(0), "rows of flags", tile.height, "of colours");
  check_lengths(within.shape(1), "columns of flags", tile.width, "of colours");
  check_lengths(kinds.shape(1), "channels of kinds", tile.channels, "of colours");
  const std::size_t n = tile.height * tile.width, number = kinds.shape(0);
  if (number > kMostKinds) throw std::invalid_argument("there may be 32 kinds, got " + std::to_string(number));
  auto own = unset<std::uint32_t>(n);
  std::vector<std::int64_t> counts;
  {
    nb::gil_scoped_release release;
    const auto* flags = reinterpret_cast<const std::uint8_t*>(within.data());
    for (const lic::Beside& one : lic::beside_kinds(tile, colors.data(), flags, kinds.data(), number, near, far, own.get()))
      counts.insert(counts.end(), {one.all, one.near, one.far});
  }
  return {owned(std::move(own), n), owned(std::move(counts))};
}

// Returns the channels.
std::size_t check_blocks(const Blocks& pixels, const Blocks& ground) {
  check_lengths(pixels.shape(1), "pixels", kPixels, "of a block");
  for (int axis = 0; axis < 3; ++axis) check_lengths(ground.shape(axis), "lengths of grounds", pixels.shape(axis), "of blocks");
  if (pixels.shape(2) < 1 || pixels.shape(2) > kMostChannels) throw std::invalid_argument("blocks must have 1 to 4 channels");
  return pixels.shape(2);
}

std::tuple<Result<std::uint8_t>, Result<std::uint8_t>, Result<bool>, Result<std::int64_t>> blended_inks(
    const Blocks& pixels, const Blocks& ground, const Flags& foreground, const Reals& contrasts, const Reals& inks, float tolerance, float explained,
    std::size_t seen, std::size_t most) {
  const std::size_t channels = check_blocks(pixels, ground), n = pixels.shape(0);
  check_lengths(foreground.shape(0), "rows of flags", n, "blocks");
  check_lengths(foreground.shape(1), "flags", kPixels, "pixels of a block");
  check_lengths(contrasts.shape(0), "rows of contrasts", n, "blocks");
  check_lengths(contrasts.shape(1), "contrasts", kPixels, "pixels of a block");
  check_lengths(inks.shape(1), "channels of inks", channels, "of blocks");
  if (!seen) throw std::invalid_argument("seen must be at least 1, got 0");
  auto ink = unset<std::uint8_t>(n * kPixels * channels), cover = unset<std::uint8_t>(n * kPixels);
  auto is_explained = unset<bool>(n);
  auto cores = unset<std::int64_t>(n);
  {
    nb::gil_scoped_release release;
    lic::Blends blends(inks.data(), inks.shape(0), channels, tolerance, explained, seen);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t first = i * kPixels;
      const auto* flags = reinterpret_cast<const std::uint8_t*>(foreground.data()) + first;
      const lic::Blends::Found found = blends.explain({pixels.data() + first * channels, ground.data() + first * channels, contrasts.data() + first,
                                                       flags, ink.get() + first * channels, cover.get() + first}, most);
      is_explained[i] = found.is_explained;
      cores[i] = static_cast<std::int64_t>(found.core);
    }
  }
  return {owned(std::move(ink), n * kPixels * channels), owned(std::move(cover), n * kPixels), owned(std::move(is_explained), n), owned(std::move(cores), n)};
}

Result<bool> varying(const Blocks& pixels, const Blocks& ground, std::size_t side, float least) {
  const std::size_t channels = check_blocks(pixels, ground), n = pixels.shape(0);
  if (!side || lic::kDrawnBlock % side) throw std::invalid_argument("a side must divide 16, got " + std::to_string(side));
  auto result = unset<bool>(n * kPixels);
  {
    nb::gil_scoped_release release;
    for (std::size_t i = 0; i < n; ++i)
      lic::varying(pixels.data() + i * kPixels * channels, ground.data() + i * kPixels * channels, channels, side, least,
                   reinterpret_cast<std::uint8_t*>(result.get()) + i * kPixels);
  }
  return owned(std::move(result), n * kPixels);
}

}  // namespace

void bind_glyphs(nb::module_& module) {
  module.def("beside_kinds", &beside_kinds, nb::arg("colors").noconvert(), nb::arg("within").noconvert(), nb::arg("kinds").noconvert(),
             nb::arg("near"), nb::arg("far"));
  module.def("blended_inks", &blended_inks, nb::arg("pixels").noconvert(), nb::arg("ground").noconvert(), nb::arg("foreground").noconvert(),
             nb::arg("contrasts").noconvert(), nb::arg("inks").noconvert(), nb::arg("tolerance"), nb::arg("explained"), nb::arg("seen"),
             nb::arg("most"));
  module.def("varying", &varying, nb::arg("pixels").noconvert(), nb::arg("ground").noconvert(), nb::arg("side"), nb::arg("least"));
}
