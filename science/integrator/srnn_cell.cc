#include "science/integrator/activation.h"
#include "science/integrator/cell.h"

namespace gridsweep::integrator {
namespace {

class SrnnCell : public Cell {
 public:
  explicit SrnnCell(science::Activation activation) : activation_(activation) {}

  Layout layout() const override { return {.gates = 1}; }

  void Forward(CellStep& step) const override { Activate(activation_, step.next_h); }

  void Backward(const CellStep& step, CellStep& delta) const override {
    ActivateBackward(activation_, delta.gates, step.next_h);
  }

 private:
  const science::Activation activation_;
};

}  // namespace

std::unique_ptr<Cell> MakeSrnnCell(science::Activation activation) {
  return std::make_unique<SrnnCell>(activation);
}

}  // namespace gridsweep::integrator
