// The shape of a tile, and of its blocks.
#pragma once

#include <cstddef>

namespace lic {

constexpr std::size_t kDrawnBlock = 16;  // side of a block in pixels, and of the squares whose means a ground begins with

// The shape of pixels of interleaved channels, 1 to 4 of them.
struct Tile {
  std::size_t height, width, channels;

  std::size_t at(std::size_t y, std::size_t x) const { return (y * width + x) * channels; }
  std::size_t rows() const { return (height + kDrawnBlock - 1) / kDrawnBlock; }
  std::size_t columns() const { return (width + kDrawnBlock - 1) / kDrawnBlock; }
};

}  // namespace lic
