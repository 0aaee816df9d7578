#define GRIDSWEEP_KERNELS kAvx512Kernels
#define GRIDSWEEP_KERNELS_NAME "avx512"
#define GRIDSWEEP_VECTOR_BYTES 64
#define GRIDSWEEP_LAG_ROWS 8
#include "science/scoring/kernels_body.h"
