// Passes over the pixels of a layer and of what lies beneath (pillow_lic/exact), each a line of numpy that would take several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "pixelwise.hpp"

namespace lic {

// The pixels of one picture where they are marked, those of another elsewhere.
inline void chosen(const Tile& tile, const std::uint8_t* marked, const std::uint8_t* one, const std::uint8_t* other, std::uint8_t* out) {
  const std::size_t channels = tile.channels;
  for (std::size_t pixel = 0; pixel < tile.height * tile.width; ++pixel)
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t at = pixel * channels + c;
      out[at] = marked[pixel] ? one[at] : other[at];
    }
}

// Every pixel as one number, the last channel in its lowest bits.
inline void packed(const Tile& tile, const std::uint8_t* colors, std::uint32_t* out) {
  const std::size_t channels = tile.channels;
  for (std::size_t pixel = 0; pixel < tile.height * tile.width; ++pixel) {
    std::uint32_t number = 0;
    for (std::size_t c = 0; c < channels; ++c) number = number << 8 | colors[pixel * channels + c];
    out[pixel] = number;
  }
}

// Of every block the sums of the channels of pixels that are not gone, and how many these are.
inline void sums_of_others(const Tile& tile, const std::uint8_t* colors, const std::uint8_t* gone, float* sums, float* counts) {
  const std::size_t channels = tile.channels;
  for (std::size_t row = 0; row < tile.rows(); ++row)
    for (std::size_t column = 0; column < tile.columns(); ++column) {
      std::uint32_t total[4] = {}, count = 0;
      for (std::size_t y = row * kDrawnBlock; y < std::min((row + 1) * kDrawnBlock, tile.height); ++y)
        for (std::size_t x = column * kDrawnBlock; x < std::min((column + 1) * kDrawnBlock, tile.width); ++x) {
          if (gone[y * tile.width + x]) continue;
          ++count;
          for (std::size_t c = 0; c < channels; ++c) total[c] += colors[tile.at(y, x) + c];
        }
      const std::size_t block = row * tile.columns() + column;
      counts[block] = static_cast<float>(count);
      for (std::size_t c = 0; c < channels; ++c) sums[block * channels + c] = static_cast<float>(total[c]);
    }
}

// Of every block the squared differences of pixels that are marked, the mean of the channels.
inline void errors_of_marked(const Tile& tile, const std::uint8_t* marked, const std::uint8_t* shown, const std::uint8_t* wanted, float* blocks) {
  const std::size_t channels = tile.channels;
  const auto squared = [=](std::size_t y, std::size_t first, std::size_t last) {
    std::uint32_t total = 0;
    for (std::size_t x = first; x < last; ++x)
      if (marked[y * tile.width + x])
        total += static_cast<std::uint32_t>(squared_distance(shown + tile.at(y, x), wanted + tile.at(y, x), channels));
    return total;
  };
  sum_over_blocks(tile.height, tile.width, channels, squared, blocks);
}

}  // namespace lic
