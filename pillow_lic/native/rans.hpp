// Interleaved rANS with fixed 16-bit tables: the entropy coder of .lic, specified in FORMAT.md 7.1. What both directions share.
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

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

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

inline void check_lanes(unsigned lanes) {
  if (lanes != 1 && lanes != 2 && lanes != 4 && lanes != 8)
    throw std::invalid_argument("lanes must be 1, 2, 4 or 8, got " + std::to_string(lanes));
}

// Calls run(integral_constant of the lanes): loops over lanes are unrolled.
template <typename Run>
void with_lanes(unsigned lanes, const Run& run) {
  switch (lanes) {
    case 1: return run(std::integral_constant<unsigned, 1>{});
    case 2: return run(std::integral_constant<unsigned, 2>{});
    case 4: return run(std::integral_constant<unsigned, 4>{});
    default: return run(std::integral_constant<unsigned, 8>{});
  }
}

// The bytes are not what the encoder writes for these tables and indexes.
struct StreamError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace lic
