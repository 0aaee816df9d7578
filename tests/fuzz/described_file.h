// HDF5 files of any shape, from a few bytes that describe them: groups, datasets and attributes
// under the names that our readers look for, of kinds, ranks and lengths that they may not expect.
//
// The library's own reading of bytes that are no HDF5 file it has written is not tried here: what
// is tried is what our readers do with the answers that it gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "science/config/run_config.h"

namespace gridsweep::fuzz {

// Paths of datasets and groups in described files, without the leading slash.
inline constexpr const char* kPaths[] = {
    "ratemaps",
    "ratemaps/n44",
    "ratemaps/n20",
    "scores",
    "scores/grid_score_60",
    "learning_curve/step",
    "metrics",
    "weights/w",
    "optimizer/mean/w",
    "optimizer/square/w",
    "curves/stored",
    "curves/stored/losses",
    "curves/stored/evaluations",
    "curves/stored/last",
    "curves/artifact",
    "curves/artifact/evaluations",
    "curves/artifact/last",
};
// Names of attributes in them.
inline constexpr const char* kAttributes[] = {
    "format",  "config_hash",     "numerics_id", "parameters",        "science_version",  "step",
    "loss",    "compute_seconds", "stride",      "evaluation_stride", "evaluation_count", "empty",
    "loss_mb", "config",
};

// The configuration whose checkpoint a described file may begin as.
science::RunConfig DescribedConfig();

// The file that `data` describes: an empty one, a checkpoint or a result file, whose objects are
// then removed and replaced one by one; or bytes that are no HDF5 file.
std::string DescribedFile(const uint8_t* data, size_t size);

}  // namespace gridsweep::fuzz
