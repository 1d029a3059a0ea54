// Interleaved rANS with fixed 16-bit tables: the entropy coder of .lic, specified in FORMAT.md.
//
// READ ME FIRST. Five surprises:
//
//  1. rANS is a stack. The encoder walks the symbols from the last to the first and fills its buffer from
//     the end towards the front; the decoder then reads symbols and bytes in their natural order.
//  2. Symbol k of a stream belongs to lane k mod N, and all lanes share one run of bytes: the order in which
//     the decoder asks for bytes *is* the format. A lane's escape bits come before the next lane's symbol.
//  3. The last symbol of every table is an escape. The value follows on the same lane in raw bits.
//  4. Both directions write or read two bytes at every step and then move by 0, 1 or 2. The buffers carry slack
//     for that, and positions are compared with the end once a block, not once a byte.
//  5. The encoder starts each lane at kLow, so a good stream leaves each lane at kLow with no bytes over.
//     This is a weak check: a flipped raw bit of an escape passes it (an eighth of all single flips in a stream with
//     many escapes). Sections carry a CRC for that.
//
// Invariants, with x a lane's state, f a frequency and c the sum of the frequencies below it:
//     1 <= f <= 65535,  0 <= c <= 65536 - f,  sum of f = 65536
//     kLow <= x < 2^32        between steps, in both directions, on any input
//     f * 2^8  <= x < f * 2^16      in the encoder after it has spilled 0, 1 or 2 bytes
//     2^8 <= x < 2^32         in the decoder before it refills 0, 1 or 2 bytes
// The state keeps 8 bits more than the tables' 16 (kLow = 2^24): with kLow = 2^16 the rounding of x / f costs 0.15 %
// of the rate on picture-like streams, with 2^24 less than 0.001 %.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "dependent.hpp"
#include "tables.hpp"

namespace lic {

constexpr std::uint32_t kLow = 1u << 24;
// A symbol moves the byte position by at most 2, an escape by at most 2 + 3 * 2.
constexpr std::size_t kMaxBytesPerSymbol = 8;
constexpr std::size_t kSlack = kMaxLanes * kMaxBytesPerSymbol + 2;

// The bytes that must leave x so that x < frequency * 2^16.
LIC_INLINE std::uint32_t spill(std::uint32_t x, std::uint32_t frequency, std::uint8_t*& to) {
  to[-1] = static_cast<std::uint8_t>(x);
  to[-2] = static_cast<std::uint8_t>(x >> 8);
  const unsigned bytes = (x >= frequency << 16) + ((x >> 24) >= frequency);
  to -= bytes;
  return x >> 8 * bytes;
}

// The bytes that x lacks to be kLow or more: the inverse of spill.
LIC_INLINE std::uint32_t refill(std::uint32_t x, const std::uint8_t*& from) {
  const std::uint32_t next = static_cast<std::uint32_t>(from[0]) << 8 | from[1];
  const unsigned bytes = (x < kLow) + (x < 1u << 16);
  from += bytes;
  return x << 8 * bytes | next >> (16 - 8 * bytes);
}

// ---------------------------------------------------------------------------------------------------- encoder

class Encoder {
 public:
  Encoder(const Tables& tables, unsigned lanes) : tables_(tables), lanes_(lanes), buffer_(1 << 14), at_(buffer_.size()) {
    if (lanes != 1 && lanes != 2 && lanes != 4 && lanes != 8)
      throw std::invalid_argument("lanes must be 1, 2, 4 or 8, got " + std::to_string(lanes));
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
      switch (lanes_) {
        case 1: chunk<1>(symbol.data(), index.data(), length); break;
        case 2: chunk<2>(symbol.data(), index.data(), length); break;
        case 4: chunk<4>(symbol.data(), index.data(), length); break;
        default: chunk<8>(symbol.data(), index.data(), length);
      }
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

// ---------------------------------------------------------------------------------------------------- decoder

// The bytes are not what the encoder writes for these tables and indexes.
struct StreamError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads one stream, call by call. Not for two threads at once. After a throw every further call throws.
class Decoder {
 public:
  // Copies `data`; `tables` must outlive the decoder. Throws StreamError, or std::invalid_argument for the lanes.
  Decoder(const Tables& tables, const std::uint8_t* data, std::size_t size, unsigned lanes) : tables_(tables), lanes_(lanes) {
    if (lanes != 1 && lanes != 2 && lanes != 4 && lanes != 8)
      throw std::invalid_argument("lanes must be 1, 2, 4 or 8, got " + std::to_string(lanes));
    if (size < 4 * lanes)
      throw StreamError("a stream with " + std::to_string(lanes) + " lanes has at least " +
                                  std::to_string(4 * lanes) + " bytes, got " + std::to_string(size));
    for (unsigned lane = 0; lane < lanes; ++lane) {
      std::uint32_t x = 0;
      for (unsigned byte = 4; byte-- > 0;) x = x << 8 | data[4 * lane + byte];
      if (x < kLow) throw StreamError("the start state of lane " + std::to_string(lane) + " is below 2^24");
      states_[lane] = x;
    }
    end_ = size - 4 * lanes;
    bytes_.assign(end_ + kSlack, 0);
    std::copy_n(data + 4 * lanes, end_, bytes_.begin());
  }

  // Decodes the next n symbols. Throws StreamError, or std::invalid_argument for an index; `symbols` is then
  // partly written.
  void decode(const std::uint16_t* indexes, std::int16_t* symbols, std::size_t n) {
    if (failed_) throw StreamError("the stream failed before");
    failed_ = true;
    std::array<std::uint16_t, kChunk> index;
    for (std::size_t from = 0; from < n; from += kChunk) {
      const std::size_t length = std::min(kChunk, n - from);
      std::copy_n(indexes + from, length, index.begin());
      tables_.check(index.data(), length);
      switch (lanes_) {
        case 1: chunk<1>(index.data(), symbols + from, length); break;
        case 2: chunk<2>(index.data(), symbols + from, length); break;
        case 4: chunk<4>(index.data(), symbols + from, length); break;
        default: chunk<8>(index.data(), symbols + from, length);
      }
    }
    failed_ = false;
  }

  // The same for symbols that may be dependent: gives their values (see Dependent::value), and keeps the state from call
  // to call.
  void decode(const std::uint16_t* indexes, const Dependent& dependent, std::int32_t* values, std::size_t n) {
    if (failed_) throw StreamError("the stream failed before");
    failed_ = true;
    std::array<std::uint16_t, kChunk> index;
    for (std::size_t from = 0; from < n; from += kChunk) {
      const std::size_t length = std::min(kChunk, n - from);
      std::copy_n(indexes + from, length, index.begin());
      tables_.check(index.data(), length, dependent.offset);
      switch (lanes_) {
        case 1: chunk<1>(index.data(), dependent, values + from, length); break;
        case 2: chunk<2>(index.data(), dependent, values + from, length); break;
        case 4: chunk<4>(index.data(), dependent, values + from, length); break;
        default: chunk<8>(index.data(), dependent, values + from, length);
      }
    }
    failed_ = false;
  }

  // Throws unless the stream ends exactly here.
  void finish() {
    if (failed_) throw StreamError("the stream failed before");
    if (at_ != end_) throw StreamError(std::to_string(end_ - at_) + " bytes are left after the last symbol");
    for (unsigned lane = 0; lane < lanes_; ++lane)
      if (states_[lane] != kLow) throw StreamError("lane " + std::to_string(lane) + " does not end at 2^24");
  }

 private:
  static std::uint32_t get_raw(std::uint32_t& x, unsigned bits, const std::uint8_t*& from) {
    const unsigned log2_frequency = 16 - bits;
    const std::uint32_t value = (x & 0xFFFF) >> log2_frequency;
    x = refill((x >> 16) << log2_frequency | (x & ((1u << log2_frequency) - 1)), from);
    return value;
  }

  static std::int32_t get_escape(std::uint32_t& x, const TableShape& shape, const std::uint8_t*& from) {
    const unsigned extra = get_raw(x, kEscapeLengthBits, from);
    if (extra > kMaxEscapeBits)
      throw StreamError("an escaped value claims " + std::to_string(extra) + " bits, at most 16 are legal");
    std::uint32_t code = 1;
    if (extra == kMaxEscapeBits) {
      code = code << 8 | get_raw(x, 8, from);
      code = code << 8 | get_raw(x, 8, from);
    } else if (extra) {
      code = code << extra | get_raw(x, extra, from);
    }
    const std::int32_t folded = static_cast<std::int32_t>(code - 1);
    const std::int32_t value = folded & 1 ? shape.low - 1 - (folded >> 1)
                                          : shape.low + static_cast<std::int32_t>(shape.escape) + (folded >> 1);
    if (value < -32768 || value > 32767)
      throw StreamError("an escaped value is " + std::to_string(value) + ", outside int16");
    return value;
  }

  LIC_INLINE std::int16_t step(std::uint32_t& state, std::uint16_t index, const std::uint8_t*& from) const {
    const TableShape& shape = tables_.shapes()[index];
    const DecoderSymbol* symbols = tables_.decoder() + shape.offset;
    const std::uint32_t x = state, slot = x & 0xFFFF;
    // The search ends in the table: its last symbol reaches to slot 65535.
    std::uint32_t s = tables_.lookup()[index * kLookupSize + (slot >> (16 - kLookupBits))];
    s += slot - symbols[s].start >= symbols[s].frequency;
    while (LIC_UNLIKELY(slot - symbols[s].start >= symbols[s].frequency)) ++s;
    state = refill(symbols[s].frequency * (x >> 16) + slot - symbols[s].start, from);
    if (LIC_UNLIKELY(s == shape.escape)) return static_cast<std::int16_t>(get_escape(state, shape, from));
    return static_cast<std::int16_t>(shape.low + static_cast<std::int32_t>(s));
  }

  template <unsigned N>
  void chunk(const std::uint16_t* indexes, std::int16_t* symbols, std::size_t n) {
    const auto one = [&](std::uint32_t& x, std::size_t i, const std::uint8_t*& from) { symbols[i] = step(x, indexes[i], from); };
    in_turn<N>(n, one, [](std::uint32_t (&)[N], std::size_t, const std::uint8_t*&) { return false; });
  }

  // Reads a symbol of every lane if all are 0, as most are at low qualities; else it changes nothing.
  template <unsigned N>
  LIC_INLINE bool zeros(const std::uint16_t* indexes, std::uint32_t (&x)[N], const std::uint8_t*& from) const {
    std::uint32_t next[N], wrong = 0, low = 0;
    LIC_UNROLL
    for (unsigned lane = 0; lane < N; ++lane) {
      const DecoderSymbol zero = tables_.zeros()[indexes[lane]];
      const std::uint32_t place = (x[lane] & 0xFFFF) - zero.start;
      next[lane] = zero.frequency * (x[lane] >> 16) + place;
      wrong |= place >= zero.frequency;
      low |= next[lane] < kLow;
    }
    if (wrong) return false;
    if (LIC_UNLIKELY(low))
      for (unsigned lane = 0; lane < N; ++lane) next[lane] = refill(next[lane], from);
    std::copy_n(next, N, x);
    return true;
  }

  // Reads a symbol of every lane and returns whether none takes part in the dependence, in which each would wait for the one before it; else
  // nothing is read.
  template <unsigned N>
  LIC_APART bool apart(const std::uint16_t* indexes, const Dependent& dependent, std::uint32_t (&x)[N], const std::uint8_t*& from,
                       std::int32_t* values) const {
    bool takes = false;
    for (unsigned lane = 0; lane < N; ++lane) takes |= dependent.takes(indexes[lane]);
    if (takes) return false;
    if (zeros<N>(indexes, x, from)) {
      std::fill_n(values, N, 0);
      return true;
    }
    LIC_UNROLL
    for (unsigned lane = 0; lane < N; ++lane) values[lane] = kStep * step(x[lane], indexes[lane], from);
    return true;
  }

  template <unsigned N>
  void chunk(const std::uint16_t* indexes, const Dependent& dependent, std::int32_t* values, std::size_t n) {
    unsigned state = dependence_;
    const auto one = [&](std::uint32_t& x, std::size_t i, const std::uint8_t*& from) {
      const std::uint16_t index = indexes[i];
      const std::int32_t symbol = step(x, static_cast<std::uint16_t>(dependent.table(index, state)), from);
      values[i] = dependent.value(index, symbol, state);
      state = dependent.next(index, symbol, state);
    };
    in_turn<N>(n, one, [&](std::uint32_t (&x)[N], std::size_t i, const std::uint8_t*& from) {
      return apart<N>(indexes + i, dependent, x, from, values + i);
    });
    dependence_ = state;
  }

  // Reads n symbols by read(state of the lane, number of the symbol, where the stream goes on), the lanes taking turns; those of all lanes
  // by all(states, number of the first, where the stream goes on) where this says that it has.
  template <unsigned N, typename Read, typename All>
  LIC_INLINE void in_turn(std::size_t n, const Read& read, const All& all) {
    const std::uint8_t* from = bytes_.data() + at_;
    const std::uint8_t* const end = bytes_.data() + end_;
    std::uint32_t x[N];
    std::copy_n(states_.begin(), N, x);
    std::size_t i = 0;
    const auto single = [&] {
      read(x[lane_], i, from);
      if (from > end) throw StreamError("the stream ends before its last symbol");
      lane_ = (lane_ + 1) % N;
      ++i;
    };
    while (lane_ && i < n) single();
    for (; i + N <= n; i += N) {
      if (!all(x, i, from)) {
        LIC_UNROLL
        for (unsigned lane = 0; lane < N; ++lane) read(x[lane], i + lane, from);
      }
      if (LIC_UNLIKELY(from > end)) throw StreamError("the stream ends before its last symbol");
    }
    while (i < n) single();
    std::copy_n(x, N, states_.begin());
    at_ = static_cast<std::size_t>(from - bytes_.data());
  }

  const Tables& tables_;
  unsigned lanes_;
  unsigned lane_ = 0;        // of the next symbol
  unsigned dependence_ = 0;  // state of dependent.hpp before the next symbol
  std::array<std::uint32_t, kMaxLanes> states_{};
  std::vector<std::uint8_t> bytes_;  // the stream after its start states, then kSlack zeros
  std::size_t at_ = 0, end_ = 0;     // at_ <= end_ between calls
  bool failed_ = false;
};

}  // namespace lic
