// Runs hdf5_bytes.cc on so many files drawn at random, and says how fast.
//   hdf5_bytes_storm FILES [SEED]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "tests/fuzz/hdf5_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "hdf5_bytes_storm FILES [SEED]\n");
    return 2;
  }
  const uint64_t files = std::strtoull(arguments[1], nullptr, 10);
  const uint64_t seed = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < files; ++i) {
    // Each from its own seed, so that one is found again alone.
    std::seed_seq own = {static_cast<uint32_t>(seed), static_cast<uint32_t>(i)};
    std::mt19937 random(own);
    std::vector<uint8_t> input(1 + random() % 60);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    if (input[0] == 0xFF) input[0] = 0;
    LLVMFuzzerTestOneInput(input.data(), input.size());
    if ((i + 1) % 100'000 == 0) {
      std::printf("%llu files\n", static_cast<unsigned long long>(i + 1));
      std::fflush(stdout);
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto& tally = gridsweep::fuzz::Tally();
  std::printf("%llu files in %.0f s, %.0f a second: %llu listed, %llu read whole, %llu ended "
              "their process\n",
              static_cast<unsigned long long>(tally.files), seconds,
              static_cast<double>(tally.files) / seconds,
              static_cast<unsigned long long>(tally.listed),
              static_cast<unsigned long long>(tally.read),
              static_cast<unsigned long long>(tally.died));
  return tally.restarts == 0 && tally.listed > 0 && tally.listed < tally.files ? 0 : 1;
}
