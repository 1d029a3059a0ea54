// Planes through the pixels of blocks: the smooth grounds beneath glyphs (pillow_lic/exact/grounds.py).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "tile.hpp"

namespace lic {

// Blocks of a tile of whole ones, by raster index, and planes over them: at the middle, from the first row to the row after the last,
// and as much for columns, `channels` numbers each.
struct Blocks {
  Tile tile;
  const std::uint8_t* colors;

  const std::uint8_t* of(std::int64_t place) const {
    const std::size_t across = tile.width / kDrawnBlock, index = static_cast<std::size_t>(place);
    return colors + tile.at(index / across * kDrawnBlock, index % across * kDrawnBlock);
  }
};

inline float middle_of(std::size_t place) { return static_cast<float>(place) / kDrawnBlock - 0.5f; }

// Which pixels of a block are within `most` levels of its plane in every channel; returns the mean square of their distances.
inline float near_plane(const Blocks& blocks, std::int64_t place, const float* plane, float most, std::uint8_t* near) {
  const std::size_t channels = blocks.tile.channels;
  const std::uint8_t* pixels = blocks.of(place);
  float total = 0;
  std::size_t count = 0;
  for (std::size_t y = 0; y < kDrawnBlock; ++y) {
    float away[kDrawnBlock] = {};
    for (std::size_t c = 0; c < channels; ++c) {
      const float begin = plane[c] + middle_of(y) * plane[channels + c], slope = plane[2 * channels + c];
      for (std::size_t x = 0; x < kDrawnBlock; ++x)
        away[x] = std::max(away[x], std::abs(static_cast<float>(pixels[x * channels + c]) - (begin + middle_of(x) * slope)));
    }
    for (std::size_t x = 0; x < kDrawnBlock; ++x) {
      const bool is_near = away[x] <= most;
      near[y * kDrawnBlock + x] = is_near;
      if (is_near) total += away[x] * away[x], ++count;
    }
    pixels += blocks.tile.width * channels;
  }
  return total / static_cast<float>(std::max<std::size_t>(count, 1));
}

// The plane that fits the marked pixels of a block best, by least squares; of a prior too, if there is one, with weight `trust` a pixel.
inline void fit_plane(const Blocks& blocks, std::int64_t place, const std::uint8_t* marked, const float* prior, double trust, float* plane) {
  const std::size_t channels = blocks.tile.channels;
  const std::uint8_t* pixels = blocks.of(place);
  double matrix[3][3] = {}, sides[3][4] = {};
  for (std::size_t y = 0; y < kDrawnBlock; ++y) {
    for (std::size_t x = 0; x < kDrawnBlock; ++x) {
      const double basis[3] = {1, middle_of(y), middle_of(x)};
      const bool is_marked = marked[y * kDrawnBlock + x] != 0;
      const double weight = (is_marked ? 1.0 : 0.0) + (prior ? trust : 0.0);
      if (weight == 0) continue;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) matrix[i][j] += weight * basis[i] * basis[j];
      for (std::size_t c = 0; c < channels; ++c) {
        double value = is_marked ? pixels[x * channels + c] : 0;
        if (prior) value += trust * (prior[c] + basis[1] * prior[channels + c] + basis[2] * prior[2 * channels + c]);
        for (int i = 0; i < 3; ++i) sides[i][c] += basis[i] * value;
      }
    }
    pixels += blocks.tile.width * channels;
  }
  for (int i = 0; i < 3; ++i) matrix[i][i] += 1e-3;  // a block without marked pixels has a plane too
  for (int i = 0; i < 3; ++i)  // positive definite: no pivot is needed
    for (int row = i + 1; row < 3; ++row) {
      const double part = matrix[row][i] / matrix[i][i];
      for (int j = i; j < 3; ++j) matrix[row][j] -= part * matrix[i][j];
      for (std::size_t c = 0; c < channels; ++c) sides[row][c] -= part * sides[i][c];
    }
  for (std::size_t c = 0; c < channels; ++c)
    for (int i = 2; i >= 0; --i) {
      double value = sides[i][c];
      for (int j = i + 1; j < 3; ++j) value -= matrix[i][j] * plane[j * channels + c];
      plane[i * channels + c] = static_cast<float>(value / matrix[i][i]);
    }
}

}  // namespace lic
