// What the search for drawn pixels does pixel by pixel (pillow_lic/exact): the ground beneath them, their colours, steps and errors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "distance.hpp"

namespace lic {

constexpr std::size_t kDrawnBlock = 16;  // side of a block in pixels, and of the squares whose means a ground begins with

// A picture of interleaved channels, 1 to 4 of them.
struct Plane {
  std::size_t height, width, channels;

  std::size_t at(std::size_t y, std::size_t x) const { return (y * width + x) * channels; }
  std::size_t rows() const { return (height + kDrawnBlock - 1) / kDrawnBlock; }
  std::size_t columns() const { return (width + kDrawnBlock - 1) / kDrawnBlock; }
};

// Pixels that are gone are continued from those that stay: ground.py says how. One of its levels: sums over squares and how many stay.
class Continuation {
 public:
  // coarse: means over squares of kDrawnBlock pixels, rows() by columns() by channels.
  Continuation(const Plane& plane, const std::uint8_t* colors, const std::uint8_t* gone, const float* coarse)
      : plane_(plane), colors_(colors), gone_(gone), coarse_(coarse) {
    const std::size_t channels = plane.channels;
    levels_.reserve(kHalvings);
    for (int level = 1; level < kHalvings; ++level) {
      const std::size_t height = (rows_of(level - 1) + 1) / 2, width = (columns_of(level - 1) + 1) / 2;
      Level made{height, width, std::vector<std::int32_t>(height * width * channels), std::vector<std::int32_t>(height * width)};
      for (std::size_t y = 0; y < rows_of(level - 1); ++y)
        for (std::size_t x = 0; x < columns_of(level - 1); ++x) {
          const std::size_t to = (y / 2) * width + x / 2;
          if (level == 1) {
            const std::size_t from = y * plane.width + x;
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

  // Write the block whose first pixel is (y, x) to `out`, pixels of a plane of its own whose rows are `stride` numbers apart.
  void write(std::size_t y0, std::size_t x0, std::uint8_t* out, std::size_t stride) const {
    float above[kMost * kMost * 4], values[kMost * kMost * 4];
    Span up{static_cast<std::ptrdiff_t>(y0 / kDrawnBlock) - 1, static_cast<std::ptrdiff_t>(x0 / kDrawnBlock) - 1, 3};
    fill(up, plane_.rows(), plane_.columns(), [&](std::size_t y, std::size_t x, float* to) {
      for (std::size_t c = 0; c < plane_.channels; ++c) to[c] = coarse_[(y * plane_.columns() + x) * plane_.channels + c];
    }, above);
    for (int level = kHalvings - 1; level > 0; --level) {
      const std::size_t side = kDrawnBlock >> level;
      const Span here{static_cast<std::ptrdiff_t>(y0 >> level) - 1, static_cast<std::ptrdiff_t>(x0 >> level) - 1, side + 2};
      const Level& own = levels_[level - 1];
      fill(here, own.height, own.width, [&](std::size_t y, std::size_t x, float* to) {
        const std::size_t place = y * own.width + x;
        if (const std::int32_t count = own.counts[place])
          for (std::size_t c = 0; c < plane_.channels; ++c)
            to[c] = static_cast<float>(own.sums[place * plane_.channels + c]) / static_cast<float>(count);
        else
          doubled(above, up, level + 1, y, x, to);
      }, values);
      std::copy_n(values, here.side * here.side * plane_.channels, above);
      up = here;
    }
    for (std::size_t y = y0; y < std::min(y0 + kDrawnBlock, plane_.height); ++y)
      for (std::size_t x = x0; x < std::min(x0 + kDrawnBlock, plane_.width); ++x) {
        if (!gone_[y * plane_.width + x]) continue;
        float value[4];
        doubled(above, up, 1, y, x, value);
        for (std::size_t c = 0; c < plane_.channels; ++c)
          out[(y - y0) * stride + (x - x0) * plane_.channels + c] = rounded(value[c]);
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

  std::size_t rows_of(int level) const { return level ? levels_[level - 1].height : plane_.height; }
  std::size_t columns_of(int level) const { return level ? levels_[level - 1].width : plane_.width; }

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
              to + (row * span.side + column) * plane_.channels);
  }

  // The value of a square between the middles of those of the level above, `level`, which are in `above`.
  void doubled(const float* above, const Span& span, int level, std::size_t y, std::size_t x, float* to) const {
    const std::size_t height = level == kHalvings ? plane_.rows() : levels_[level - 1].height;
    const std::size_t width = level == kHalvings ? plane_.columns() : levels_[level - 1].width;
    const auto beside = [](std::size_t place, std::size_t length) {
      return clamped(static_cast<std::ptrdiff_t>(place / 2) + (place % 2 ? 1 : -1), length);
    };
    const std::size_t rows[2] = {y / 2, beside(y, height)}, columns[2] = {x / 2, beside(x, width)};
    const float* at[2][2];
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j)
        at[i][j] = above + ((rows[i] - span.y) * span.side + (columns[j] - span.x)) * plane_.channels;
    for (std::size_t c = 0; c < plane_.channels; ++c) {
      const float near = 0.75f * at[0][0][c] + 0.25f * at[1][0][c], far = 0.75f * at[0][1][c] + 0.25f * at[1][1][c];
      to[c] = 0.75f * near + 0.25f * far;
    }
  }

  const Plane plane_;
  const std::uint8_t* colors_;
  const std::uint8_t* gone_;
  const float* coarse_;
  std::vector<Level> levels_;
};

// Numbers that differ, ascending; which of them each is; how often each is there.
struct Distinct {
  std::vector<std::uint32_t> kinds;
  std::vector<std::int64_t> places, counts;
};

inline Distinct distinct(const std::uint32_t* numbers, std::size_t n) {
  constexpr std::uint32_t kEmpty = 0xFFFFFFFF;
  std::size_t bits = 10;
  std::vector<std::uint32_t> slots(std::size_t{1} << bits, kEmpty);  // indexes of kinds
  std::vector<std::uint32_t> kinds, found(n);
  std::vector<std::int64_t> counts;
  const auto slot_of = [&](std::uint32_t number) {
    std::size_t slot = number * 0x9E3779B1u >> (32 - bits);
    while (slots[slot] != kEmpty && kinds[slots[slot]] != number) slot = (slot + 1) & (slots.size() - 1);
    return slot;
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (i && numbers[i] == numbers[i - 1]) {
      ++counts[found[i] = found[i - 1]];
      continue;
    }
    std::size_t slot = slot_of(numbers[i]);
    if (slots[slot] == kEmpty) {
      if (2 * (kinds.size() + 1) > slots.size()) {
        slots.assign(std::size_t{1} << ++bits, kEmpty);
        for (std::size_t kind = 0; kind < kinds.size(); ++kind) slots[slot_of(kinds[kind])] = static_cast<std::uint32_t>(kind);
        slot = slot_of(numbers[i]);
      }
      slots[slot] = static_cast<std::uint32_t>(kinds.size());
      kinds.push_back(numbers[i]);
      counts.push_back(0);
    }
    ++counts[found[i] = slots[slot]];
  }
  std::vector<std::uint32_t> order(kinds.size()), rank(kinds.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t one, std::uint32_t other) { return kinds[one] < kinds[other]; });
  Distinct result{std::vector<std::uint32_t>(kinds.size()), std::vector<std::int64_t>(n), std::vector<std::int64_t>(kinds.size())};
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = static_cast<std::uint32_t>(i);
    result.kinds[i] = kinds[order[i]];
    result.counts[i] = counts[order[i]];
  }
  for (std::size_t i = 0; i < n; ++i) result.places[i] = rank[found[i]];
  return result;
}

// Colours by the level of their middle channel, for those that are near another.
class Palette {
 public:
  Palette(const std::uint8_t* colors, std::size_t channels) : colors_(colors), channels_(channels), rows_(256) {}

  void add(std::size_t row) { rows_[middle(row)].push_back(row); }

  // Whether one lies within the squared distance `limit` of a row, whose levels differ by at most `within` then.
  bool has_near(std::size_t row, std::int32_t limit, int within) const {
    const int level = middle(row);
    for (int away = 0; away <= within; ++away)
      for (int side : {-1, 1}) {
        const int there = level + side * away;
        if (there < 0 || there > 255 || (!away && side > 0)) continue;
        for (const std::size_t other : rows_[there])
          if (squared_distance(colors_ + row * channels_, colors_ + other * channels_, channels_) <= limit) return true;
      }
    return false;
  }

 private:
  int middle(std::size_t row) const { return colors_[row * channels_ + channels_ / 2]; }

  const std::uint8_t* colors_;
  std::size_t channels_;
  std::vector<std::vector<std::size_t>> rows_;
};

// The rows of colours that stay, in order: the first `fixed`, and each that is not within the squared distance `limit` of one; at most `most`.
inline std::vector<std::int64_t> leaders(const std::uint8_t* colors, std::size_t channels, const std::int64_t* order, std::size_t n,
                                         std::size_t fixed, std::int32_t limit, std::size_t most) {
  Palette chosen(colors, channels);
  std::vector<std::int64_t> result;
  int within = 0;
  while ((within + 1) * (within + 1) <= limit && within < 255) ++within;
  for (std::size_t i = 0; i < n && (i < fixed || result.size() < most); ++i) {
    const std::size_t row = static_cast<std::size_t>(order[i]);
    if (i >= fixed && chosen.has_near(row, limit, within)) continue;
    chosen.add(row);
    result.push_back(order[i]);
  }
  return result;
}

// Of every colour the row of the nearest of those that stay, the first of several.
inline void nearest(const std::uint8_t* colors, std::size_t n, const std::uint8_t* staying, std::size_t m, std::size_t channels,
                    std::int64_t* rows) {
  std::vector<std::vector<std::uint32_t>> by_level(256);
  for (std::size_t row = 0; row < m; ++row) by_level[staying[row * channels + channels / 2]].push_back(static_cast<std::uint32_t>(row));
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* color = colors + i * channels;
    const int level = color[channels / 2];
    std::int32_t least = INT32_MAX;
    std::uint32_t best = 0;
    for (int away = 0; away < 256 && away * away <= least; ++away)
      for (int side : {-1, 1}) {
        const int there = level + side * away;
        if (there < 0 || there > 255 || (!away && side > 0)) continue;
        for (const std::uint32_t row : by_level[there]) {
          const std::int32_t distance = squared_distance(color, staying + row * channels, channels);
          if (distance < least || (distance == least && row < best)) least = distance, best = row;
        }
      }
    rows[i] = best;
  }
}

inline std::uint8_t apart(const std::uint8_t* one, const std::uint8_t* other, std::size_t channels) {
  std::uint8_t most = 0;
  for (std::size_t c = 0; c < channels; ++c)
    most = std::max<std::uint8_t>(most, one[c] < other[c] ? other[c] - one[c] : one[c] - other[c]);
  return most;
}

// Which pixels differ from their four neighbours by at most `within` levels.
inline void flat(const Plane& plane, const std::uint8_t* colors, std::uint8_t within, std::uint8_t* is_flat) {
  std::fill_n(is_flat, plane.height * plane.width, std::uint8_t{1});
  for (std::size_t y = 0; y < plane.height; ++y)
    for (std::size_t x = 0; x < plane.width; ++x) {
      const std::size_t place = y * plane.width + x;
      const std::uint8_t* here = colors + place * plane.channels;
      if (x && apart(here, here - plane.channels, plane.channels) > within) is_flat[place] = is_flat[place - 1] = 0;
      if (y && apart(here, here - plane.width * plane.channels, plane.channels) > within)
        is_flat[place] = is_flat[place - plane.width] = 0;
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
inline void contrast(const Plane& plane, const std::uint8_t* colors, float* blocks) {
  const std::size_t channels = plane.channels, across = plane.width * channels;
  const auto steps = [=](std::size_t y, std::size_t first, std::size_t last) {
    const std::uint8_t* row = colors + y * across;
    std::uint32_t total = 0;
    for (std::size_t i = std::max<std::size_t>(first, 1) * channels; i < last * channels; ++i) total += std::abs(row[i] - row[i - channels]);
    if (y)
      for (std::size_t i = first * channels; i < last * channels; ++i) total += std::abs(row[i] - (row - across)[i]);
    return total;
  };
  sum_over_blocks(plane.height, plane.width, channels, steps, blocks);
}

// The squared differences of two pictures, summed over every block, the mean of the channels.
inline void errors(const Plane& plane, const std::uint8_t* shown, const std::uint8_t* wanted, float* blocks) {
  const auto squared = [&](std::size_t y, std::size_t first, std::size_t last) {
    return static_cast<std::uint32_t>(
        squared_distance(shown + plane.at(y, first), wanted + plane.at(y, first), (last - first) * plane.channels));
  };
  sum_over_blocks(plane.height, plane.width, plane.channels, squared, blocks);
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
inline void strokes(const Plane& plane, const std::uint8_t* colors, int sides, std::size_t away, std::uint8_t step, std::uint8_t* out) {
  const std::size_t height = plane.height, width = plane.width, channels = plane.channels;
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

// Blocks of a picture of whole ones, by raster index, and planes over them: at the middle, from the first row to the row after the last,
// and as much for columns, `channels` numbers each.
struct Blocks {
  Plane plane;
  const std::uint8_t* colors;

  const std::uint8_t* of(std::int64_t place) const {
    const std::size_t across = plane.width / kDrawnBlock, index = static_cast<std::size_t>(place);
    return colors + plane.at(index / across * kDrawnBlock, index % across * kDrawnBlock);
  }
};

inline float middle_of(std::size_t place) { return static_cast<float>(place) / kDrawnBlock - 0.5f; }

// Which pixels of a block are within `most` levels of its plane in every channel; returns the mean square of their distances.
inline float near_plane(const Blocks& blocks, std::int64_t place, const float* plane, float most, std::uint8_t* near) {
  const std::size_t channels = blocks.plane.channels;
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
    pixels += blocks.plane.width * channels;
  }
  return total / static_cast<float>(std::max<std::size_t>(count, 1));
}

// The plane that fits the marked pixels of a block best, by least squares; of a prior too, if there is one, with weight `trust` a pixel.
inline void fit_plane(const Blocks& blocks, std::int64_t place, const std::uint8_t* marked, const float* prior, double trust, float* plane) {
  const std::size_t channels = blocks.plane.channels;
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
    pixels += blocks.plane.width * channels;
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
