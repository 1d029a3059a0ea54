// libFuzzer target of the range coder: symbol_encoder.hpp, symbol_decoder.hpp and trellis.hpp. Build and run (clang):
//     cmake -S pillow_lic/native -B build/fuzz -DLIC_FUZZ=ON -DLIC_SANITIZE=ON -DCMAKE_CXX_COMPILER=clang++
//     cmake --build build/fuzz && build/fuzz/fuzz_rangecoder
// Another compiler takes fuzz_driver.cc in place of libFuzzer.
//
// An input: lanes and table set, 1 byte; number of symbols, 2 bytes; the stream, which also gives the indexes.
// Decoding it must end or throw StreamError. Coding the input's bytes as symbols must give them back.
#include <cstdlib>

#include "symbol_decoder.hpp"
#include "symbol_encoder.hpp"
#include "trellis.hpp"

namespace {

lic::Tables make_tables(unsigned set) {
  std::vector<std::int16_t> low;
  std::vector<std::uint16_t> sizes, frequencies;
  const auto add = [&](int first, const std::vector<unsigned>& table) {
    low.push_back(static_cast<std::int16_t>(first));
    sizes.push_back(static_cast<std::uint16_t>(table.size()));
    for (const unsigned f : table) frequencies.push_back(static_cast<std::uint16_t>(f));
  };
  add(0, {65535, 1});
  add(-1, {1, 65533, 1, 1});
  if (set & 1) add(-32768, {1, 65535});
  if (set & 2) {
    std::vector<unsigned> narrow(5000, 1);
    narrow[2500] = 65536 - 4999;
    add(-2500, narrow);
  }
  if (set & 4) add(32764, {20000, 20000, 20000, 5000, 536});
  return {low.data(), sizes.data(), low.size(), frequencies.data(), frequencies.size()};
}

void require(bool condition) {
  if (!condition) std::abort();
}

void round_trip(const lic::Tables& tables, const std::vector<std::int16_t>& symbols,
                const std::vector<std::uint16_t>& indexes, unsigned lanes) {
  const std::size_t n = symbols.size();
  const std::vector<std::uint8_t> stream = lic::Encoder(tables, lanes).run(symbols.data(), indexes.data(), n);
  require(static_cast<double>(stream.size()) <= lic::cost(tables, symbols.data(), indexes.data(), n) / 8 * 1.001 + 4 * lanes);
  lic::Decoder decoder(tables, stream.data(), stream.size(), lanes);
  std::vector<std::int16_t> decoded(n);
  decoder.decode(indexes.data(), decoded.data(), n / 3);
  decoder.decode(indexes.data() + n / 3, decoded.data() + n / 3, n - n / 3);
  decoder.finish();
  require(decoded == symbols);
}

// Half of the tables are the second ones of the other half; the bytes are residuals of every size.
void trellis_round_trip(const lic::Tables& tables, const std::vector<std::int16_t>& symbols,
                        const std::vector<std::uint16_t>& indexes, unsigned lanes, unsigned state) {
  const std::size_t n = symbols.size();
  const auto half = static_cast<std::uint16_t>(tables.count() / 2);
  const lic::Dependent dependent{static_cast<std::uint16_t>(half / 2), half};
  std::vector<std::uint16_t> index(n), chosen(n);
  std::vector<float> residuals(n);
  for (std::size_t i = 0; i < n; ++i) {
    index[i] = static_cast<std::uint16_t>(indexes[i] % half);
    residuals[i] = std::fmod(static_cast<float>(symbols[i]) / static_cast<float>(1 << (symbols[i] & 15)),
                             static_cast<float>(lic::kLargestResidual));
  }
  std::vector<std::int16_t> found(n);
  std::vector<std::int32_t> values(n), decoded(n);
  const lic::Trellis trellis{tables, dependent, 8.0f};
  const unsigned middle = lic::quantise(trellis, residuals.data(), index.data(), n / 3, 0, found.data(), chosen.data(), values.data());
  lic::quantise(trellis, residuals.data() + n / 3, index.data() + n / 3, n - n / 3, middle, found.data() + n / 3,
              chosen.data() + n / 3, values.data() + n / 3);
  const std::vector<std::uint8_t> stream = lic::Encoder(tables, lanes).run(found.data(), chosen.data(), n);
  lic::Decoder decoder(tables, stream.data(), stream.size(), lanes);
  decoder.decode(index.data(), dependent, decoded.data(), n / 2);
  decoder.decode(index.data() + n / 2, dependent, decoded.data() + n / 2, n - n / 2);
  decoder.finish();
  require(decoded == values);
  try {
    lic::quantise(trellis, residuals.data(), index.data(), n, state, found.data(), chosen.data(), values.data());
    lic::Decoder damaged(tables, stream.data(), stream.size() - (stream.size() > 4 * lanes), lanes);
    damaged.decode(index.data(), dependent, decoded.data(), n);
    damaged.finish();
  } catch (const lic::StreamError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  static const std::vector<lic::Tables> sets = [] {
    std::vector<lic::Tables> made;
    for (unsigned set = 0; set < 8; ++set) made.push_back(make_tables(set));
    return made;
  }();
  const unsigned lanes = 1u << (data[0] & 3);
  const lic::Tables& tables = sets[data[0] >> 2 & 7];
  const std::size_t n = (data[1] | data[2] << 8) % 4096;
  data += 3, size -= 3;

  std::vector<std::uint16_t> indexes(n);
  std::vector<std::int16_t> symbols(n);
  for (std::size_t i = 0; i < n && size; ++i) {
    indexes[i] = static_cast<std::uint16_t>((data[i % size] + i) % tables.count());
    symbols[i] = static_cast<std::int16_t>(data[i % size] << 8 | data[(i + i / size) % size]);
  }
  round_trip(tables, symbols, indexes, lanes);
  trellis_round_trip(tables, symbols, indexes, lanes, lanes % lic::kStates);
  try {
    lic::Decoder decoder(tables, data, size, lanes);
    decoder.decode(indexes.data(), symbols.data(), n / 2);
    const auto half = static_cast<std::uint16_t>(tables.count() / 2);
    for (std::uint16_t& index : indexes) index = static_cast<std::uint16_t>(index % half);
    std::vector<std::int32_t> values(n);
    decoder.decode(indexes.data(), {static_cast<std::uint16_t>(half / 2), half}, values.data(), n - n / 2);
    decoder.finish();
  } catch (const lic::StreamError&) {
  }
  return 0;
}
