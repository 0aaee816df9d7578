#include "analysis/compare/published.h"

namespace gridsweep::analysis {

std::span<const PublishedFamily> PublishedFamilies() {
  static constexpr PublishedFamily kFamilies[] = {
      {"Cartesian Low Dim", 2516, 0.65, 0.00},
      {"Cartesian High Dim", 3793, 0.54, 0.00},
      {"Polar High Dim", 1171, 0.72, 0.24},
      {"Gaussian", 1265, 0.90, 0.08},
      {"DoG", 1103, 0.17, 0.16},
      {"DoS", 1689, 0.93, 0.91, 0.02},
      {"SoD", 71, 1.00, 0.04},
  };
  return kFamilies;
}

std::span<const PublishedAtWidth> PublishedGaussianByWidth() {
  static constexpr PublishedAtWidth kFractions[] = {{0.08, 0.274}, {0.10, 0.179}, {0.12, 0.115},
                                                    {0.14, 0.085}, {0.16, 0.085}, {0.20, 0},
                                                    {0.24, 0},     {0.28, 0}};
  return kFractions;
}

std::span<const PublishedByName> PublishedGaussianByNetwork() {
  static constexpr PublishedByName kFractions[] = {
      {"RNN", 0.243}, {"UGRNN", 0.113}, {"LSTM", 0.062}, {"GRU", 0}};
  return kFractions;
}

std::span<const PublishedByName> PublishedGaussianByActivation() {
  static constexpr PublishedByName kFractions[] = {
      {"tanh", 0.232}, {"linear", 0.108}, {"relu", 0.020}};
  return kFractions;
}

std::span<const PublishedAtWidth> PublishedDosPeriodModes() {
  static constexpr PublishedAtWidth kModes[] = {
      {0.08, 14.6}, {0.09, 16.7}, {0.10, 17.6}, {0.11, 18.8}, {0.12, 21.5},
      {0.13, 21.2}, {0.14, 23.6}, {0.15, 26.0}, {0.16, 27.5}, {0.17, 27.7},
      {0.18, 28.3}, {0.19, 28.8}, {0.20, 30.5}};
  return kModes;
}

std::span<const PublishedByName> PublishedParticipationRatios() {
  static constexpr PublishedByName kRatios[] = {
      {"RNN", 3.5}, {"SRNN", 4.9}, {"LSTM", 8.8}, {"GRU", 9.4}, {"UGRNN", 16.6}};
  return kRatios;
}

const PublishedFamily* FindPublished(std::string_view readout_family) {
  for (const PublishedFamily& family : PublishedFamilies()) {
    if (family.readout_family == readout_family) return &family;
  }
  return nullptr;
}

std::span<const PublishedPredictivity> PublishedPredictivities() {
  static constexpr PublishedPredictivity kNetworks[] = {
      {"RNN", "linear", 0.25, 0.63},    {"RNN", "tanh", 0.25, 0.71},
      {"RNN", "sigmoid", 0.23, 0.32},   {"RNN", "relu", 0.52, 0.68},
      {"SRNN", "linear", 0.25, 0.63},   {"SRNN", "tanh", 0.25, 0.63},
      {"SRNN", "sigmoid", 0.23, 0.24},  {"SRNN", "relu", 0.52, 0.78},
      {"GRU", "linear", 0.42, 0.65},    {"GRU", "tanh", 0.42, 0.68},
      {"GRU", "sigmoid", 0.26, 0.75},   {"GRU", "relu", 0.66, 0.76},
      {"LSTM", "linear", 0.42, 0.64},   {"LSTM", "tanh", 0.42, 0.64},
      {"LSTM", "sigmoid", 0.28, 0.59},  {"LSTM", "relu", 0.64, 0.79},
      {"UGRNN", "linear", 0.56, 0.73},  {"UGRNN", "tanh", 0.56, 0.74},
      {"UGRNN", "sigmoid", 0.31, 0.79}, {"UGRNN", "relu", 0.69, 0.81},
  };
  return kNetworks;
}

}  // namespace gridsweep::analysis
