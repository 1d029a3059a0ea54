// The encoder of symbols: rans.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "rans.hpp"

namespace lic {

class Encoder {
 public:
  Encoder(const Tables& tables, unsigned lanes) : tables_(tables), lanes_(lanes), buffer_(1 << 14), at_(buffer_.size()) {
    check_lanes(lanes);
    states_.fill(kLow);
  }

  // Codes the whole stream and returns it: N start states, then the shared bytes. To be called once.
  std::vector<std::uint8_t> run(const std::int16_t* symbols, const std::uint16_t* indexes, std::size_t n) {
    std::array<std::uint16_t, kChunk> index;
    std::array<std::int16_t, kChunk> symbol;
    for (std::size_t from = n ? (n - 1) / kChunk * kChunk : 0, left = n; left; left = from, from -= from ? kChunk : 0) {
      const std::size_t length = left - from;
      std::copy_n(indexes + from, length, index.begin());
      std::copy_n(symbols + from, length, symbol.begin());
      tables_.check(index.data(), length);
      reserve(length * kMaxBytesPerSymbol + kSlack);
      with_lanes(lanes_, [&](auto count) { chunk<count.value>(symbol.data(), index.data(), length); });
    }
    std::vector<std::uint8_t> stream(4 * lanes_ + buffer_.size() - at_);
    for (unsigned lane = 0; lane < lanes_; ++lane)
      for (unsigned byte = 0; byte < 4; ++byte) stream[4 * lane + byte] = static_cast<std::uint8_t>(states_[lane] >> 8 * byte);
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), buffer_.end(), stream.begin() + 4 * lanes_);
    return stream;
  }

 private:
  // Room for `bytes` in front of at_: the written part moves to the end of a larger buffer.
  void reserve(std::size_t bytes) {
    if (at_ >= bytes) return;
    const std::size_t written = buffer_.size() - at_;
    std::vector<std::uint8_t> larger(2 * buffer_.size() + bytes);
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), buffer_.end(), larger.end() - static_cast<std::ptrdiff_t>(written));
    buffer_.swap(larger);
    at_ = buffer_.size() - written;
  }

  static LIC_INLINE std::uint32_t put(std::uint32_t x, const EncoderSymbol& symbol, std::uint8_t*& to) {
    x = spill(x, symbol.frequency, to);
    const std::uint32_t quotient = static_cast<std::uint32_t>((x * symbol.reciprocal) >> 48);
    return x + symbol.start + quotient * (65536u - symbol.frequency);
  }

  // 1 <= bits <= 15, value < 2^bits
  static std::uint32_t put_raw(std::uint32_t x, std::uint32_t value, unsigned bits, std::uint8_t*& to) {
    const unsigned log2_frequency = 16 - bits;
    x = spill(x, 1u << log2_frequency, to);
    return (x >> log2_frequency) << 16 | value << log2_frequency | (x & ((1u << log2_frequency) - 1));
  }

  static std::uint32_t put_escape(std::uint32_t x, std::int32_t value, const TableShape& shape, std::uint8_t*& to) {
    const Escape escape = escape_of(value, shape);
    const std::uint32_t rest = escape.code - (1u << escape.extra);
    if (escape.extra == kMaxEscapeBits) {
      x = put_raw(x, rest & 255, 8, to);
      x = put_raw(x, rest >> 8, 8, to);
    } else if (escape.extra) {
      x = put_raw(x, rest, escape.extra, to);
    }
    return put_raw(x, escape.extra, kEscapeLengthBits, to);
  }

  LIC_INLINE std::uint32_t step(std::uint32_t x, std::int32_t value, std::uint16_t index, std::uint8_t*& to) const {
    const TableShape& shape = tables_.shapes()[index];
    std::uint32_t symbol = static_cast<std::uint32_t>(value - shape.low);
    if (LIC_UNLIKELY(symbol >= shape.escape)) {
      x = put_escape(x, value, shape, to);
      symbol = shape.escape;
    }
    return put(x, tables_.encoder()[shape.offset + symbol], to);
  }

  template <unsigned N>
  void chunk(const std::int16_t* symbols, const std::uint16_t* indexes, std::size_t n) {
    std::uint8_t* to = buffer_.data() + at_;
    std::uint32_t x[N];
    std::copy_n(states_.begin(), N, x);
    for (; n % N; --n) {
      const std::size_t lane = (n - 1) % N;
      x[lane] = step(x[lane], symbols[n - 1], indexes[n - 1], to);
    }
    for (; n; n -= N) {
      const std::int16_t* symbol = symbols + n - N;
      const std::uint16_t* index = indexes + n - N;
      LIC_UNROLL
      for (unsigned i = 0; i < N; ++i) {
        const unsigned lane = N - 1 - i;
        x[lane] = step(x[lane], symbol[lane], index[lane], to);
      }
    }
    std::copy_n(x, N, states_.begin());
    at_ = static_cast<std::size_t>(to - buffer_.data());
  }

  const Tables& tables_;
  unsigned lanes_;
  std::array<std::uint32_t, kMaxLanes> states_{};
  std::vector<std::uint8_t> buffer_;
  std::size_t at_;  // first written byte of buffer_
};

}  // namespace lic
