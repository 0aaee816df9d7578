#include "hdf5/layout.h"

#include <string>
#include <string_view>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::hdf5 {
namespace {

struct Place {
  std::string_view path;  // with a "/" at its end: all in that group
  NumberKind numbers;
  size_t least_rank, most_rank;
};

constexpr auto kFloat = NumberKind::kFloat, kInteger = NumberKind::kInteger;
// The first that fits counts.
constexpr Place kPlaces[] = {
    {"/ratemaps/", kFloat, 3, 3},
    {"/occupancy/", kInteger, 2, 2},
    {"/scores/mask_60", kFloat, 2, 2},
    {"/scores/mask_90", kFloat, 2, 2},
    {"/scores/orientations_rad", kFloat, 2, 2},
    {"/scores/", kFloat, 1, 1},
    {"/learning_curve/step", kInteger, 1, 1},
    {"/learning_curve/fraction_above", kFloat, 2, 2},
    {"/learning_curve/", kFloat, 1, 1},
    {"/readout/", kFloat, 1, 3},
    {"/chance/unit", kInteger, 1, 1},
    {"/chance/grid_score_60", kFloat, 2, 2},
    {"/untrained/", kFloat, 1, 1},
    {"/weights/", kFloat, 0, 4},
    {"/optimizer/", kFloat, 0, 4},
    {"/curves/", kFloat, 2, 2},
};

std::string_view Words(NumberKind numbers) {
  return numbers == kFloat ? "floating-point numbers" : "integers";
}

bool Fits(std::string_view place, std::string_view path) {
  return place.back() == '/' ? path.substr(0, place.size()) == place : path == place;
}

}  // namespace

absl::Status CheckLayout(const Inventory& inventory) {
  RETURN_IF_ERROR(CheckOurs(inventory));
  for (const Object& object : inventory) {
    if (object.kind != Object::Kind::kDataset) continue;
    for (const Place& place : kPlaces) {
      if (!Fits(place.path, object.path)) continue;
      const size_t rank = object.shape.size();
      if (object.numbers != place.numbers || rank < place.least_rank || rank > place.most_rank) {
        const std::string to =
            place.least_rank == place.most_rank ? "" : StrCat(" to ", place.most_rank);
        return absl::DataLossError(StrCat(Shown(object.path), " holds ", Words(object.numbers),
                                          " of ", rank, " lengths; ", Words(place.numbers), " of ",
                                          place.least_rank, to, " belong there"));
      }
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace gridsweep::hdf5
