#define GRIDSWEEP_KERNELS kAvx2Kernels
#define GRIDSWEEP_KERNELS_NAME "avx2"
#define GRIDSWEEP_VECTOR_BYTES 32
#define GRIDSWEEP_LAG_ROWS 5
#include "science/scoring/kernels_body.h"
