// The decoder of symbols, independent or dependent: rans.hpp, dependent.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dependent.hpp"
#include "rans.hpp"

namespace lic {

// Reads one stream, call by call. Not for two threads at once. After a throw every further call throws.
class Decoder {
 public:
  // Copies `data`; `tables` must outlive the decoder. Throws StreamError, or std::invalid_argument for the lanes.
  Decoder(const Tables& tables, const std::uint8_t* data, std::size_t size, unsigned lanes) : tables_(tables), lanes_(lanes) {
    check_lanes(lanes);
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
    by_chunks(indexes, n, 0, [&](auto count, const std::uint16_t* index, std::size_t from, std::size_t length) {
      chunk<count.value>(index, symbols + from, length);
    });
  }

  // The same for symbols that may be dependent: gives their values (see Dependent::value), and keeps the state from call
  // to call.
  void decode(const std::uint16_t* indexes, const Dependent& dependent, std::int32_t* values, std::size_t n) {
    by_chunks(indexes, n, dependent.offset, [&](auto count, const std::uint16_t* index, std::size_t from, std::size_t length) {
      chunk<count.value>(index, dependent, values + from, length);
    });
  }

  // Throws unless the stream ends exactly here.
  void finish() {
    if (failed_) throw StreamError("the stream failed before");
    if (at_ != end_) throw StreamError(std::to_string(end_ - at_) + " bytes are left after the last symbol");
    for (unsigned lane = 0; lane < lanes_; ++lane)
      if (states_[lane] != kLow) throw StreamError("lane " + std::to_string(lane) + " does not end at 2^24");
  }

 private:
  // Calls run(constant of the lanes, checked indexes, number of the first, how many) for every chunk of n symbols; offset: as of Tables::check.
  template <typename Run>
  void by_chunks(const std::uint16_t* indexes, std::size_t n, std::size_t offset, const Run& run) {
    if (failed_) throw StreamError("the stream failed before");
    failed_ = true;
    std::array<std::uint16_t, kChunk> index;
    for (std::size_t from = 0; from < n; from += kChunk) {
      const std::size_t length = std::min(kChunk, n - from);
      std::copy_n(indexes + from, length, index.begin());
      tables_.check(index.data(), length, offset);
      with_lanes(lanes_, [&](auto count) { run(count, index.data(), from, length); });
    }
    failed_ = false;
  }

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
      read(x[lane_ % N], i, from);
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
