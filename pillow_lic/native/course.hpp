// synthesis.hpp: latents on their way to a picture, compiled for one instruction set (lanes.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "passage.hpp"
#include "synthesis.hpp"

namespace lic {

namespace {

using Factors = Synthesis::Factors;

// Places first to last - 1 of a row, or rows.
struct Span {
  std::size_t first, last;

  std::size_t count() const { return last - first; }
  Span widened(std::size_t by, std::size_t end) const { return {first > by ? first - by : 0, std::min(last + by, end)}; }
  Span finer() const { return {2 * first, 2 * last}; }
  Span coarser() const { return {first / 2, (last + 1) / 2}; }
};

// Of rows or of columns: what each layer makes so that a part of the picture comes out as that of the whole.
struct Reach {
  static constexpr std::size_t kEdge = Passage::kEdge, kBlocks = Synthesis::kBlocks;

  // `left`: places at 1/8 that are wanted, of `end` latents.
  Reach(const Span& left, std::size_t end) : left(left) {
    Span made = left;
    for (std::size_t block = kBlocks; block-- > 0;) {
      leave[block] = made;
      enter[block] = made = made.widened(kEdge, 2 * end);
    }
    coarse = made.coarser();
    latents = coarse.widened(kEdge, end);
  }

  std::size_t before(std::size_t block) const { return leave[block].first - enter[block].first; }
  std::size_t behind(std::size_t block) const { return enter[block].last - leave[block].last; }

  Span left, leave[kBlocks], enter[kBlocks], coarse, latents;
};

// Rows of latents on their way to those of a picture and a context at 1/8, from row and column `first` of the reaches on. The sink says
// where they go: floats `square(plane, y, x)`, the first of 4 rows `apart()` numbers from each other, and `context(channel, y)`, a row,
// x and y from 0 on; and it is told of every row that is `done`.
template <typename Sink>
class Course {
 public:
  Course(const Synthesis& network, const float* latents, const float* level, std::size_t height, std::size_t width, const Reach& rows,
         const Reach& columns, Sink& sink)
      : network_(network), latents_(latents), level_(level), height_(height), width_(width), rows_(rows), columns_(columns), sink_(sink),
        seen_(columns.latents.count()), straight_(kHeld * seen_ * Synthesis::kLatents), entered_(seen_ * Synthesis::kCoarse),
        wider_(4 * columns.coarse.count() * Synthesis::kFine), factors_(kHeld * seen_),
        coarse_(network.coarse, seen_,
                {rows.coarse.first - rows.latents.first, columns.coarse.first - columns.latents.first, columns.latents.last - columns.coarse.last}),
        pairs_(seen_, Synthesis::kLatents), left_pairs_(columns.left.coarser().count(), Synthesis::kLatents), left_(rows.left.first) {
    for (std::size_t block = 0; block < network.blocks.size(); ++block)
      fine_.emplace_back(network.blocks[block], columns.enter[block].count(),
                         Margin{rows.before(block), columns.before(block), columns.behind(block)});
  }

  void run() {
    std::size_t made = rows_.coarse.first;
    for (std::size_t y = rows_.latents.first; made < rows_.coarse.last; ++y) {
      const bool more = y < rows_.latents.last;
      if (more) enter(y);
      if (const Feature* row = coarse_.push(more ? entered_.data() : nullptr)) widen(made++, row);
    }
    for (std::size_t block = 0; block < fine_.size(); ++block)
      for (std::size_t i = rows_.behind(block); i < kEdge; ++i) pass(block, nullptr);
  }

 private:
  static constexpr std::size_t kHeld = 8;  // rows of latents that are held: a row of the picture is done when those up to 5 below have come
  static constexpr std::size_t kEdge = Passage::kEdge;

  // Of column x of those seen.
  Feature* straight(std::size_t y, std::size_t x) { return &straight_[(y % kHeld * seen_ + x) * Synthesis::kLatents]; }
  const Factors** factors(std::size_t y) { return &factors_[y % kHeld * seen_]; }

  // Row y of the latents as features, and the entry.
  LIC_PRODUCT void enter(std::size_t y) {
    const std::size_t first = y * width_ + columns_.latents.first;
    const float* level = level_ + first;
    const Factors** own = factors(y);
    for (std::size_t x = 0; x < seen_; ++x) own[x] = x && level[x] == level[x - 1] ? own[x - 1] : &known_.at(level[x]);
    for (std::size_t x = 0, n = 0; x < seen_; x += n) {  // stretches of one level
      n = static_cast<std::size_t>(std::find_if(own + x, own + seen_, [&](const Factors* other) { return other != own[x]; }) - own) - x;
      turn_row(latents_ + first + x, height_ * width_, Synthesis::kLatents, own[x]->latents.data(), 1, n, straight(y, x), Synthesis::kLatents);
    }
    for (std::size_t x = 0; x < seen_; ++x)
      for (std::size_t k = 0; k < Synthesis::kLatents; k += kOutputs) {
        Feature* at = straight(y, x) + k;
        stored(at, beyond(loaded(at), own[x]->least));
      }
    pairs_.find(straight(y, 0), seen_);
    apply(network_.entry, straight(y, 0), pairs_, seen_, entered_.data(), Synthesis::kCoarse, Put{});
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void widen_at(const Factors* const* own, std::size_t block, const Feature* row, std::size_t x) {
    constexpr std::size_t kBlocksOfPlace = Synthesis::kFine / kOutputs;
    const std::size_t place = block / kBlocksOfPlace, first = block % kBlocksOfPlace * kOutputs;
    const Layer& layer = network_.wider;
    Totals sums[n];
    begin(layer.bias[block], sums);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, &layer.weights[block * layer.inputs / 2], sums);
    const Reals unit = units(layer.shift[block]);
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      Feature* to = &wider_[(place / 2 * columns_.coarse.finer().count() + 2 * (x + i) + place % 2) * Synthesis::kFine + first];
      stored(to, nearest(times(times(reals(sums[i]), unit), reals(&own[x + i]->fine[first]))));
    });
  }

  // Two fine rows of the coarse row y.
  LIC_PRODUCT void widen(std::size_t y, const Feature* row) {
    const std::size_t count = columns_.coarse.count();
    const Factors* const* own = factors(y) + (columns_.coarse.first - columns_.latents.first);
    for (std::size_t block = 0; block < network_.wider.bias.size(); ++block) {
      std::size_t x = 0;
      for (; x + kAbreast <= count; x += kAbreast) widen_at<kAbreast>(own, block, row, x);
      for (; x < count; ++x) widen_at<1>(own, block, row, x);
    }
    const Span& wanted = rows_.enter[0];
    for (std::size_t half = 0; half < 2; ++half)
      if (2 * y + half >= wanted.first && 2 * y + half < wanted.last) pass(0, &wider_[half * 2 * count * Synthesis::kFine]);
  }

  // Gives a row, or nullptr after the last one, to a block and what it returns to those behind it.
  void pass(std::size_t block, const Feature* row) {
    row = fine_[block].push(row);
    if (!row) return;
    if (block + 1 < fine_.size()) {
      pass(block + 1, row);
    } else {
      leave(left_, row);
      leave_context(left_, row);
      sink_.done(left_++ - rows_.left.first);
    }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_at(std::size_t y, std::size_t plane, std::size_t half, const Feature* latents, const Feature* row, std::size_t x) {
    const std::size_t place = y % 2 * 2 + half;
    Totals sums[n];
    begin(network_.bias[plane], sums);
    multiply(latents + x * Synthesis::kLatents, Synthesis::kLatents, left_pairs_.at(x),
             &network_.straight[(place * Synthesis::kPlanes + plane) * Synthesis::kLatents / 2], sums);
    multiply(row + (2 * x + half) * Synthesis::kFine, 2 * Synthesis::kFine, Synthesis::kFine / 2,
             &network_.last[plane * Synthesis::kFine / 2], sums);
    constexpr float kLevel = 1.0f / static_cast<float>(1 << Synthesis::kPictureBits);
    float* to = sink_.square(plane, y - rows_.left.first, 2 * x + half);
    const std::size_t apart = sink_.apart();
    each<n>([&](auto i) LIC_PRODUCT_HERE { stored_square(to + 8 * i, apart, times(reals(sums[i]), kLevel)); });
  }

  // Row y at 1/8 of the picture, from its features and the latents.
  LIC_PRODUCT void leave(std::size_t y, const Feature* row) {
    const std::size_t count = columns_.left.coarser().count();
    const Feature* latents = straight(y / 2, columns_.left.first / 2 - columns_.latents.first);
    if (y % 2 == 0 || y == rows_.left.first) left_pairs_.find(latents, count);
    for (std::size_t plane = 0; plane < Synthesis::kPlanes; ++plane)
      for (std::size_t half = 0; half < 2; ++half) {
        std::size_t x = 0;
        for (; x + kAbreast <= count; x += kAbreast) leave_at<kAbreast>(y, plane, half, latents, row, x);
        for (; x < count; ++x) leave_at<1>(y, plane, half, latents, row, x);
      }
  }

  template <std::size_t n>
  LIC_PRODUCT_INLINE void leave_context_at(std::size_t y, const Factors* const* own, const Feature* row, std::size_t x) {
    const Layer& layer = network_.to_context;
    Totals sums[n];
    begin(layer.bias[0], sums);
    multiply(row + x * layer.inputs, layer.inputs, layer.inputs / 2, layer.weights.data(), sums);
    const Reals unit = units(layer.shift[0]);
    each<n>([&](auto i) LIC_PRODUCT_HERE {
      float made[kOutputs];
      stored(made, plus(times(reals(sums[i]), unit), reals(own[(x + i) / 2]->context.data())));
      for (std::size_t k = 0; k < kOutputs; ++k) sink_.context(output_at(k), y - rows_.left.first)[x + i] = made[k];
    });
  }

  LIC_PRODUCT void leave_context(std::size_t y, const Feature* row) {
    const std::size_t count = columns_.left.count();
    const Factors* const* own = factors(y / 2) + (columns_.left.first / 2 - columns_.latents.first);
    std::size_t x = 0;
    for (; x + kAbreast <= count; x += kAbreast) leave_context_at<kAbreast>(y, own, row, x);
    for (; x < count; ++x) leave_context_at<1>(y, own, row, x);
  }

  const Synthesis& network_;
  const float *latents_, *level_;
  std::size_t height_, width_;
  const Reach &rows_, &columns_;
  Sink& sink_;
  std::size_t seen_;  // columns of latents
  std::vector<Feature> straight_, entered_, wider_;
  FactorsByLevel<Synthesis> known_{network_};
  std::vector<const Factors*> factors_;
  Passage coarse_;
  std::vector<Passage> fine_;
  PairsOfRow pairs_, left_pairs_;  // of the latents of a row: of all that are seen, and of those of the picture
  std::size_t left_;  // the row at 1/8 that is done next
};

// The whole picture, and its context.
struct WholeSink {
  float *picture, *contexts;
  std::size_t height, width;  // in latents

  float* square(std::size_t plane, std::size_t y, std::size_t x) const { return picture + (plane * 8 * height + 4 * y) * 8 * width + 4 * x; }
  std::size_t apart() const { return 8 * width; }
  float* context(std::size_t channel, std::size_t y) const { return contexts + (channel * 2 * height + y) * 2 * width; }
  void done(std::size_t) const {}
};

}  // namespace

}  // namespace lic
