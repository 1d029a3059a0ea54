// Near-lossless colours for numpy: snapping.hpp.
#include "bindings.hpp"
#include "snapping.hpp"

#include <algorithm>
#include <optional>

namespace {

using Tile = nb::ndarray<std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Shown = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Before = std::tuple<Shown, Shown, Vector<std::uint32_t>>;
using Snapped = std::tuple<Result<std::int32_t>, Result<std::uint8_t>, Result<std::uint8_t>, Result<std::uint32_t>>;

constexpr std::size_t kColors = lic::SnapPalette::kMost + 1;

lic::Snapping::State state_of(const Before& before, const Tile& colors) {
  const auto& [shown, palette, counts] = before;
  if (shown.shape(0) != colors.shape(0) || shown.shape(1) != colors.shape(1)) throw std::invalid_argument("there must be an index for every pixel");
  if (palette.shape(1) != colors.shape(2) || !palette.shape(0) || palette.shape(0) >= kColors)
    throw std::invalid_argument("there must be 1 to " + std::to_string(kColors - 1) + " colours of as many channels as the pixels have");
  if (counts.shape(0) != kColors + 3) throw std::invalid_argument("there must be " + std::to_string(kColors + 3) + " counts");
  lic::Snapping::State state;
  state.shown.assign(shown.data(), shown.data() + shown.size());
  for (const std::uint8_t index : state.shown)
    if (index != lic::SnapPalette::kHole && index >= palette.shape(0)) throw std::invalid_argument("indexes must be of colours");
  state.colors.assign(palette.data(), palette.data() + palette.size());
  std::copy_n(counts.data(), kColors, state.counts.colors.begin());
  state.counts.runs = counts.data()[kColors];
  state.counts.near = counts.data()[kColors + 1];
  state.counts.far = counts.data()[kColors + 2];
  return state;
}

Snapped snap(const Tile& colors, const Flags& exact, std::uint32_t slope, unsigned passes, const std::optional<Before>& before) {
  const std::size_t height = colors.shape(0), width = colors.shape(1), channels = colors.shape(2);
  if (channels < 1 || channels > 3) throw std::invalid_argument("colours must have 1 to 3 channels, got " + std::to_string(channels));
  if (exact.shape(0) != height || exact.shape(1) != width) throw std::invalid_argument("there must be a flag for every pixel");
  if (height && width > lic::Snapping::kMostPixels / height)
    throw std::invalid_argument("there may be " + std::to_string(lic::Snapping::kMostPixels) + " pixels, got " + std::to_string(width) + "x" + std::to_string(height));
  std::optional<lic::Snapping::State> known;
  if (before) known = state_of(*before, colors);
  lic::Snapping::State state;
  std::vector<std::int32_t> bits;
  {
    nb::gil_scoped_release release;
    const auto* flags = reinterpret_cast<const std::uint8_t*>(exact.data());
    lic::Snapping snapping(colors.data(), flags, height, width, channels, slope, known);
    snapping.run(passes);
    snapping.show(colors.data());
    bits = snapping.bits();
    state = snapping.state();
  }
  std::vector<std::uint32_t> counts(state.counts.colors.begin(), state.counts.colors.end());
  counts.insert(counts.end(), {state.counts.runs, state.counts.near, state.counts.far});
  return {owned(std::move(bits)), owned(std::move(state.shown)), owned(std::move(state.colors)), owned(std::move(counts))};
}

}  // namespace

void bind_snapping(nb::module_& module) {
  module.def("snap", &snap, nb::arg("colors"), nb::arg("exact"), nb::arg("slope"), nb::arg("passes"), nb::arg("before") = nb::none());
}
