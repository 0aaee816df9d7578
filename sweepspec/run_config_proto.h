// RunConfig between its three forms: proto (optional fields), struct
// (complete), canonical JSON (stored and hashed).
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "gridsweep/v1/config.pb.h"
#include "science/config/run_config.h"

namespace gridsweep::sweepspec {

// Fills in defaults and checks everything. INVALID_ARGUMENT with one
// BadRequest violation a fault, field paths prefixed with `path`.
absl::StatusOr<science::RunConfig> FromProto(const v1::RunConfig& proto,
                                             const std::string& path = "config");

// Every default written out.
v1::RunConfig ToProto(const science::RunConfig& config);

// Canonical JSON (RFC 8785): every parameter, published names, keys sorted, no
// spaces, numbers as JavaScript prints them (2, 0.0001, 1e-7), random draws in
// the published string form, an absent place_cell_alpha as null.
std::string CanonicalJson(const science::RunConfig& config);
// Reads it back, from any spelling of the same JSON (PostgreSQL's jsonb too).
// Keys that are missing take their defaults, place_field_values excepted: an
// older version may have written it. INVALID_ARGUMENT with one BadRequest
// violation a fault.
absl::StatusOr<science::RunConfig> FromCanonicalJson(const std::string& json);

// SHA-256 of CanonicalJson: 32 raw bytes.
std::string ConfigHash(const science::RunConfig& config);

// Equal for configurations whose tensors have equal shapes (networks of the
// same type and sizes, the same batch and sequence): 16 raw bytes.
std::string ShapeKey(const science::RunConfig& config);

}  // namespace gridsweep::sweepspec
