// Adaptive coding of bits in integer contexts, over the rANS of rans.hpp: FORMAT.md 7.4.
//
// READ ME FIRST. Five surprises:
//
//  1. The model runs forward and the coder backward. The encoder keeps start and frequency of every bit, 4 bytes for each,
//     and codes them from the last to the first when all are known; the decoder then meets them in their natural order.
//  2. A context has two probabilities, one that forgets fast and one that forgets slowly; what codes is their mean. Both sides
//     see the same bits and change them by the same integers, so nothing about them is sent but where they start: the model's.
//  3. There is one state and no lanes: a bit's context holds the bit on its left, so lanes would not be decoded side by side,
//     and every further state would be 4 more bytes that a cut stream cannot use.
//  4. A step gives its bit before it asks for bytes. So the bits of a stream that was cut are right up to the step that finds a
//     byte missing, and that step's own bit still is: the decoder stops there, and knows how many it has.
//  5. Only a whole stream ends at kLow with no bytes over. A cut one carries no proof of any kind that its bits are right.
//
// Invariants, with p a probability of 1 in 65536ths, f the frequency of the bit that is coded, x the state:
//     0 <= fast, slow <= 65535,   32 <= p <= 65504,   32 <= f <= 65504
//     context < number of contexts <= 4096; those of planes: context < 512 * (class + 1), class <= 7
//     kLow <= x < 2^32             between steps
//     f * 2^8  <= x < f * 2^16     in the encoder after it has spilled 0, 1 or 2 bytes
//     2^13 <= x < 2^32             in the decoder before it refills 0, 1 or 2 bytes
//     8 B - 32 < sum of -log2(f / 65536) < 8 B - 13 over the bits that B bytes of a cut stream give, B >= 4, but for the
//     rounding of x (below 0.001 % of the sum): a cut loses less than 4 bytes' worth of bits.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "rans.hpp"

namespace lic {

constexpr std::size_t kMaxContexts = 4096;
constexpr std::size_t kPlaneContexts = 512;  // of one class
constexpr std::uint32_t kLeastProbability = 32;
constexpr unsigned kFast = 4, kSlow = 7;

struct BitContext {
  std::uint16_t fast, slow;

  // Of a 1, in 65536ths. A mean of values that only change() has left is 71 to 65464; start values may be any.
  LIC_INLINE std::uint32_t probability() const {
    return std::clamp((std::uint32_t{fast} + slow) >> 1, kLeastProbability, 65536 - kLeastProbability);
  }
  // A 1 does to 65535 - value what a 0 does to value.
  LIC_INLINE void change(std::uint32_t bit) {
    const std::uint32_t mirror = bit ? 0xFFFF : 0, f = fast ^ mirror, s = slow ^ mirror;
    fast = static_cast<std::uint16_t>((f - (f >> kFast)) ^ mirror);
    slow = static_cast<std::uint16_t>((s - (s >> kSlow)) ^ mirror);
  }
};

class BitContexts {
 public:
  BitContexts(const std::uint16_t* starts, std::size_t count) {
    if (count < 1 || count > kMaxContexts)
      throw std::invalid_argument("there must be 1 to 4096 contexts, got " + std::to_string(count));
    for (std::size_t i = 0; i < count; ++i) contexts_.push_back({starts[i], starts[i]});
  }
  void check(const std::uint16_t* contexts, std::size_t n) const {
    std::uint16_t largest = 0;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, contexts[i]);
    if (n && largest >= contexts_.size())
      throw std::invalid_argument("contexts must be below " + std::to_string(contexts_.size()) + ", got " +
                                  std::to_string(largest));
  }
  std::size_t size() const { return contexts_.size(); }
  BitContext* data() { return contexts_.data(); }

 private:
  std::vector<BitContext> contexts_;
};

// An array of bits (planes, channels, rows, columns), coded in this order; bits outside the mask are 0 and not coded.
struct Planes {
  std::size_t planes, channels, rows, columns;
  std::vector<std::uint8_t> classes;  // (planes, channels)
  const std::uint8_t* mask;           // of the same shape as the bits, not 0 where they are coded; null: everywhere

  std::size_t size() const { return planes * channels * rows * columns; }

  // Calls code(contexts, at) for row after row until it gives false: `at` is the place of the row's first bit, and the
  // contexts lack bit 0, which is the bit on the left. Before a call, `bits` must hold all rows that come before; only bit 0
  // of what is there counts, as the caller's arrays may change under us.
  template <typename Code>
  void walk(const BitContexts& contexts, const std::uint8_t* bits, Code code) const {
    for (const std::uint8_t c : classes)
      if ((c + 1) * kPlaneContexts > contexts.size())
        throw std::invalid_argument("class " + std::to_string(c) + " needs " + std::to_string((c + 1) * kPlaneContexts) +
                                    " contexts, there are " + std::to_string(contexts.size()));
    const std::size_t area = rows * columns, width = columns + 2;
    std::vector<std::uint8_t> lines(4 * width);
    std::uint8_t *north = lines.data(), *above = north + width, *same = above + width, *below = same + width;
    const auto load = [&](std::uint8_t* line, bool inside, std::size_t at) {  // a row between two zeros
      for (std::size_t j = 0; j < columns; ++j) line[j + 1] = inside ? bits[at + j] & 1 : 0;
    };
    std::vector<std::uint16_t> row(columns);
    for (std::size_t k = 0; k < planes * channels; ++k) {
      const bool later = k >= channels;
      for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t at = k * area + i * columns, before = at - channels * area;
        load(north, i > 0, at - columns);
        load(above, later && i > 0, before - columns);
        load(same, later, before);
        load(below, later && i + 1 < rows, before + columns);
        for (std::size_t j = 0; j < columns; ++j)
          row[j] = static_cast<std::uint16_t>(north[j] << 1 | north[j + 1] << 2 | north[j + 2] << 3 | same[j + 1] << 4 |
                                              above[j + 1] << 5 | same[j] << 6 | same[j + 2] << 7 | below[j + 1] << 8 |
                                              classes[k] << 9);
        if (!code(row.data(), at)) return;
      }
    }
  }
};

// ---------------------------------------------------------------------------------------------------- encoder

// Takes bits call by call, then gives their stream. Not for two threads at once.
class BitEncoder {
 public:
  BitEncoder(const std::uint16_t* starts, std::size_t count) : contexts_(starts, count) {}

  // Throws std::invalid_argument for a bit or a context; the bits before its chunk are then taken.
  void write(const std::uint8_t* bits, const std::uint16_t* contexts, std::size_t n) {
    std::array<std::uint16_t, kChunk> context;
    for (std::size_t from = 0; from < n; from += kChunk) {
      const std::size_t length = std::min(kChunk, n - from);
      std::copy_n(contexts + from, length, context.begin());
      contexts_.check(context.data(), length);
      check(bits + from, nullptr, length);
      const std::size_t before = steps_.size();
      steps_.resize(before + length);  // once for a chunk: a vector that grows by one keeps its end in memory
      for (std::size_t i = 0; i < length; ++i) steps_[before + i] = step(context[i], bits[from + i] & 1);
    }
  }

  // The same for the bits of planes; nothing is taken where it throws.
  void write(const std::uint8_t* bits, const Planes& planes) {
    check(bits, planes.mask, planes.size());
    planes.walk(contexts_, bits, [&](const std::uint16_t* contexts, std::size_t at) {
      std::uint32_t left = 0;
      for (std::size_t j = 0; j < planes.columns; ++j) {
        const bool coded = !planes.mask || planes.mask[at + j];
        const std::uint32_t bit = coded ? bits[at + j] & 1 : 0;
        if (coded) steps_.push_back(step(contexts[j] | left, bit));
        left = bit;
      }
      return true;
    });
  }

  // The ideal length in bits of what was taken: sum of -log2(frequency / 65536).
  double cost() const {
    double bits = 0;
    for (const Step& step : steps_) bits += 16 - std::log2(static_cast<double>(step.frequency));
    return bits;
  }

  // The stream of all bits taken so far: the state, then the bytes.
  std::vector<std::uint8_t> stream() const {
    // A step spills at most 2 bytes; the last 4 in front of them are for the state. Not initialised: most is never touched.
    const std::size_t size = 2 * steps_.size() + 4;
    const std::unique_ptr<std::uint8_t[]> buffer(new std::uint8_t[size]);
    std::uint8_t* to = buffer.get() + size;
    std::uint32_t x = kLow;
    for (std::size_t i = steps_.size(); i-- > 0;) {
      const Step step = steps_[i];
      x = spill(x, step.frequency, to);
      const std::uint32_t quotient = x / step.frequency;
      x = x + step.start + quotient * (65536u - step.frequency);
    }
    for (unsigned byte = 4; byte-- > 0;) *--to = static_cast<std::uint8_t>(x >> 8 * byte);
    return {to, buffer.get() + size};
  }

 private:
  struct Step {
    std::uint16_t start, frequency;
  };

  static void check(const std::uint8_t* bits, const std::uint8_t* mask, std::size_t n) {
    std::uint8_t largest = 0, outside = 0;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, bits[i]);
    if (largest > 1) throw std::invalid_argument("bits must be 0 or 1, got " + std::to_string(largest));
    for (std::size_t i = 0; mask && i < n; ++i) outside |= mask[i] ? 0 : bits[i];
    if (outside) throw std::invalid_argument("bits outside the mask must be 0");
  }

  LIC_INLINE Step step(std::uint32_t context, std::uint32_t bit) {
    BitContext& model = contexts_.data()[context];
    const std::uint32_t p = model.probability();
    model.change(bit);
    return {static_cast<std::uint16_t>(bit ? 0 : p), static_cast<std::uint16_t>(bit ? p : 65536 - p)};
  }

  BitContexts contexts_;
  std::vector<Step> steps_;
};

// ---------------------------------------------------------------------------------------------------- decoder

// Reads one stream, call by call. Not for two threads at once. After a throw every further call throws.
class BitDecoder {
 public:
  // Copies `data`. With `cut` the stream may end anywhere, and the calls give what there is; else that throws StreamError.
  BitDecoder(const std::uint16_t* starts, std::size_t count, const std::uint8_t* data, std::size_t size, bool cut)
      : contexts_(starts, count), cut_(cut), bytes_(data, data + size), end_(size), at_(std::min<std::size_t>(size, 4)) {
    bytes_.resize(size + 2);
    if (size < 4) {
      if (!cut) throw StreamError("a stream has at least 4 bytes, got " + std::to_string(size));
      at_ = end_ + 1;
      return;
    }
    for (unsigned byte = 4; byte-- > 0;) state_ = state_ << 8 | bytes_[byte];
    if (state_ < kLow) throw StreamError("the start state is below 2^24");
  }

  // Decodes the next n bits and gives their number: less than n only where the cut is.
  std::size_t read(const std::uint16_t* contexts, std::uint8_t* bits, std::size_t n) {
    begin();
    std::array<std::uint16_t, kChunk> context;
    std::size_t done = 0;
    while (done < n) {
      const std::size_t length = std::min(kChunk, n - done);
      std::copy_n(contexts + done, length, context.begin());
      contexts_.check(context.data(), length);
      Run run(*this);
      std::size_t i = 0;
      for (; i < length && run.more(); ++i) bits[done + i] = static_cast<std::uint8_t>(run.step(context[i]));
      run.keep(*this);
      done += i;
      if (i < length) break;
    }
    return end(done, done == n);
  }

  // The same for the bits of planes, which must be 0 before; the number is of those in the mask.
  std::size_t read(std::uint8_t* bits, const Planes& planes) {
    begin();
    std::size_t done = 0;
    bool whole = true;
    planes.walk(contexts_, bits, [&](const std::uint16_t* contexts, std::size_t at) {
      Run run(*this);
      std::uint32_t left = 0;
      for (std::size_t j = 0; j < planes.columns; ++j) {
        if (planes.mask && !planes.mask[at + j]) {
          left = 0;
          continue;
        }
        if (LIC_UNLIKELY(!run.more())) {
          whole = false;
          break;
        }
        left = run.step(contexts[j] | left);
        bits[at + j] = static_cast<std::uint8_t>(left);
        ++done;
      }
      run.keep(*this);
      return whole;
    });
    return end(done, whole);
  }

  // Throws unless the stream ends exactly here.
  void finish() {
    begin();
    if (at_ > end_) throw StreamError("the stream ends before its last bit");
    if (at_ != end_) throw StreamError(std::to_string(end_ - at_) + " bytes are left after the last bit");
    if (state_ != kLow) throw StreamError("the state does not end at 2^24");
    failed_ = false;
  }

 private:
  // What a loop changes, in registers.
  struct Run {
    explicit Run(BitDecoder& decoder)
        : contexts(decoder.contexts_.data()), x(decoder.state_), from(decoder.bytes_.data() + decoder.at_),
          end(decoder.bytes_.data() + decoder.end_) {}
    bool more() const { return from <= end; }  // every byte that the steps before asked for was there
    LIC_INLINE std::uint32_t step(std::uint32_t context) {
      const std::uint32_t p = contexts[context].probability(), slot = x & 0xFFFF, product = p * (x >> 16);
      const std::uint32_t bit = slot < p;
      x = refill(bit ? product + slot : x - product - p, from);
      contexts[context].change(bit);
      return bit;
    }
    void keep(BitDecoder& decoder) const {
      decoder.state_ = x;
      decoder.at_ = static_cast<std::size_t>(from - decoder.bytes_.data());
    }

    BitContext* contexts;
    std::uint32_t x;
    const std::uint8_t *from, *end;
  };

  void begin() {
    if (failed_) throw StreamError("the stream failed before");
    failed_ = true;
  }
  std::size_t end(std::size_t done, bool whole) {
    if (!whole && !cut_) throw StreamError("the stream ends before its last bit");
    failed_ = false;
    return done;
  }

  BitContexts contexts_;
  bool cut_;
  std::vector<std::uint8_t> bytes_;  // the stream, then 2 zeros
  std::size_t end_, at_;             // at_ <= end_ + 2; more than end_: a byte was missing
  std::uint32_t state_ = 0;
  bool failed_ = false;
};

// Answers a walk that asks for arrays of bits, of places of a plane in contexts, by a stream: with how many there are, fewer only
// where it was cut. Keeps them in their order.
struct ReadBits {
  std::size_t operator()(const std::uint32_t*, std::size_t, const std::uint16_t* contexts, std::uint8_t* answers, std::size_t n) {
    const std::size_t there = decoder.read(contexts, answers, n);
    bits.insert(bits.end(), answers, answers + there);
    return there;
  }

  BitDecoder& decoder;
  std::vector<std::uint8_t> bits = {};
};

}  // namespace lic
