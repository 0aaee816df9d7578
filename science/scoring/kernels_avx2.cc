#define GRIDSWEEP_KERNELS kAvx2Kernels
#define GRIDSWEEP_KERNELS_NAME "avx2"
#define GRIDSWEEP_LAG_ROWS 6
#include "science/scoring/kernels_body.h"
