#include "science/integrator/trajectory.h"

#include <cmath>
#include <numbers>
#include <numeric>

namespace gridsweep::integrator {
namespace {

constexpr double kPi = std::numbers::pi;

double Sign(double x) { return (x > 0) - (x < 0); }

}  // namespace

double WrapCoordinate(double x, double side) { return x - side * std::floor(x / side + 0.5); }

WallEffect AvoidWall(const Box& box, Vec2 position, double heading) {
  if (box.periodic) return {};
  const double distances[] = {box.width / 2 - position.x, box.height / 2 - position.y,
                              box.width / 2 + position.x, box.height / 2 + position.y};
  int nearest = 0;
  for (int wall = 1; wall < 4; ++wall) {
    if (distances[wall] < distances[nearest]) nearest = wall;
  }
  if (!(distances[nearest] < kWallDistance)) return {};
  const double angle = std::remainder(heading - nearest * kPi / 2, 2 * kPi);
  if (!(std::abs(angle) < kPi / 2)) return {};
  return {Sign(angle) * (kPi / 2 - std::abs(angle)), kWallSlowdown};
}

void DrawWalks(const Box& box, const Random& random, int64_t steps, int64_t batch, Walks& walks) {
  std::vector<uint64_t> numbers(static_cast<size_t>(batch));
  std::iota(numbers.begin(), numbers.end(), 0);
  DrawWalks(box, random, steps, numbers, walks);
}

void DrawWalks(const Box& box, const Random& random, int64_t steps,
               std::span<const uint64_t> numbers, Walks& walks) {
  const size_t batch = numbers.size(), rows = static_cast<size_t>(steps) * batch;
  walks.steps = steps;
  walks.batch = static_cast<int64_t>(batch);
  walks.velocity.resize(rows * 2);
  walks.step_length.resize(rows);
  walks.start.resize(batch * 2);
  walks.positions.resize(rows * 2);
  walks.start_heading.resize(batch);
  walks.headings.resize(rows);
  auto store = [&box](double* to, Vec2 p) {
    to[0] = box.periodic ? WrapCoordinate(p.x, box.width) : p.x;
    to[1] = box.periodic ? WrapCoordinate(p.y, box.height) : p.y;
  };
  for (size_t b = 0; b < batch; ++b) {
    const uint64_t walk = numbers[b] << 32;
    const auto place = random.Uniforms(walk);
    Vec2 p = {(place[0] - 0.5) * box.width, (place[1] - 0.5) * box.height};
    double heading = random.Uniform(walk + 1, 0, 2 * kPi);
    for (uint64_t t = 0; t <= static_cast<uint64_t>(steps); ++t) {
      const uint64_t draw = walk + 2 + 2 * t;
      const WallEffect wall = AvoidWall(box, p, heading);
      const double length =
          random.Rayleigh(draw, kSpeedScale) * wall.speed_factor * kSecondsPerStep;
      const Vec2 v = {length * std::cos(heading), length * std::sin(heading)};
      p = {p.x + v.x, p.y + v.y};
      heading += wall.turn + kSecondsPerStep * kTurnSd * random.Normal(draw + 1);
      if (t == 0) {
        // The first step only leads to the start position.
        store(&walks.start[b * 2], p);
        walks.start_heading[b] = heading;
        continue;
      }
      const size_t row = (t - 1) * batch + b;
      walks.velocity[row * 2] = static_cast<float>(v.x);
      walks.velocity[row * 2 + 1] = static_cast<float>(v.y);
      walks.step_length[row] = static_cast<float>(length);
      store(&walks.positions[row * 2], p);
      walks.headings[row] = heading;
    }
  }
}

}  // namespace gridsweep::integrator
