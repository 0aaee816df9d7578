#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include "science/integrator/device.h"
#include "science/integrator/trainer.h"

namespace gridsweep::integrator {
namespace {

// Libraries that LibTorch may or may not bring are asked by name at run time.
template <class Function>
Function* Find(const char* name, void* library = RTLD_DEFAULT) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

// A name in one word.
std::string Hyphened(std::string name) {
  std::ranges::replace(name, ' ', '-');
  return name;
}

// "AMD-EPYC-26.2-avx512": name, family and model (virtual machines shorten the name), and
// what it offers of vectors (they may hide that, too).
std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  std::map<std::string, std::string> facts;  // of the first core
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const size_t colon = line.find(':');
    if (colon == line.npos || colon + 2 > line.size()) continue;
    facts[line.substr(0, line.find_last_not_of("\t ", colon - 1) + 1)] = line.substr(colon + 2);
  }
  const std::string flags = facts["flags"] + " ";
  const char* vectors = flags.find(" avx512f ") != flags.npos ? "avx512"
                        : flags.find(" avx2 ") != flags.npos  ? "avx2"
                                                              : "sse";
  std::ostringstream text;
  text << Hyphened(facts["model name"]) << '-' << facts["cpu family"] << '.' << facts["model"]
       << '-' << vectors;
  return text.str();
}

// MKL does not tell which of its kernels it chose: that follows from version and processor.
std::string MklKernel() {
  // "Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for ..."
  const std::string text = at::get_mkl_version();
  std::smatch match;
  std::regex_search(text, match, std::regex("Version ([0-9.]+)"));
  return "mkl-" + match.str(1) + "-" + Processor();
}

std::string BlasKernel() {
  auto* corename = Find<char*()>("openblas_get_corename");
  auto* config = Find<char*()>("openblas_get_config");
  if (corename == nullptr || config == nullptr) return at::hasMKL() ? MklKernel() : "blas";
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the version is the second word.
  std::istringstream words(config());
  std::string name, version;
  words >> name >> version;
  return "openblas-" + version + "-" + corename();
}

// By the driver, which LibTorch has loaded by then and whose headers nobody needs for that.
std::string CudaModel(int number) {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  char name[256] = "";
  if (driver != nullptr) {
    auto* get = Find<int(int*, int)>("cuDeviceGet", driver);
    auto* get_name = Find<int(char*, int, int)>("cuDeviceGetName", driver);
    int device = 0;
    if (get == nullptr || get_name == nullptr || get(&device, number) != 0 ||
        get_name(name, sizeof(name) - 1, device) != 0) {
      name[0] = '\0';
    }
    dlclose(driver);
  }
  return *name == '\0' ? "unknown-device" : name;
}

std::string CublasVersion() {
  auto* get = Find<int(int, int*)>("cublasGetProperty");
  std::array<int, 3> version{};  // major, minor, patch
  for (int part = 0; part < 3; ++part) {
    if (get == nullptr || get(part, &version[static_cast<size_t>(part)]) != 0) return "cublas";
  }
  std::ostringstream text;
  text << "cublas-" << version[0] << '.' << version[1] << '.' << version[2];
  return text.str();
}

}  // namespace

std::string NumericsId() {
  const at::Device device = ChosenDevice();
  std::string id;
  if (device.is_cuda()) {
    id = "cuda:" + Hyphened(CudaModel(device.index())) + "-" + CublasVersion() + ";";
  }
  // First weights, targets and template decoding are the processor's on every device.
  return id + "cpu:" + BlasKernel() + ";torch-" TORCH_VERSION ";f32;unpacked";
}

void UseOneThreadPerSlot() {
  at::set_num_threads(1);
  if (auto* set_threads = Find<void(int)>("openblas_set_num_threads")) set_threads(1);
}

}  // namespace gridsweep::integrator
