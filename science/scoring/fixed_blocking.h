// Makes Eigen's products the same sums on every machine. For files that use Eigen.
#pragma once

namespace gridsweep::scoring {

// Call before a product, a decomposition included. Eigen cuts its sums to the caches that it finds;
// from here on, to caches of a fixed size. For the whole process; any thread may call it, any
// number of times.
void FixEigenBlocking();

}  // namespace gridsweep::scoring
