#include "analysis/sheet/ratemap_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "analysis/sheet/canvas.h"
#include "analysis/sheet/heat_map.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr int kMargin = 16;
constexpr int kGap = 12;
constexpr int kSectionGap = 12;
constexpr int kTextScale = 1;
constexpr int kHeadingScale = 2;
constexpr int kMaxTilesAcross = 16;
constexpr int kLeastWidth = 330;  // the legend's

std::string ScoreText(const std::optional<double>& score) {
  if (!score) return "no grid score";
  char text[32];
  std::snprintf(text, sizeof text, "grid score %.3f", *score);
  return text;
}

// "min [colours] max  [grey] not visited", one line of text high.
void DrawLegend(Canvas& canvas, int x, int y) {
  const int height = Canvas::TextHeight(kTextScale);
  const auto text = [&](const char* words) {
    canvas.Text(x, y, words, kTextScale, kFaint);
    x += Canvas::TextWidth(words, kTextScale) + 6;
  };
  text("each map: min");
  constexpr int kBar = 80;
  DrawColourBar(canvas, x, y, kBar, height);
  x += kBar + 6;
  text("max");
  x += 10;
  canvas.Fill(x, y, height, height, kNoValue);
  x += height + 6;
  text("not visited");
}

struct Section {
  std::string heading;
  std::vector<const Tile*> tiles;
};

std::vector<Section> Group(const std::vector<Tile>& tiles) {
  std::vector<Section> sections;
  std::map<std::string, size_t> places;
  for (const Tile& tile : tiles) {
    const auto [place, fresh] = places.try_emplace(tile.heading, sections.size());
    if (fresh) sections.push_back({tile.heading, {}});
    sections[place->second].tiles.push_back(&tile);
  }
  return sections;
}

}  // namespace

absl::StatusOr<std::string> DrawRatemapSheet(const std::string& title, int nbins,
                                             const std::vector<Tile>& tiles) {
  if (tiles.empty()) return absl::InvalidArgumentError("no unit to draw");
  const std::vector<Section> sections = Group(tiles);
  const bool with_sac =
      std::ranges::any_of(tiles, [](const Tile& tile) { return !tile.autocorrelogram.empty(); });
  const int scale = nbins <= 24 ? 6 : nbins <= 36 ? 4 : 3;
  const int side = nbins * scale;
  // The autocorrelogram, twice as wide in bins, gets about the map's size.
  const int sac_bins = 2 * nbins - 1, sac_scale = std::max(1, scale / 2);
  const int sac_side = with_sac ? sac_bins * sac_scale : 0;
  const int tile_width = side + (with_sac ? 4 + sac_side : 0);
  const int text_height = 2 * Canvas::TextHeight(kTextScale) + 7;
  const int tile_height = text_height + std::max(side, sac_side);
  const int heading_height = Canvas::TextHeight(kHeadingScale) + 14;

  size_t widest = 0;
  for (const Section& section : sections) widest = std::max(widest, section.tiles.size());
  // Large groups wrap, about as wide as high, into rows of about equal length.
  const int most =
      std::clamp(static_cast<int>(std::ceil(std::sqrt(tiles.size() * 1.6))), 4, kMaxTilesAcross);
  const int rows_of_widest = (static_cast<int>(widest) + most - 1) / most;
  const int across = (static_cast<int>(widest) + rows_of_widest - 1) / rows_of_widest;
  int width = 2 * kMargin + across * (tile_width + kGap) - kGap;
  width = std::max({width, kLeastWidth, 2 * kMargin + Canvas::TextWidth(title, kTextScale)});
  for (const Section& section : sections) {
    width = std::max(width, 2 * kMargin + Canvas::TextWidth(section.heading, kHeadingScale));
  }
  const int title_height = Canvas::TextHeight(kTextScale) + kSectionGap;
  int height = kMargin + title_height;
  for (const Section& section : sections) {
    const int rows = (static_cast<int>(section.tiles.size()) + across - 1) / across;
    height += heading_height + rows * (tile_height + kGap) + kSectionGap;
  }

  height += Canvas::TextHeight(kTextScale) + kMargin - kGap;

  Canvas canvas(width, height, kBackground);
  canvas.Text(kMargin, kMargin, title, kTextScale, kFaint);
  int y = kMargin + title_height;
  for (const Section& section : sections) {
    canvas.Text(kMargin, y, section.heading, kHeadingScale, kInk);
    canvas.Fill(kMargin, y + Canvas::TextHeight(kHeadingScale) + 5, width - 2 * kMargin, 1, kRule);
    y += heading_height;
    for (size_t i = 0; i < section.tiles.size(); ++i) {
      const Tile& tile = *section.tiles[i];
      const int column = static_cast<int>(i) % across;
      if (i > 0 && column == 0) y += tile_height + kGap;
      const int x = kMargin + column * (tile_width + kGap);
      canvas.Text(x, y, StrCat("run ", tile.run_id, " unit ", tile.unit), kTextScale, kFaint);
      canvas.Text(x, y + Canvas::TextHeight(kTextScale) + 3, ScoreText(tile.score), kTextScale,
                  kInk);
      const auto [low, high] = Range(tile.ratemap);
      DrawMap(canvas, x, y + text_height, nbins, scale, tile.ratemap, low, high);
      if (!tile.autocorrelogram.empty()) {
        DrawMap(canvas, x + side + 4, y + text_height, sac_bins, sac_scale, tile.autocorrelogram,
                -1, 1);
      }
    }
    y += tile_height + kGap + kSectionGap;
  }
  DrawLegend(canvas, kMargin, height - kMargin - Canvas::TextHeight(kTextScale));
  return canvas.Png();
}

}  // namespace gridsweep::analysis
