// libFuzzer target of bitplanes.hpp, built and run as that of the range coder: see fuzz_rangecoder.cc.
//
// An input: shape of the symbols and number of pairs, 4 bytes; the stream, which also gives start values, tops and symbols. Decoding it,
// cut or not, must end or throw StreamError. Coding the input's symbols must give them back as far as the pairs say, and of a cut
// stream no bit that they have not.
#include <cstdlib>

#include "bitplanes.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Case {
  std::vector<std::uint16_t> starts;
  std::size_t channels, rows, columns, end;
  std::vector<std::uint8_t> tops;
  std::vector<std::int8_t> symbols;

  lic::SymbolPlanes planes() const { return {channels, rows, columns, tops.data()}; }
};

// The symbols that there are, and how many planes of each half of a channel are not known.
std::vector<std::int8_t> decode(const Case& c, const std::uint8_t* data, std::size_t size, bool cut, std::vector<std::uint8_t>& unknown) {
  lic::BitDecoder decoder(c.starts.data(), c.starts.size(), data, size, cut);
  lic::SymbolPlanes planes = c.planes();
  lic::ReadBits answer{decoder};
  planes.walk(c.end, answer);
  if (!cut) decoder.finish();
  std::vector<std::int8_t> symbols(c.symbols.size());
  planes.symbols(symbols.data());
  unknown.resize(2 * c.channels);
  planes.unknown(unknown.data());
  return symbols;
}

void round_trip(const Case& c, std::size_t seed) {
  lic::SymbolPlanes planes = c.planes();
  lic::KnownSymbols known(c.symbols.data(), c.channels, c.rows, c.columns, planes);
  planes.walk(c.end, known);
  lic::BitEncoder encoder(c.starts.data(), c.starts.size());
  encoder.write(known.bits.data(), known.contexts.data(), known.bits.size());
  const std::vector<std::uint8_t> stream = encoder.stream();
  std::vector<std::uint8_t> unknown;
  for (const bool cut : {false, true}) {
    const std::vector<std::int8_t> read = decode(c, stream.data(), cut ? seed % stream.size() : stream.size(), cut, unknown);
    std::size_t at = 0;
    for (std::size_t k = 0; k < c.channels; ++k)
      for (std::size_t i = 0; i < c.rows; ++i)
        for (std::size_t j = 0; j < c.columns; ++j, ++at) {
          const unsigned rest = unknown[2 * k + (i + j) % 2], size = static_cast<unsigned>(std::abs(c.symbols[at]));
          const int kept = static_cast<int>(size >> rest << rest);
          require(read[at] == (c.symbols[at] < 0 ? -kept : kept));
        }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Case c;
  c.channels = 1 + data[0] % 96, c.rows = 1 + (data[1] & 7), c.columns = 1 + (data[1] >> 3 & 7);
  c.end = data[2] << 8 | data[3];
  c.end %= 5 * c.channels + 2;
  data += 4, size -= 4;
  const auto byte = [&](std::size_t i) { return size ? data[i % size] : std::uint8_t{0}; };
  for (std::size_t i = 0; i < lic::kSymbolContexts; ++i) c.starts.push_back(static_cast<std::uint16_t>(byte(i) << 8 | byte(i / 3 + 1)));
  for (std::size_t k = 0; k < c.channels; ++k) c.tops.push_back(byte(k + 7) % 6);
  for (std::size_t i = 0; i < c.channels * c.rows * c.columns; ++i) {
    const int largest = 1 << c.tops[i / (c.rows * c.columns)];
    const int symbol = byte(i) % largest;
    c.symbols.push_back(static_cast<std::int8_t>(byte(i / 2 + 1) & 1 ? -symbol : symbol));
  }

  round_trip(c, byte(0) << 8 | byte(1));
  std::vector<std::uint8_t> unknown;
  for (const bool cut : {false, true}) {
    try {
      decode(c, data, size, cut, unknown);
    } catch (const lic::StreamError&) {
    }
  }
  return 0;
}
