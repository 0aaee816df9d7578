// Who may call what: one table of every method that our servers offer.
#pragma once

#include <optional>
#include <string_view>

#include "gridsweep/v1/admin.pb.h"

namespace gridsweep {

struct MethodRule {
  v1::Role least;  // ROLE_UNSPECIFIED: anybody, without a token
  bool writes;     // changes what is stored, hence is audited
};

// The rule of a method by its path, "/gridsweep.v1.SweepService/GetSweep".
// Nothing for a path that no server of ours has.
std::optional<MethodRule> RuleOf(std::string_view path);

// Whether a caller of role `has` may call what needs `least`: ADMIN may do
// everything, SUBMIT and WORK may also READ.
bool Permits(v1::Role has, v1::Role least);

// "read", "submit", "work", "admin"; nothing else is a role.
std::string_view RoleName(v1::Role role);
std::optional<v1::Role> ParseRole(std::string_view name);

}  // namespace gridsweep
