#pragma once

// Processor time of this process so far: unlike the clock's, it does not count what
// others do on the same core.
double ProcessorSeconds();

// float64 operations a second of one core when it multiplies and adds (as much of
// the one as of the other, uncontracted) on registers alone: what the scorer's
// loops could reach at best.
double PeakFlops();
