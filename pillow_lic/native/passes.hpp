// What a pass over the latents of a tile adds to arrays (channels, height, width): one place of each cell of 2x2 in every quarter of the
// channels (FORMAT.md, 8.3). The values of a pass come in coding order: quarter, channel, row, column, of the latents inside the picture.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dependent.hpp"
#include "trellis.hpp"

namespace lic {

constexpr std::size_t kGroups = 4;

struct Pass {
  std::size_t channels, height, width;  // of the array
  std::size_t rows, columns;            // inside the picture
  std::size_t places[kGroups];          // 2 * (row % 2) + column % 2, of each quarter

  bool legal() const {
    return channels % kGroups == 0 && rows <= height && columns <= width &&
           std::all_of(places, places + kGroups, [](std::size_t place) { return place < 4; });
  }

  std::size_t count() const {
    std::size_t n = 0;
    for (const std::size_t place : places) n += channels / kGroups * ((rows + 1 - place / 2) / 2) * ((columns + 1 - place % 2) / 2);
    return n;
  }

  // Calls each(channel, row of cells, first place in the array, number in coding order, how many) for every run of every other latent.
  template <typename Each>
  void runs(const Each& each) const {
    std::size_t from = 0;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const std::size_t place = places[channel / (channels / kGroups)], n = (columns + 1 - place % 2) / 2;
      for (std::size_t row = place / 2; row < rows; row += 2, from += n) each(channel, row / 2, (channel * height + row) * width + place % 2, from, n);
    }
  }
};

constexpr std::uint32_t kMostMagnitude = 255;

// In steps, half up, at most `most`, of values in twentieths of a step.
LIC_VERSIONS inline void add_magnitudes(const std::int32_t* values, std::size_t n, std::uint32_t most, std::uint8_t* out) {
  constexpr std::uint32_t kTwentieth = 3277;  // of 2^16: right below 16384
  const std::uint32_t largest = std::uint32_t{kStep} * most;
  for (std::size_t k = 0; k < n; ++k) {
    const std::uint32_t value = static_cast<std::uint32_t>(values[k]), size = std::min(values[k] < 0 ? 0u - value : value, largest);
    out[k] = static_cast<std::uint8_t>((size + kStep / 2) * kTwentieth >> 16);
  }
}

// The magnitudes of values in twentieths of a step: in steps, half up, at most `most`, which is at most kMostMagnitude.
inline void scatter_magnitudes(const Pass& pass, const std::int32_t* values, std::uint32_t most, std::uint8_t* out) {
  std::vector<std::uint8_t> made(pass.columns);
  pass.runs([&](std::size_t, std::size_t, std::size_t to, std::size_t from, std::size_t n) {
    add_magnitudes(values + from, n, most, made.data());
    for (std::size_t k = 0; k < n; ++k) out[to + 2 * k] = made[k];
  });
}

// Values and the means (channels, cells down, cells across) of the first `known` channels, in steps; those of the others are 0.
inline void scatter_sums(const Pass& pass, const std::int32_t* values, const float* means, std::size_t known, std::size_t down, std::size_t across,
                         float* out) {
  constexpr float kUnit = static_cast<float>(kStep);
  pass.runs([&](std::size_t channel, std::size_t cell, std::size_t to, std::size_t from, std::size_t n) {
    if (channel >= known) {
      for (std::size_t k = 0; k < n; ++k) out[to + 2 * k] = static_cast<float>(values[from + k]) / kUnit;
      return;
    }
    const float* mean = means + (channel * down + cell) * across;
    for (std::size_t k = 0; k < n; ++k) out[to + 2 * k] = mean[k] + static_cast<float>(values[from + k]) / kUnit;
  });
}

}  // namespace lic
