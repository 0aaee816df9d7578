// Initial kernels, by Keras' definitions. Private to science/integrator (includes
// LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "science/config/run_config.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {

// A [rows, columns] kernel, float64, drawn by `random`. Its fans are its rows and
// columns: a recurrent layer's kernels have their gates side by side.
// Source: docs/science.md, networks.
//   glorot_uniform  uniform within sqrt(6 / (rows + columns))
//   glorot_normal   normal, truncated at two standard deviations; the standard
//                   deviation left is sqrt(2 / (rows + columns))
//   orthogonal      orthonormal rows: Q of a normal matrix, transposed, with the
//                   signs that make R's diagonal positive
// Precondition for orthogonal: rows <= columns.
at::Tensor DrawKernel(science::Initializer initializer, const Random& random, int64_t rows,
                      int64_t columns);

}  // namespace gridsweep::integrator
