// The kinds of lattice that the theory tells apart.
#pragma once

#include <array>
#include <string_view>

namespace gridsweep::theory {

enum class Lattice { kHexagonal, kSquare, kStripes, kNone };

constexpr std::string_view NameOf(Lattice lattice) {
  constexpr std::array<std::string_view, 4> kNames = {"hexagonal", "square", "stripes", "none"};
  return kNames[static_cast<size_t>(lattice)];
}

}  // namespace gridsweep::theory
