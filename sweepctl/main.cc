#include "common/log.h"
#include "sweepctl/app.h"

int main(int argc, char** argv) {
  gridsweep::InitLogging("sweepctl");
  gridsweep::sweepctl::Console console = gridsweep::sweepctl::ProcessConsole();
  const int code = gridsweep::sweepctl::RunSweepctl({argv + 1, argv + argc}, console);
  return gridsweep::sweepctl::FinishOutput(console, code);
}
