#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <sstream>
#include <string>

#include "science/integrator/trainer.h"

namespace gridsweep::integrator {
namespace {

// OpenBLAS is found by name at run time: LibTorch may be built with another BLAS.
template <class Function>
Function* Find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

std::string BlasKernel() {
  auto* corename = Find<char*()>("openblas_get_corename");
  auto* config = Find<char*()>("openblas_get_config");
  if (corename == nullptr || config == nullptr) return at::hasMKL() ? "mkl" : "blas";
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the version is the second word.
  std::istringstream words(config());
  std::string name, version;
  words >> name >> version;
  return "openblas-" + version + "-" + corename();
}

}  // namespace

std::string NumericsId() { return "cpu:" + BlasKernel() + ";torch-" TORCH_VERSION ";f32;unpacked"; }

void UseOneThreadPerSlot() {
  at::set_num_threads(1);
  if (auto* set_threads = Find<void(int)>("openblas_set_num_threads")) set_threads(1);
}

}  // namespace gridsweep::integrator
