#include "science/theory/fourier.h"

#include <unsupported/Eigen/FFT>

namespace gridsweep::theory {

using Complex = std::complex<double>;

class Fourier::Rows {
 public:
  explicit Rows(int res) : row_(static_cast<size_t>(res)) {}
  void Forward(Complex* row) {
    fft_.fwd(row_.data(), row, static_cast<Eigen::Index>(row_.size()));
    std::ranges::copy(row_, row);
  }
  void Inverse(Complex* row) {
    fft_.inv(row_.data(), row, static_cast<Eigen::Index>(row_.size()));
    std::ranges::copy(row_, row);
  }

 private:
  Eigen::FFT<double> fft_;
  std::vector<Complex> row_;
};

Fourier::Fourier(int res) : res_(res), rows_(std::make_unique<Rows>(res)) {}
Fourier::~Fourier() = default;

// Rows, then columns as the rows of the transposed map.
template <class Row>
void Fourier::BothWays(std::span<Complex> map, Row row) {
  const auto n = static_cast<size_t>(res_);
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t i = 0; i < n; ++i) row(&map[i * n]);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j) std::swap(map[i * n + j], map[j * n + i]);
    }
  }
}

void Fourier::Forward(std::span<Complex> map) {
  BothWays(map, [this](Complex* row) { rows_->Forward(row); });
}

void Fourier::Inverse(std::span<Complex> map) {
  BothWays(map, [this](Complex* row) { rows_->Inverse(row); });
}

std::vector<double> Fourier::Power(std::span<const double> map) {
  std::vector<Complex> transform(map.begin(), map.end());
  Forward(transform);
  std::vector<double> power;
  power.reserve(transform.size());
  for (const Complex& mode : transform) power.push_back(std::norm(mode));
  return power;
}

EvenConvolution::EvenConvolution(int res, std::vector<double> transform)
    : transform_(std::move(transform)), fourier_(res), pair_(transform_.size()) {}

void EvenConvolution::Apply(std::span<const double> maps, std::span<double> out) {
  const size_t size = transform_.size();
  // The transform is real, so two maps go through one as real and imaginary part.
  for (size_t first = 0; first < maps.size(); first += 2 * size) {
    const bool two = first + size < maps.size();
    for (size_t x = 0; x < size; ++x) {
      pair_[x] = {maps[first + x], two ? maps[first + size + x] : 0};
    }
    fourier_.Forward(pair_);
    for (size_t k = 0; k < size; ++k) pair_[k] *= transform_[k];
    fourier_.Inverse(pair_);
    for (size_t x = 0; x < size; ++x) {
      out[first + x] = pair_[x].real();
      if (two) out[first + size + x] = pair_[x].imag();
    }
  }
}

}  // namespace gridsweep::theory
