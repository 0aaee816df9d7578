// Whether a sweep ended as it must, whatever was done meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "tests/chaos/world.h"

namespace gridsweep::testing {

// How many of the sweep's runs have a result; -1 when the database does not answer.
int64_t Finished(const World& world, const std::string& sweep);

// Complains to `world` of all that is not so: `runs` results, one each and no
// more; no failure but those that the rules count; no lease left; counts that
// agree wherever they are asked for; nothing that verify finds. Precondition:
// the sweep has ended and the world is healed.
void Judge(World& world, const std::string& sweep, int64_t runs);

// How the attempts at the sweep's runs ended, in a line each.
std::string Attempts(const World& world, const std::string& sweep);

}  // namespace gridsweep::testing
