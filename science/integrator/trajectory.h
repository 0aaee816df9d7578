// Random walks of an animal in its box: the training and evaluation data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {

inline constexpr double kSecondsPerStep = 0.02;
inline constexpr double kSpeedScale = 0.81681408993334624;  // 0.13 * 2 pi, m/s (Rayleigh)
inline constexpr double kTurnSd = 11.52;                    // 5.76 * 2, rad/s
inline constexpr double kWallDistance = 0.03;               // m
inline constexpr double kWallSlowdown = 0.25;

struct Box {
  double width, height;  // metres; centred on the origin
  bool periodic;
};

inline Box BoxOf(const science::RunConfig& config) {
  return {config.box_width_in_m, config.box_height_in_m, config.is_periodic};
}

struct Vec2 {
  double x, y;
};

// How the walls change one step of an animal at `position` with head direction
// `heading` (radians). No change: turn 0, speed factor 1. Within 3 cm of the
// nearest wall (or beyond it) and facing it, the animal turns until it is
// parallel to the wall, and is slowed. Periodic boxes have no walls.
struct WallEffect {
  double turn = 0;
  double speed_factor = 1;
};
WallEffect AvoidWall(const Box& box, Vec2 position, double heading);

// Into [-side/2, side/2).
double WrapCoordinate(double x, double side);

// Walks as the network sees them; row k * batch + b is step k+1 of walk b.
struct Walks {
  int64_t steps = 0, batch = 0;
  std::vector<float> velocity;        // [steps * batch, 2] metres per step
  std::vector<float> step_length;     // [steps * batch] metres: the velocity's length
  std::vector<double> start;          // [batch, 2] metres: p_1
  std::vector<double> positions;      // [steps * batch, 2] metres: p_2 .. p_{steps+1}
  std::vector<double> start_heading;  // [batch] radians, not wrapped: theta_1
  std::vector<double> headings;       // [steps * batch] theta_2 .. theta_{steps+1}
};

// Draws `batch` walks of `steps` inputs. Computed in float64; a walk does not
// depend on `batch` or `steps` (a shorter one is its beginning). Positions may
// leave a box with walls by a few centimetres. `walks` keeps its memory.
void DrawWalks(const Box& box, const Random& random, int64_t steps, int64_t batch, Walks& walks);
// The walks of these numbers: number b is DrawWalks' walk b.
void DrawWalks(const Box& box, const Random& random, int64_t steps,
               std::span<const uint64_t> numbers, Walks& walks);

}  // namespace gridsweep::integrator
