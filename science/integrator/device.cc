#include "science/integrator/device.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "science/integrator/trainer.h"

namespace gridsweep::integrator {
namespace {

at::Device& Device() {
  static at::Device device = at::kCPU;
  return device;
}

// The number N of "cuda:N" ("cuda" is "cuda:0"), or -1.
int CudaNumber(std::string_view name) {
  if (name == "cuda") return 0;
  if (!name.starts_with("cuda:") || name.size() > 8) return -1;
  name.remove_prefix(5);
  if (name.empty() || name.find_first_not_of("0123456789") != name.npos) return -1;
  return std::stoi(std::string(name));
}

std::string CudaDevices(int count) {
  if (count == 0) {
    return at::detail::getCUDAHooks().hasCUDART() ? "no CUDA device is to be seen"
                                                  : "this build is without CUDA";
  }
  return "there are " + std::to_string(count) + " CUDA devices, from cuda:0";
}

}  // namespace

absl::Status UseDevice(std::string_view name) {
  const int devices = static_cast<int>(at::getNumGPUs());
  if (name == "cpu" || (name == "auto" && devices == 0)) {
    Device() = at::kCPU;
    return absl::OkStatus();
  }
  const int number = name == "auto" ? 0 : CudaNumber(name);
  if (number < 0) {
    return absl::InvalidArgumentError("device \"" + std::string(name) +
                                      "\" is none of auto, cpu, cuda, cuda:N");
  }
  if (number >= devices) {
    return absl::InvalidArgumentError("device \"" + std::string(name) +
                                      "\": " + CudaDevices(devices) + "; use auto or cpu");
  }
  // Products in whole float32, and cuBLAS' sums in the same order in every run.
  at::globalContext().setFloat32MatmulPrecision("highest");
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  Device() = at::Device(at::kCUDA, static_cast<at::DeviceIndex>(number));
  return absl::OkStatus();
}

bool UsesGpu() { return Device().is_cuda(); }

at::Device ChosenDevice() { return Device(); }

std::vector<Weight> On(at::Device device, std::vector<Weight> weights) {
  for (Weight& weight : weights) {
    weight.value = weight.value.to(device);
    weight.gradient = weight.gradient.to(device);
  }
  return weights;
}

DropoutMasks On(at::Device device, const DropoutMasks& masks) {
  auto moved = [&](const at::Tensor& mask) { return mask.defined() ? mask.to(device) : mask; };
  return {moved(masks.input), moved(masks.recurrent), moved(masks.units)};
}

at::Tensor HostSideOf(const at::Tensor& tensor) {
  return tensor.is_cpu() ? tensor
                         : at::empty(tensor.sizes(), at::TensorOptions().dtype(at::kFloat));
}

std::vector<float> NumbersOf(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  const at::Tensor here = tensor.cpu().contiguous();
  const float* first = here.data_ptr<float>();
  return {first, first + here.numel()};
}

void SetNumbers(const std::vector<float>& numbers, at::Tensor& tensor) {
  if (!tensor.defined()) return;
  at::Tensor host = at::empty(tensor.sizes(), at::kFloat);
  std::copy(numbers.begin(), numbers.end(), host.data_ptr<float>());
  tensor.copy_(host);
}

}  // namespace gridsweep::integrator
