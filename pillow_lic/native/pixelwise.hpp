// What is counted pixel by pixel for the exact layer (pillow_lic/exact): steps, errors and equal neighbours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "distance.hpp"
#include "tile.hpp"

namespace lic {

inline std::uint8_t apart(const std::uint8_t* one, const std::uint8_t* other, std::size_t channels) {
  std::uint8_t most = 0;
  for (std::size_t c = 0; c < channels; ++c)
    most = std::max<std::uint8_t>(most, one[c] < other[c] ? other[c] - one[c] : one[c] - other[c]);
  return most;
}

// Which pixels differ from their four neighbours by at most `within` levels.
inline void flat(const Tile& tile, const std::uint8_t* colors, std::uint8_t within, std::uint8_t* is_flat) {
  std::fill_n(is_flat, tile.height * tile.width, std::uint8_t{1});
  for (std::size_t y = 0; y < tile.height; ++y)
    for (std::size_t x = 0; x < tile.width; ++x) {
      const std::size_t place = y * tile.width + x;
      const std::uint8_t* here = colors + place * tile.channels;
      if (x && apart(here, here - tile.channels, tile.channels) > within) is_flat[place] = is_flat[place - 1] = 0;
      if (y && apart(here, here - tile.width * tile.channels, tile.channels) > within)
        is_flat[place] = is_flat[place - tile.width] = 0;
    }
}

// What `total(y, first, last)` counts of a row's columns first to last - 1, summed over every block and divided by `unit`.
template <typename Total>
void sum_over_blocks(std::size_t height, std::size_t width, std::size_t unit, const Total& total, float* blocks) {
  const std::size_t columns = (width + kDrawnBlock - 1) / kDrawnBlock;
  std::vector<std::uint32_t> totals(columns);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t column = 0; column < columns; ++column)
      totals[column] += total(y, column * kDrawnBlock, std::min((column + 1) * kDrawnBlock, width));
    if (y % kDrawnBlock == kDrawnBlock - 1 || y + 1 == height)
      for (std::size_t column = 0; column < columns; ++column) {
        blocks[y / kDrawnBlock * columns + column] = static_cast<float>(totals[column]) / static_cast<float>(unit);
        totals[column] = 0;
      }
  }
}

// The steps to the left and upper neighbours, summed over every block, the mean of the channels.
inline void contrast(const Tile& tile, const std::uint8_t* colors, float* blocks) {
  const std::size_t channels = tile.channels, across = tile.width * channels;
  const auto steps = [=](std::size_t y, std::size_t first, std::size_t last) {
    const std::uint8_t* row = colors + y * across;
    std::uint32_t total = 0;
    for (std::size_t i = std::max<std::size_t>(first, 1) * channels; i < last * channels; ++i) total += std::abs(row[i] - row[i - channels]);
    if (y)
      for (std::size_t i = first * channels; i < last * channels; ++i) total += std::abs(row[i] - (row - across)[i]);
    return total;
  };
  sum_over_blocks(tile.height, tile.width, channels, steps, blocks);
}

// The squared differences of two tiles, summed over every block, the mean of the channels.
inline void errors(const Tile& tile, const std::uint8_t* shown, const std::uint8_t* wanted, float* blocks) {
  const auto squared = [&](std::size_t y, std::size_t first, std::size_t last) {
    return static_cast<std::uint32_t>(
        squared_distance(shown + tile.at(y, first), wanted + tile.at(y, first), (last - first) * tile.channels));
  };
  sum_over_blocks(tile.height, tile.width, tile.channels, squared, blocks);
}

// Of every block the squared mean differences of two tiles over its cells of 8x8 pixels, each by the cell's pixels, the mean of the channels.
inline void shifts(const Tile& tile, const std::uint8_t* shown, const std::uint8_t* wanted, float* blocks) {
  constexpr std::size_t kCell = 8, kMostChannels = 4;
  std::fill_n(blocks, tile.rows() * tile.columns(), 0.0f);
  for (std::size_t top = 0; top < tile.height; top += kCell)
    for (std::size_t left = 0; left < tile.width; left += kCell) {
      const std::size_t bottom = std::min(top + kCell, tile.height), right = std::min(left + kCell, tile.width);
      std::int32_t sums[kMostChannels] = {};
      for (std::size_t y = top; y < bottom; ++y)
        for (std::size_t i = tile.at(y, left); i < tile.at(y, right); i += tile.channels)
          for (std::size_t c = 0; c < tile.channels; ++c) sums[c] += shown[i + c] - wanted[i + c];
      float total = 0;
      for (const std::int32_t sum : sums) total += static_cast<float>(sum) * static_cast<float>(sum);
      const std::size_t pixels = (bottom - top) * (right - left);
      blocks[top / kDrawnBlock * tile.columns() + left / kDrawnBlock] += total / static_cast<float>(pixels * tile.channels);
    }
}

// How many pixels of every block are marked.
inline void marked(std::size_t height, std::size_t width, const std::uint8_t* flags, float* blocks) {
  const auto count = [=](std::size_t y, std::size_t first, std::size_t last) {
    return std::accumulate(flags + y * width + first, flags + y * width + last, std::uint32_t{0});
  };
  sum_over_blocks(height, width, 1, count, blocks);
}

// Of every pixel: whether at least `sides` of its four neighbours have its colour (1), and whether some channel steps by `step` levels or
// more to a pixel `away` from it along an axis (2).
inline void strokes(const Tile& tile, const std::uint8_t* colors, int sides, std::size_t away, std::uint8_t step, std::uint8_t* out) {
  const std::size_t height = tile.height, width = tile.width, channels = tile.channels;
  std::vector<std::uint8_t> same(height * width);
  std::fill_n(out, height * width, std::uint8_t{0});
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t place = y * width + x;
      const std::uint8_t* here = colors + place * channels;
      const auto look = [&](bool has, std::size_t back, std::size_t far, bool has_far) {
        if (has && std::equal(here, here + channels, here - back * channels)) ++same[place], ++same[place - back];
        if (has_far && apart(here, here - far * channels, channels) >= step) out[place] = out[place - far] = 2;
      };
      look(x >= 1, 1, away, x >= away);
      look(y >= 1, width, away * width, y >= away);
    }
  for (std::size_t place = 0; place < height * width; ++place) out[place] |= same[place] >= sides ? 1 : 0;
}

}  // namespace lic
