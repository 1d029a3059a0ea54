// libFuzzer target of bits.hpp, built and run as that of the range coder: see fuzz_rangecoder.cc.
//
// An input: number of contexts and shape of the planes, 4 bytes; the stream, which also gives start values, contexts, classes
// and mask. Decoding it, cut or not, must end or throw StreamError. Coding the input's bits must give them back, and the first
// of them from a cut stream.
#include <cstdlib>

#include "bits.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Case {
  std::vector<std::uint16_t> starts, contexts;  // contexts: for the bits that do not lie in planes
  std::vector<std::uint8_t> single, bits;
  lic::Planes planes;
};

std::vector<std::uint8_t> encode(const Case& c, double& cost) {
  lic::BitEncoder encoder(c.starts.data(), c.starts.size());
  encoder.write(c.single.data(), c.contexts.data(), c.single.size());
  encoder.write(c.bits.data(), c.planes);
  cost = encoder.cost();
  return encoder.stream();
}

// Decodes what there is into `c` and gives the number of bits.
std::size_t decode(Case& c, const std::uint8_t* data, std::size_t size, bool cut) {
  std::fill(c.single.begin(), c.single.end(), std::uint8_t{0});
  std::fill(c.bits.begin(), c.bits.end(), std::uint8_t{0});
  lic::BitDecoder decoder(c.starts.data(), c.starts.size(), data, size, cut);
  const std::size_t half = c.single.size() / 2;
  std::size_t count = decoder.read(c.contexts.data(), c.single.data(), half);
  count += decoder.read(c.contexts.data() + half, c.single.data() + half, c.single.size() - half);
  count += decoder.read(c.bits.data(), c.planes);
  if (!cut) decoder.finish();
  return count;
}

void round_trip(const Case& c, std::size_t seed) {
  double cost;
  const std::vector<std::uint8_t> stream = encode(c, cost);
  require(static_cast<double>(stream.size()) <= cost / 8 * 1.001 + 4.5);
  Case read = c;
  decode(read, stream.data(), stream.size(), false);
  require(read.single == c.single && read.bits == c.bits);

  std::size_t left = decode(read, stream.data(), seed % stream.size(), true);
  for (std::size_t i = 0; i < c.single.size(); ++i) {
    require(read.single[i] == (left ? c.single[i] : 0));
    left -= left > 0;
  }
  for (std::size_t i = 0; i < c.bits.size(); ++i) {
    require(read.bits[i] == (left ? c.bits[i] : 0));
    left -= left && (!c.planes.mask || c.planes.mask[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Case c;
  const std::size_t classes = 1 + (data[0] & 7);
  const bool masked = data[0] >> 3 & 1;
  c.planes = {data[1] & 3u, data[1] >> 2 & 3u, data[2] & 31u, data[3] & 63u, {}, nullptr};
  const std::size_t singles = data[1] << 4 & 0xFFF;
  data += 4, size -= 4;
  const auto byte = [&](std::size_t i) { return size ? data[i % size] : std::uint8_t{0}; };
  for (std::size_t i = 0; i < classes * lic::kPlaneContexts; ++i)
    c.starts.push_back(static_cast<std::uint16_t>(byte(i) << 8 | byte(i / 3 + 1)));
  for (std::size_t i = 0; i < singles; ++i) {
    c.contexts.push_back(static_cast<std::uint16_t>((byte(i) * 16u + i) % c.starts.size()));
    c.single.push_back(byte(i / 8) >> i % 8 & 1);
  }
  for (std::size_t i = 0; i < c.planes.planes * c.planes.channels; ++i)
    c.planes.classes.push_back(static_cast<std::uint8_t>(byte(i) % classes));
  std::vector<std::uint8_t> mask(c.planes.size());
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = !masked || byte(i) & 3;
  if (masked) c.planes.mask = mask.data();
  for (std::size_t i = 0; i < mask.size(); ++i) c.bits.push_back(mask[i] ? byte(i / 8) >> i % 8 & 1 : 0);

  round_trip(c, byte(0) << 8 | byte(1));
  for (const bool cut : {false, true}) {
    try {
      decode(c, data, size, cut);
    } catch (const lic::StreamError&) {
    }
  }
  return 0;
}
