// What CLI11's own checks say of numbers names the largest double, digit by digit.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace gridsweep::sweepctl {

// "--limit: "abc" is not a whole number from 1 on".
CLI::Validator WholeNumberFrom(int64_t lowest);
// Finite and above 0.
CLI::Validator PositiveReal();
// Finite and 0 or above.
CLI::Validator RealFromZero();

}  // namespace gridsweep::sweepctl
