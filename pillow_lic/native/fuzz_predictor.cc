// libFuzzer target of predictor.hpp, built and run as that of the range coder: see fuzz_rangecoder.cc.
//
// An input: planes and shape of the signs, 4 bytes; the stream, which also gives start values, the predictor's numbers, counts and
// signs. Decoding it, cut or not, must end or throw StreamError. Coding the input's signs must give them back, and the first of
// them from a cut stream.
#include <cstdlib>

#include "predictor.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Case {
  std::vector<std::uint16_t> starts;
  std::size_t each, rows, columns;
  std::vector<std::uint8_t> counts;
  std::vector<std::int8_t> signs;
};

// The signs that there are; gives their number.
std::size_t decode(const Case& c, const lic::SignPredictor& predictor, const std::uint8_t* data, std::size_t size, bool cut,
                   std::vector<std::int8_t>& signs) {
  lic::BitDecoder decoder(c.starts.data(), c.starts.size(), data, size, cut);
  lic::ReadBits answer{decoder};
  signs.resize(c.signs.size());
  predictor.walk(c.counts.data(), c.each, c.rows, c.columns, signs.data(), answer);
  if (!cut) decoder.finish();
  return answer.bits.size();
}

void round_trip(const Case& c, const lic::SignPredictor& predictor, std::size_t seed) {
  lic::KnownSigns known{c.signs.data(), c.rows * c.columns};
  std::vector<std::int8_t> read(c.signs.size());
  require(predictor.walk(c.counts.data(), c.each, c.rows, c.columns, read.data(), known) && read == c.signs);
  lic::BitEncoder encoder(c.starts.data(), c.starts.size());
  encoder.write(known.bits.data(), known.contexts.data(), known.bits.size());
  const std::vector<std::uint8_t> stream = encoder.stream();
  require(decode(c, predictor, stream.data(), stream.size(), false, read) == known.bits.size() && read == c.signs);
  std::size_t left = decode(c, predictor, stream.data(), seed % stream.size(), true, read);
  for (std::size_t i = 0; i < read.size(); ++i) {
    require(read[i] == 0 || read[i] == c.signs[i]);
    left -= read[i] != 0;
  }
  require(left == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Case c;
  const std::size_t planes = 1 + data[0] % 40;
  c.each = 1 + data[1] % 8, c.rows = data[2] & 7, c.columns = data[3] & 7;
  data += 4, size -= 4;
  const auto byte = [&](std::size_t i) { return size ? data[i % size] : std::uint8_t{0}; };
  std::vector<std::int32_t> numbers;
  const std::size_t outputs = (2 + lic::kRowsOfPlane) * planes;
  for (std::size_t i = 0; i < lic::SignPredictor::numbers_of(planes); ++i)
    numbers.push_back(i < outputs ? 16 * (byte(i) - 128) : i < 2 * outputs ? byte(i) % 17 : std::max(-127, byte(i / 3 + i) - 128));
  const lic::SignPredictor predictor(numbers.data(), numbers.size(), planes);
  for (std::size_t i = 0; i < lic::kPredictedContexts + lic::kPredictedTables; ++i)
    c.starts.push_back(static_cast<std::uint16_t>(byte(i) << 8 | byte(i / 3 + 1)));
  for (std::size_t i = 0; i < c.rows * c.columns; ++i) c.counts.push_back(byte(i) % 12);
  for (std::size_t p = 0; p < planes; ++p)
    for (std::size_t i = 0; i < c.rows * c.columns; ++i)
      c.signs.push_back(static_cast<std::int8_t>(p < c.counts[i] * c.each ? (byte(p + i / 2) & 1 ? 1 : -1) : 0));

  round_trip(c, predictor, byte(0) << 8 | byte(1));
  std::vector<std::int8_t> signs;
  for (const bool cut : {false, true}) {
    try {
      decode(c, predictor, data, size, cut, signs);
    } catch (const lic::StreamError&) {
    }
  }
  return 0;
}
