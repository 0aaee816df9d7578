// Counter-based random numbers: a value is a function of (seed, stream, step,
// index) and of nothing else, so neither call order nor company changes it.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace gridsweep::integrator {

// What a random number is for. Values are part of every result: never reuse one.
enum class Stream : uint32_t {
  kReadout = 0,
  kWeights = 1,
  kTrain = 2,
  kDropout = 3,
  kEval = 4,
  kChance = 5,
  kShuffle = 6,
  kPatterns = 32,
};

// Philox4x32-10. Source: Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011).
constexpr std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// The numbers of one (seed, stream, step). `step` is below 2^56.
class Random {
 public:
  Random(int64_t seed, Stream stream, uint64_t step)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(static_cast<uint64_t>(seed) >> 32)},
        step_low_(static_cast<uint32_t>(step)),
        step_high_(static_cast<uint32_t>(step >> 32) << 8 | static_cast<uint32_t>(stream)) {}

  // Four independent words.
  std::array<uint32_t, 4> Words(uint64_t index) const {
    return Philox4x32(
        {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), step_low_, step_high_},
        key_);
  }
  // Two independent uniforms in (0, 1): odd multiples of 2^-54, so that
  // neither 0 nor 1 occurs.
  std::array<double, 2> Uniforms(uint64_t index) const {
    const auto words = Words(index);
    return {Unit(words[0], words[1]), Unit(words[2], words[3])};
  }
  double Uniform(uint64_t index, double low, double high) const {
    return low + (high - low) * Uniforms(index)[0];
  }
  // Standard normal (Box-Muller).
  double Normal(uint64_t index) const {
    const auto u = Uniforms(index);
    return std::sqrt(-2 * std::log(u[0])) * std::cos(2 * std::numbers::pi * u[1]);
  }
  double Rayleigh(uint64_t index, double scale) const {
    return scale * std::sqrt(-2 * std::log(Uniforms(index)[0]));
  }

 private:
  static double Unit(uint32_t high, uint32_t low) {
    const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
    return (static_cast<double>(bits) + 0.5) * 0x1p-53;
  }

  std::array<uint32_t, 2> key_;
  uint32_t step_low_, step_high_;
};

}  // namespace gridsweep::integrator
