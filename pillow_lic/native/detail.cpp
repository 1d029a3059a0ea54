#include "detail.hpp"

#include <algorithm>
#include <cmath>

namespace lic {

namespace {

constexpr std::size_t kHalf = kOutputs / 2, kUsed = Detail::kPlanes / 2;

// Of weights (outputs, inputs, places) and biases (outputs,) that follow them; `output_of` and `input_of` number those of the file.
template <typename Output, typename Input>
Window window(const float* numbers, std::size_t inputs, std::size_t places, std::size_t outputs, int input_bits, const Output& output_of,
              const Input& input_of) {
  constexpr float kMostTogether = 49152.0f;  // of the magnitudes of weights: with inputs below 2^15 it leaves a quarter of int32 to all else
  Window made{std::vector<PairWeights>(places * inputs / 2), {}, {}};
  for (std::size_t k = 0; k < kOutputs; ++k) {
    const std::size_t output = output_of(k);
    if (output >= outputs) continue;
    const float* weights = numbers + output * inputs * places;
    float together = 0, largest = 0;
    for (std::size_t i = 0; i < inputs * places; ++i) together += std::abs(weights[i]), largest = std::max(largest, std::abs(weights[i]));
    int bits = 0;
    while (bits < 15 && together * static_cast<float>(2 << bits) <= kMostTogether && largest * static_cast<float>(2 << bits) < kMostFeature) ++bits;
    const std::size_t sum = output_at(k);
    made.bits.of[sum] = input_bits + bits;
    made.bias.of[sum] = static_cast<std::int32_t>(std::lrint(numbers[outputs * inputs * places + output] * static_cast<float>(1 << made.bits.of[sum])));
    for (std::size_t place = 0; place < places; ++place)
      for (std::size_t i = 0; i < inputs; ++i)
        made.weights[(place * inputs + i) / 2].of[PairWeights::at(k, i % 2)] =
            feature(weights[input_of(i) * places + place] * static_cast<float>(1 << bits));
  }
  return made;
}

std::size_t same(std::size_t k) { return k; }

// The plane of a number of a cell that is the k-th output, kPlanes where there is none.
std::size_t plane_at(std::size_t k) { return k % kHalf < kUsed ? Detail::plane_of(k / kHalf * kUsed + k % kHalf) : Detail::kPlanes; }

constexpr std::size_t kEnter = kAnchors, kBody = kEnter + Detail::kHidden * (9 * Detail::kPlanes + 1),
                      kLeave = kBody + Detail::kHidden * (9 * Detail::kHidden + 1);

}  // namespace

Detail::Detail(const float* numbers)
    : errors(numbers, numbers + kAnchors), enter(window(numbers + kEnter, kPlanes, 9, kHidden, kFineBits, same, plane_of)),
      body(window(numbers + kBody, kHidden, 9, kHidden, kHiddenBits, same, same)),
      leave(window(numbers + kLeave, kHidden, 1, kPlanes, kHiddenBits, plane_at, same)) {}

float Detail::error(float level) const { return 255 * AmongAnchors(level).factor(errors.data(), 1, 0); }

}  // namespace lic
