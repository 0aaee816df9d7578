#define GRIDSWEEP_KERNELS kBaselineKernels
#define GRIDSWEEP_KERNELS_NAME "baseline"
#define GRIDSWEEP_VECTOR_BYTES 16
#define GRIDSWEEP_LAG_ROWS 3
#include "science/scoring/kernels_body.h"
