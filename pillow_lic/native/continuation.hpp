// The smooth ground beneath pixels that are gone: pillow_lic/exact/ground.py.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tile.hpp"

namespace lic {

// Pixels that are gone are continued from those that stay: ground.py says how. One of its levels: sums over squares and how many stay.
class Continuation {
 public:
  // coarse: means over squares of kDrawnBlock pixels, rows() by columns() by channels.
  Continuation(const Tile& tile, const std::uint8_t* colors, const std::uint8_t* gone, const float* coarse)
      : tile_(tile), colors_(colors), gone_(gone), coarse_(coarse) {
    const std::size_t channels = tile.channels;
    levels_.reserve(kHalvings);
    for (int level = 1; level < kHalvings; ++level) {
      const std::size_t height = (rows_of(level - 1) + 1) / 2, width = (columns_of(level - 1) + 1) / 2;
      Level made{height, width, std::vector<std::int32_t>(height * width * channels), std::vector<std::int32_t>(height * width)};
      for (std::size_t y = 0; y < rows_of(level - 1); ++y)
        for (std::size_t x = 0; x < columns_of(level - 1); ++x) {
          const std::size_t to = (y / 2) * width + x / 2;
          if (level == 1) {
            const std::size_t from = y * tile.width + x;
            if (gone[from]) continue;
            ++made.counts[to];
            for (std::size_t c = 0; c < channels; ++c) made.sums[to * channels + c] += colors[from * channels + c];
          } else {
            const Level& below = levels_.back();
            const std::size_t from = y * below.width + x;
            made.counts[to] += below.counts[from];
            for (std::size_t c = 0; c < channels; ++c) made.sums[to * channels + c] += below.sums[from * channels + c];
          }
        }
      levels_.push_back(std::move(made));
    }
  }

  // Write the block whose first pixel is (y, x) to `out`, whose rows are `stride` numbers apart.
  void write(std::size_t y0, std::size_t x0, std::uint8_t* out, std::size_t stride) const {
    float above[kMost * kMost * 4], values[kMost * kMost * 4];
    Span up{static_cast<std::ptrdiff_t>(y0 / kDrawnBlock) - 1, static_cast<std::ptrdiff_t>(x0 / kDrawnBlock) - 1, 3};
    fill(up, tile_.rows(), tile_.columns(), [&](std::size_t y, std::size_t x, float* to) {
      for (std::size_t c = 0; c < tile_.channels; ++c) to[c] = coarse_[(y * tile_.columns() + x) * tile_.channels + c];
    }, above);
    for (int level = kHalvings - 1; level > 0; --level) {
      const std::size_t side = kDrawnBlock >> level;
      const Span here{static_cast<std::ptrdiff_t>(y0 >> level) - 1, static_cast<std::ptrdiff_t>(x0 >> level) - 1, side + 2};
      const Level& own = levels_[level - 1];
      fill(here, own.height, own.width, [&](std::size_t y, std::size_t x, float* to) {
        const std::size_t place = y * own.width + x;
        if (const std::int32_t count = own.counts[place])
          for (std::size_t c = 0; c < tile_.channels; ++c)
            to[c] = static_cast<float>(own.sums[place * tile_.channels + c]) / static_cast<float>(count);
        else
          doubled(above, up, level + 1, y, x, to);
      }, values);
      std::copy_n(values, here.side * here.side * tile_.channels, above);
      up = here;
    }
    for (std::size_t y = y0; y < std::min(y0 + kDrawnBlock, tile_.height); ++y)
      for (std::size_t x = x0; x < std::min(x0 + kDrawnBlock, tile_.width); ++x) {
        if (!gone_[y * tile_.width + x]) continue;
        float value[4];
        doubled(above, up, 1, y, x, value);
        for (std::size_t c = 0; c < tile_.channels; ++c)
          out[(y - y0) * stride + (x - x0) * tile_.channels + c] = rounded(value[c]);
      }
  }

 private:
  static constexpr int kHalvings = 4;
  static constexpr std::size_t kMost = kDrawnBlock / 2 + 2;

  struct Level {
    std::size_t height, width;
    std::vector<std::int32_t> sums, counts;
  };

  // Squares of a level: the first row and column, which may lie outside, and how many each way.
  struct Span {
    std::ptrdiff_t y, x;
    std::size_t side;
  };

  std::size_t rows_of(int level) const { return level ? levels_[level - 1].height : tile_.height; }
  std::size_t columns_of(int level) const { return level ? levels_[level - 1].width : tile_.width; }

  static std::uint8_t rounded(float value) {
    return static_cast<std::uint8_t>(std::lrint(std::min(255.0f, std::max(0.0f, value))));
  }

  static std::size_t clamped(std::ptrdiff_t place, std::size_t length) {
    return static_cast<std::size_t>(std::min(std::max<std::ptrdiff_t>(place, 0), static_cast<std::ptrdiff_t>(length) - 1));
  }

  // Every value of a span, those outside as the nearest inside.
  template <typename Value>
  void fill(const Span& span, std::size_t height, std::size_t width, const Value& value, float* to) const {
    for (std::size_t row = 0; row < span.side; ++row)
      for (std::size_t column = 0; column < span.side; ++column)
        value(clamped(span.y + static_cast<std::ptrdiff_t>(row), height), clamped(span.x + static_cast<std::ptrdiff_t>(column), width),
              to + (row * span.side + column) * tile_.channels);
  }

  // The value of a square between the middles of those of the level above, `level`, which are in `above`.
  void doubled(const float* above, const Span& span, int level, std::size_t y, std::size_t x, float* to) const {
    const std::size_t height = level == kHalvings ? tile_.rows() : levels_[level - 1].height;
    const std::size_t width = level == kHalvings ? tile_.columns() : levels_[level - 1].width;
    const auto beside = [](std::size_t place, std::size_t length) {
      return clamped(static_cast<std::ptrdiff_t>(place / 2) + (place % 2 ? 1 : -1), length);
    };
    const std::size_t rows[2] = {y / 2, beside(y, height)}, columns[2] = {x / 2, beside(x, width)};
    const float* at[2][2];
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j)
        at[i][j] = above + ((rows[i] - span.y) * span.side + (columns[j] - span.x)) * tile_.channels;
    for (std::size_t c = 0; c < tile_.channels; ++c) {
      const float near = 0.75f * at[0][0][c] + 0.25f * at[1][0][c], far = 0.75f * at[0][1][c] + 0.25f * at[1][1][c];
      to[c] = 0.75f * near + 0.25f * far;
    }
  }

  const Tile tile_;
  const std::uint8_t* colors_;
  const std::uint8_t* gone_;
  const float* coarse_;
  std::vector<Level> levels_;
};

}  // namespace lic
