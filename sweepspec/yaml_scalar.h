// Scalars without quotes as W&B's reader takes them (YAML 1.1), and numbers
// such as 1e-4 that it takes for text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "sweepspec/scalar.h"

namespace gridsweep::sweepspec {

struct PlainScalar {
  Scalar scalar;
  // Of a number that W&B's reader takes for text (1e-4): the spelling that
  // both read alike (1.0e-4). Otherwise empty.
  std::string wandb_spelling;
  // 010: another number to W&B.
  bool octal_to_wandb = false;
};
PlainScalar ReadPlainScalar(const std::string& text);

bool OneOf(std::string_view text, std::initializer_list<std::string_view> words);

}  // namespace gridsweep::sweepspec
