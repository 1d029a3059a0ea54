// The tables of the range coder, checked and laid out for both directions, and what values cost by them: FORMAT.md 7.1.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__GNUC__) || defined(__clang__)
#define LIC_HERE __attribute__((always_inline))
#define LIC_INLINE inline LIC_HERE
#define LIC_APART __attribute__((noinline))
#define LIC_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define LIC_UNROLL _Pragma("GCC unroll 8")
#else
#define LIC_HERE
#define LIC_INLINE __forceinline
#define LIC_APART __declspec(noinline)
#define LIC_UNLIKELY(condition) (condition)
#define LIC_UNROLL
#endif

namespace lic {

constexpr unsigned kMaxLanes = 8;
constexpr unsigned kLookupBits = 10;
constexpr unsigned kLookupSize = 1u << kLookupBits, kBucketBits = 16 - kLookupBits;
// Indexes and symbols are copied to the stack by this many and checked there: the caller's arrays may change
// under us while the GIL is released. A multiple of kMaxLanes, so that chunks begin on lane 0 when encoding.
constexpr std::size_t kChunk = 512;
constexpr unsigned kEscapeLengthBits = 5;
constexpr unsigned kMaxEscapeBits = 16;

// One symbol for the encoder. x / f for x < f * 2^16 is exactly x * reciprocal >> 48 with reciprocal = ceil(2^48 / f):
// the excess e = f * reciprocal - 2^48 < f, so x * e < 2^48; the quotient is < 2^16, so the product fits 64 bits.
struct EncoderSymbol {
  std::uint64_t reciprocal;
  std::uint16_t start;
  std::uint16_t frequency;
  float bits;
};

struct DecoderSymbol {
  std::uint16_t start;
  std::uint16_t frequency;
};

struct TableShape {
  std::uint32_t offset;  // of symbol `low` among all tables' symbols
  std::int32_t low;
  std::uint32_t escape;  // number of the last symbol; escape >= 1
};

// An escaped value v as raw bits: `extra` low bits of `code`, whose top bit is implied by `extra`.
struct Escape {
  std::uint32_t code;  // 1 <= code < 2^17
  unsigned extra;      // floor(log2(code)), 0..16
};

LIC_INLINE Escape escape_of(std::int32_t value, const TableShape& shape) {
  const std::int32_t high = shape.low + static_cast<std::int32_t>(shape.escape) - 1;
  const std::int32_t folded = value > high ? 2 * (value - high - 1) : 2 * (shape.low - 1 - value) + 1;
  const std::uint32_t code = static_cast<std::uint32_t>(folded) + 1;
  unsigned extra = 0;
  while (code >> (extra + 1)) ++extra;
  return {code, extra};
}

// The stored tables, checked once and laid out for both directions. Immutable: any number of threads may share one.
class Tables {
 public:
  // low[count], sizes[count], frequencies[total]; throws std::invalid_argument naming the table and the reason.
  Tables(const std::int16_t* low, const std::uint16_t* sizes, std::size_t count, const std::uint16_t* frequencies,
         std::size_t total) {
    if (count < 1 || count > 65536)
      throw std::invalid_argument("there must be 1 to 65536 tables, got " + std::to_string(count));
    std::size_t sum_of_sizes = 0;
    for (std::size_t t = 0; t < count; ++t) sum_of_sizes += sizes[t];
    if (sum_of_sizes != total)
      throw std::invalid_argument("the sizes add up to " + std::to_string(sum_of_sizes) + ", but there are " +
                                  std::to_string(total) + " frequencies");
    shapes_.reserve(count);
    encoder_.reserve(total);
    decoder_.reserve(total);
    lookup_.resize(count * kLookupSize);
    for (std::size_t t = 0; t < count; ++t) add(t, low[t], sizes[t], frequencies + encoder_.size());
  }

  std::size_t count() const { return shapes_.size(); }
  const TableShape* shapes() const { return shapes_.data(); }
  const EncoderSymbol* encoder() const { return encoder_.data(); }
  const DecoderSymbol* decoder() const { return decoder_.data(); }
  const std::uint16_t* lookup() const { return lookup_.data(); }
  const DecoderSymbol* zeros() const { return zeros_.data(); }  // by table: value 0, of frequency 0 where it is escaped

  // `offset`: how much further the second table of an index may be.
  void check(const std::uint16_t* indexes, std::size_t n, std::size_t offset = 0) const {
    std::uint16_t largest = 0;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, indexes[i]);
    if (n && largest + offset >= count())
      throw std::invalid_argument("table indexes must be below " + std::to_string(count() - std::min(offset, count())) +
                                  ", got " + std::to_string(largest));
  }

 private:
  void add(std::size_t t, std::int32_t low, std::uint32_t size, const std::uint16_t* frequencies) {
    const std::string name = "table " + std::to_string(t);
    if (size < 2) throw std::invalid_argument(name + " needs 2 or more symbols, got " + std::to_string(size));
    if (low + static_cast<std::int32_t>(size) - 2 > 32767)
      throw std::invalid_argument(name + " ends at " + std::to_string(low + static_cast<std::int32_t>(size) - 2) +
                                  ", above 32767");
    std::uint64_t sum = 0;
    for (std::uint32_t s = 0; s < size; ++s) {
      if (!frequencies[s]) throw std::invalid_argument(name + " has frequency 0 at symbol " + std::to_string(s));
      sum += frequencies[s];
    }
    if (sum != 65536)
      throw std::invalid_argument(name + " has frequencies that add up to " + std::to_string(sum) + ", not 65536");

    shapes_.push_back({static_cast<std::uint32_t>(encoder_.size()), low, size - 1});
    std::uint16_t *const buckets = &lookup_[t * kLookupSize], *bucket = buckets;
    std::uint32_t start = 0;
    for (std::uint32_t s = 0; s < size; ++s) {
      const std::uint32_t f = frequencies[s];
      encoder_.push_back({((std::uint64_t{1} << 48) + f - 1) / f, static_cast<std::uint16_t>(start),
                          static_cast<std::uint16_t>(f), static_cast<float>(16.0 - std::log2(static_cast<double>(f)))});
      decoder_.push_back({static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(f)});
      start += f;
      // lookup[b]: the symbol that holds the first slot of bucket b.
      std::uint16_t* const end = buckets + ((start + (1u << kBucketBits) - 1) >> kBucketBits);
      std::fill(bucket, end, static_cast<std::uint16_t>(s));
      bucket = end;
    }
    const std::uint32_t zero = static_cast<std::uint32_t>(-low);
    zeros_.push_back(zero < size - 1 ? decoder_[shapes_.back().offset + zero] : DecoderSymbol{0, 0});
  }

  std::vector<TableShape> shapes_;
  std::vector<EncoderSymbol> encoder_;
  std::vector<DecoderSymbol> decoder_, zeros_;
  std::vector<std::uint16_t> lookup_;
};

// The ideal length of a stream in bits: sum of -log2(frequency / 65536), escapes included.
inline double cost(const Tables& tables, const std::int16_t* symbols, const std::uint16_t* indexes, std::size_t n) {
  std::array<std::uint16_t, kChunk> index;
  double bits = 0;
  for (std::size_t from = 0; from < n; from += kChunk) {
    const std::size_t length = std::min(kChunk, n - from);
    std::copy_n(indexes + from, length, index.begin());
    tables.check(index.data(), length);
    for (std::size_t i = 0; i < length; ++i) {
      const TableShape& shape = tables.shapes()[index[i]];
      const std::int32_t value = symbols[from + i];
      const std::uint32_t symbol = static_cast<std::uint32_t>(value - shape.low);
      bits += tables.encoder()[shape.offset + std::min(symbol, shape.escape)].bits;
      if (LIC_UNLIKELY(symbol >= shape.escape)) bits += kEscapeLengthBits + escape_of(value, shape).extra;
    }
  }
  return bits;
}

}  // namespace lic
