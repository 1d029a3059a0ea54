// From latents to colours: course.hpp and detail_rows.hpp in one go, row by row, so that the picture between them never leaves the caches;
// compiled for one instruction set (lanes.hpp).
#pragma once

#include "course.hpp"
#include "detail_rows.hpp"

namespace lic {

namespace {

// The rows of the picture that `Way` may still want when one at 1/8 is done, that one's 4 and those of the one before; and their context.
class Canvas {
 public:
  // `first`: row and column at 1/8 of the picture that rows begin with, of which there are `width` columns.
  Canvas(std::size_t first_row, std::size_t first_column, std::size_t width)
      : first_row_(first_row), first_column_(first_column), width_(width), picture_(Detail::kPlanes * kRows * 4 * width),
        contexts_(Detail::kHidden * kContextRows * width) {}

  // As of the sink of a Course.
  float* square(std::size_t plane, std::size_t y, std::size_t x) { return &picture_[at(4 * (first_row_ + y), plane) + 4 * x]; }
  std::size_t apart() const { return 4 * width_; }
  float* context(std::size_t channel, std::size_t y) { return &contexts_[context_at(first_row_ + y, channel)]; }
  void done(std::size_t y) { way->advance(4 * (first_row_ + y) + 3); }

  // As of the source of a Way.
  const float* picture(std::size_t row, std::size_t channel, std::size_t first) const { return &picture_[at(row, channel) + first - 4 * first_column_]; }
  const float* context(std::size_t row, std::size_t channel, std::size_t first) const {
    return &contexts_[context_at(row, channel) + first / 4 - first_column_];
  }

  Way<Canvas>* way = nullptr;

 private:
  static constexpr std::size_t kRows = 8, kContextRows = 2;

  std::size_t at(std::size_t row, std::size_t channel) const { return (channel * kRows + row % kRows) * 4 * width_; }
  std::size_t context_at(std::size_t row, std::size_t channel) const { return (channel * kContextRows + row % kContextRows) * width_; }

  std::size_t first_row_, first_column_, width_;
  std::vector<float> picture_, contexts_;
};

LIC_PRODUCT void paint(const Synthesis& network, const Detail& layers, const float* latents, const float* level, std::size_t height, std::size_t width,
                       const Cells& inside, std::uint16_t* out, std::size_t stride) {
  constexpr std::size_t kLatent = 8, kTile = 4;  // cells of a latent each way, and of a place at 1/8
  const Span down{inside.top / kTile, (inside.top + inside.height) / kTile};
  const Span across{inside.left / kLatent, (inside.left + inside.width) / kLatent};
  const Reach rows(down.widened(1, 2 * height), height), columns(across.widened(1, width).finer(), width);
  Canvas canvas(rows.left.first, columns.left.first, columns.left.count());
  Way<Canvas> way(layers, canvas, level, 8 * height, 8 * width, inside, out, stride);
  canvas.way = &way;
  Course<Canvas>(network, latents, level, height, width, rows, columns, canvas).run();
}

}  // namespace

}  // namespace lic
