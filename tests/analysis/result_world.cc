#include "tests/analysis/result_world.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/sha256.h"
#include "common/strings.h"
#include "tests/support/postgres.h"

namespace gridsweep::analysis {
namespace {

namespace fs = std::filesystem;

// In the order of the table's columns.
constexpr const char* kMetrics[] = {"grid_score_60",
                                    "grid_score_90",
                                    "grid_score_60_n20",
                                    "grid_score_90_n20",
                                    "grid_score_60_n32",
                                    "grid_score_90_n32",
                                    "period_bins",
                                    "period_error_bins",
                                    "orientation_rad",
                                    "mean_rate",
                                    "peak_rate",
                                    "spatial_information",
                                    "grid_score_60_means",
                                    "grid_score_60_circle",
                                    "orientation_spread_rad",
                                    "phase_x",
                                    "phase_y",
                                    "field_count",
                                    "border_score"};
// Every run's shuffles [2, 2] and untrained network, and what they amount to.
const std::vector<double> kShuffled = {0.5, NAN, 1.0, 0.2};
const std::vector<double> kUntrained = {0.4, NAN, 0.76, 0.1};
const std::map<std::string, std::optional<double>> kChance = {
    {"chance_score_60_p95", 0.95},         {"chance_fraction_above_030", 0.5},
    {"chance_fraction_above_075", 0.25},   {"chance_fraction_above_080", 0.25},
    {"chance_fraction_above_085", 0.25},   {"chance_fraction_above_100", 0},
    {"chance_fraction_above_115", 0},      {"untrained_max_score_60", 0.76},
    {"untrained_fraction_above_030", 0.5}, {"untrained_fraction_above_075", 0.25},
    {"untrained_fraction_above_080", 0},   {"untrained_fraction_above_085", 0},
    {"untrained_fraction_above_100", 0},   {"untrained_fraction_above_115", 0}};
const std::map<std::string, int> kStates = {{"pending", 0}, {"backoff", 1},   {"paused", 2},
                                            {"leased", 3},  {"succeeded", 4}, {"diverged", 5},
                                            {"failed", 6},  {"cancelled", 7}};

std::string Text(double value) {
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

std::string Sql(const std::optional<double>& value) { return value ? Text(*value) : "null"; }

// Every unit metric, made from the score: some NULL where the score is.
std::map<std::string, Values> UnitsOf(const Values& scores) {
  std::map<std::string, Values> units;
  for (size_t m = 0; m < std::size(kMetrics); ++m) {
    Values& values = units[kMetrics[m]];
    for (size_t i = 0; i < scores.size(); ++i) {
      const auto& score = scores[i];
      if (m == 0) {
        values.push_back(score);
      } else if (!score && m < 9) {
        values.push_back(std::nullopt);
      } else {
        values.push_back(0.5 * score.value_or(0.25) + 0.1 * static_cast<double>(m) +
                         0.01 * static_cast<double>(i));
      }
    }
  }
  return units;
}

// The bin by its definition, one edge after the other.
int BinOf(double value) {
  for (int j = 0; j <= 400; ++j) {
    if (value <= (j - 200) / 100.0) return j;
  }
  return 401;
}

std::string RollupSql(int64_t run_id, const std::string& metric, const Values& values) {
  int nulls = 0;
  std::optional<double> low, high;
  double sum = 0;
  std::vector<int> bins(402);
  for (const auto& value : values) {
    if (!value) {
      ++nulls;
      continue;
    }
    low = std::min(low.value_or(*value), *value);
    high = std::max(high.value_or(*value), *value);
    sum += *value;
    ++bins[BinOf(*value)];
  }
  std::string array = "null";
  if (metric.rfind("grid_score", 0) == 0) {
    array = "'{";
    for (int k = 0; k < 402; ++k) array += (k ? "," : "") + std::to_string(bins[k]);
    array += "}'";
  }
  return StrCat("insert into unit_rollups values (", run_id, ", '", metric, "', ", values.size(),
                ", ", nulls, ", ", Sql(low), ", ", Sql(high), ", ", Text(sum), ", ", array, ");");
}

std::string UnitsAbove(const Values& scores) {
  std::string counts;
  for (const double threshold : {0.3, 0.75, 0.8, 0.85, 1.0, 1.15}) {
    counts += (counts.empty() ? "'{" : ",") +
              std::to_string(std::ranges::count_if(
                  scores, [&](const auto& score) { return score && *score > threshold; }));
  }
  return counts + "}'";
}

void WriteText(hid_t file, const std::string& name, const std::string& text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, text.size());
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, text.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void WriteMetrics(hid_t file, const std::map<std::string, std::optional<double>>& metrics) {
  const hid_t group = H5Gcreate2(file, "/metrics", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate(H5S_SCALAR);
  for (const auto& [metric, stored] : metrics) {
    const double value = stored.value_or(NAN);
    const hid_t attribute =
        H5Acreate2(group, metric.c_str(), H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value);
    H5Aclose(attribute);
  }
  H5Sclose(space);
  H5Gclose(group);
}

template <typename T>
void WriteArray(hid_t file, const std::string& name, hid_t type, const std::vector<hsize_t>& shape,
                const std::vector<T>& values) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t set = H5Dcreate2(file, name.c_str(), type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(links);
}

std::string WriteResultFile(const fs::path& directory, const StoredRun& run,
                            const std::string& config, const std::string& hash) {
  const fs::path temporary = directory / "writing.h5";
  const hid_t file = H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  WriteText(file, "config", config);
  WriteText(file, "config_hash", ToHex(hash));
  const std::vector<uint64_t> steps = {1, 5, 10};
  WriteArray(file, "/learning_curve/step", H5T_NATIVE_UINT64, {steps.size()}, steps);
  WriteMetrics(file, run.metrics);
  const auto count = static_cast<hsize_t>(run.spec.scores.size());
  if (run.spec.state == "succeeded") {
    WriteArray(file, "/chance/grid_score_60", H5T_NATIVE_DOUBLE, {2, 2}, kShuffled);
    WriteArray(file, "/untrained/grid_score_60", H5T_NATIVE_DOUBLE, {4}, kUntrained);
    for (const auto& [metric, values] : run.units) {
      std::vector<double> numbers;
      for (const auto& value : values) numbers.push_back(value.value_or(NAN));
      WriteArray(file, "/scores/" + metric, H5T_NATIVE_DOUBLE, {count}, numbers);
    }
    for (const int n : {44, 32, 20}) {
      std::vector<float> maps;
      for (int unit = 0; unit < static_cast<int>(count); ++unit) {
        for (int i = 0; i < n; ++i) {
          for (int j = 0; j < n; ++j) maps.push_back(StoredRate(run.run_id, unit, i, j));
        }
      }
      const auto side = static_cast<hsize_t>(n);
      WriteArray(file, StrCat("/ratemaps/n", n), H5T_NATIVE_FLOAT, {count, side, side}, maps);
    }
  }
  H5Fclose(file);
  std::ifstream in(temporary, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  const std::string sha = Sha256::Of(bytes.str());
  const std::string hex = ToHex(sha);
  const fs::path path = directory / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
  fs::create_directories(path.parent_path());
  fs::rename(temporary, path);
  return sha;
}

}  // namespace

float StoredRate(int64_t run_id, int unit, int i, int j) {
  if ((i + 2 * j + unit) % 37 == 0) return NAN;
  // Waves in three directions, so that a drawn sheet looks like one.
  const double k = 0.55 + 0.07 * unit, phase = static_cast<double>(run_id);
  return static_cast<float>(std::cos(k * i + phase) + std::cos(k * (0.5 * i + 0.866 * j)) +
                            std::cos(k * (0.5 * i - 0.866 * j) + unit));
}

ResultWorld::ResultWorld(bool files) : files_(files), database_(testing::CreateDatabase()) {
  connection_ = std::make_unique<pqxx::connection>(database_);
  std::vector<fs::path> migrations;
  for (const auto& entry :
       fs::directory_iterator(fs::path(GRIDSWEEP_SOURCE_DIR) / "coordinator/migrations")) {
    if (entry.path().extension() == ".sql") migrations.push_back(entry.path());
  }
  std::ranges::sort(migrations);
  for (const auto& path : migrations) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    Execute(text.str());
  }
  const std::string instance = Ask("select instance_id from instance");
  std::ofstream(artifacts_ / "gridsweep-instance") << instance << "\n";
  auto store = OpenArtifactDirectory(artifacts_, instance, false);
  AnalysisServiceImpl::Options options;
  options.database.connection = database_;
  options.artifacts = artifacts_;
  options.renderer.directory = fs::path(GRIDSWEEP_SOURCE_DIR) / "build/renderer";
  service_ = std::make_unique<AnalysisServiceImpl>(std::move(options), *std::move(store),
                                                   *hdf5::Reader::Start());
  auto server = RpcServer::Start("unix:" + (artifacts_ / "socket").string(), {service_.get()});
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  server_ = *std::move(server);
  stub_ = v1::AnalysisService::NewStub(Dial(server_->address()));
}

ResultWorld::~ResultWorld() { server_.reset(); }

void ResultWorld::Execute(const std::string& sql) {
  pqxx::work work(*connection_);
  work.exec(sql);
  work.commit();
}

std::string ResultWorld::Ask(const std::string& sql) {
  pqxx::work work(*connection_);
  const std::string answer = work.exec(sql)[0][0].c_str();
  work.commit();
  return answer;
}

int64_t ResultWorld::AddSweep(const std::vector<RunSpec>& runs, const std::string& method) {
  const int64_t sweep_id = std::stoll(
      Ask(StrCat("insert into sweeps (name, method, request_hash, source_yaml, first_run_id,"
                 " run_count) values ('test', '",
                 method, "', '', '', ", next_run_id_, ", ", runs.size(), ") returning sweep_id")));
  int ordinal = 0;
  for (const RunSpec& spec : runs) AddRun(sweep_id, next_run_id_++, ordinal++, spec);
  return sweep_id;
}

void ResultWorld::AddRun(int64_t sweep_id, int64_t run_id, int ordinal, const RunSpec& spec) {
  StoredRun& run = runs_.emplace_back(StoredRun{run_id, sweep_id, spec, UnitsOf(spec.scores), {}});
  const bool is_number = spec.place_cell_rf.find('(') == std::string::npos;
  // Keys sorted, numbers as RFC 8785 has them.
  const std::string config = StrCat(
      "{\"Ng\":", std::max<size_t>(spec.scores.size(), 1), ",\"Np\":512,\"activation\":\"",
      spec.activation, "\",\"is_periodic\":", spec.is_periodic ? "true" : "false",
      ",\"learning_rate\":", spec.learning_rate == 1e-4 ? "0.0001" : Text(spec.learning_rate),
      ",\"n_epochs\":", spec.n_epochs,
      ",\"n_grad_steps_per_epoch\":5,\"place_cell_alpha_e\":null,\"place_cell_rf\":",
      is_number ? spec.place_cell_rf : "\"" + spec.place_cell_rf + "\"", ",\"rnn_type\":\"",
      spec.rnn_type, "\",\"seed\":", spec.seed, ",\"surround_scale\":2,\"weight_decay\":1e-7}");
  const std::string hash = Sha256::Of(config);
  const int state = kStates.at(spec.state);
  std::string low = spec.place_cell_rf, high = low;
  if (!is_number) {
    double a = 0, b = 0;
    std::sscanf(spec.place_cell_rf.c_str(), "Uniform( %lf , %lf )", &a, &b);
    low = Text(a);
    high = Text(b);
  }
  const std::string token = StrCat("md5('run", run_id, "')::uuid");
  std::string sql =
      StrCat("insert into runs values (", run_id, ", ", sweep_id, ", ", ordinal, ", '\\x",
             ToHex(hash), "', '', '", config, "', '", spec.readout, "', '", spec.family, "', '",
             spec.rnn_type, "', '", spec.activation, "', ", std::max<size_t>(spec.scores.size(), 1),
             ", 512, '", spec.place_cell_rf, "', ", low, ", ", high, ", '2', 2, 2, ", spec.seed,
             ", ", 5 * spec.n_epochs, ");");
  const int attempts = state == 0 ? 0 : 2;
  sql +=
      StrCat("insert into run_state (run_id, sweep_id, state, queue_pos, attempt) values (", run_id,
             ", ", sweep_id, ", ", state, ", nextval('queue_pos_seq'), ", attempts, ");");
  const auto attempt = [&](int number, const std::string& outcome, const std::string& of_token) {
    sql += StrCat(
        "insert into attempts (run_id, attempt, token, worker_id, worker, host,"
        " granted_at, outcome) values (",
        run_id, ", ", number, ", ", of_token, ", 1, 'w', 'h', now(), '", outcome, "');");
  };
  if (attempts > 0) attempt(1, "released", "gen_random_uuid()");
  if (spec.state == "leased") {
    sql += StrCat(
        "insert into workers (worker_id, name, host, incarnation, slots, resource_class,"
        " memory_bytes, numerics_id, version, science_version) values (1, 'w', 'h', '', 1,"
        " '', 0, '', '', 1) on conflict do nothing; insert into leases values (",
        run_id, ", ", sweep_id, ", 0, ", token, ", 2, 1, '', '', now(), now());");
  } else if (attempts > 0) {
    attempt(2,
            spec.state == "succeeded" || spec.state == "diverged" || spec.state == "failed" ||
                    spec.state == "cancelled"
                ? spec.state
                : "lost",
            token);
  }
  const bool succeeded = spec.state == "succeeded";
  if (succeeded || spec.state == "diverged") {
    const auto largest = [&](const std::string& metric) {
      std::optional<double> best;
      for (const auto& value : run.units[metric]) {
        if (value && (!best || *value > *best)) best = value;
      }
      return succeeded ? best : std::nullopt;
    };
    run.metrics = succeeded ? kChance : decltype(run.metrics)();
    run.metrics["loss"] = 6.5;
    run.metrics["pos_err_published"] = spec.pos_err;
    run.metrics["participation_ratio_ratemaps"] = spec.participation_ratio_ratemaps;
    run.metrics["max_grid_score_60"] = largest("grid_score_60");
    run.metrics["max_score_60_1024"] = largest("grid_score_60");
    run.metrics["max_grid_score_90"] = largest("grid_score_90");
    std::string artifact = "null";
    if (files_) {
      const std::string sha = WriteResultFile(artifacts_, run, config, hash);
      const std::string hex = ToHex(sha);
      artifact = "'\\x" + hex + "'";
      const auto size =
          fs::file_size(artifacts_ / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5"));
      sql += StrCat("insert into artifacts values (", artifact, ", ", size, ", 'result');");
    }
    std::string columns, values;
    for (const auto& [metric, value] : run.metrics) {
      columns += ", " + metric;
      values += ", " + Sql(value);
    }
    sql += StrCat(
        "insert into run_results (run_id, sweep_id, token, outcome, artifact, unit_count,"
        " steps, compute_seconds, numerics_id, science_version, readout, readout_family,"
        " units_above",
        columns, ") values (", run_id, ", ", sweep_id, ", ", token, ", ", succeeded ? 1 : 2, ", ",
        artifact, ", ", succeeded ? spec.scores.size() : 0, ", ", succeeded ? 5 * spec.n_epochs : 4,
        ", 1, '', 1, (select readout from runs where run_id = ", run_id,
        "), (select readout_family from runs where run_id = ", run_id, "), ",
        succeeded ? UnitsAbove(spec.scores) : "null", values, ");");
    sql += StrCat("insert into learning_curves values (", run_id, ", 1, 8, 90, null), (", run_id,
                  ", 4, 7, null, null);");
  }
  if (succeeded) {
    for (size_t unit = 0; unit < spec.scores.size(); ++unit) {
      sql += StrCat("insert into units values (", run_id, ", ", unit);
      for (const char* metric : kMetrics) sql += ", " + Sql(run.units[metric][unit]);
      sql += ");";
    }
    for (const char* metric : kMetrics) sql += RollupSql(run_id, metric, run.units[metric]);
  }
  Execute(sql);
}

fs::path ResultWorld::FileOf(int64_t run_id) {
  const std::string hex =
      Ask(StrCat("select encode(artifact, 'hex') from run_results where run_id = ", run_id));
  return artifacts_ / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
}

grpc::Status ResultWorld::Fraction(const v1::FractionRequest& request,
                                   v1::FractionResponse& response) {
  grpc::ClientContext context;
  return stub_->Fraction(&context, request, &response);
}

std::vector<v1::VerifySweepResponse> ResultWorld::Verify(int64_t sweep_id) {
  grpc::ClientContext context;
  v1::VerifySweepRequest request;
  request.set_sweep_id(sweep_id);
  auto stream = stub_->VerifySweep(&context, request);
  std::vector<v1::VerifySweepResponse> lines;
  v1::VerifySweepResponse line;
  while (stream->Read(&line)) lines.push_back(line);
  const auto status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return lines;
}

}  // namespace gridsweep::analysis
