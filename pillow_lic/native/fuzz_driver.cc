// Stands in for libFuzzer with other compilers than clang: replays the files that it is given, and for a number tries so many
// random inputs.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  std::mt19937 random(1);
  for (int i = 1; i < argc; ++i) {
    if (const unsigned long count = std::strtoul(argv[i], nullptr, 10)) {
      for (unsigned long k = 0; k < count; ++k) {
        std::vector<std::uint8_t> input(random() % 3000);
        for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
        LLVMFuzzerTestOneInput(input.data(), input.size());
      }
    } else {
      std::ifstream file(argv[i], std::ios::binary);
      const std::vector<char> input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    }
  }
}
