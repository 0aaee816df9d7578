// Every verb, by the file that defines it. Each function adds its verbs to `app`.
#pragma once

#include <CLI/CLI.hpp>

#include "sweepctl/session.h"

namespace gridsweep::sweepctl {

void AddValidate(CLI::App& app, Session& session);  // validate.cc
void AddSubmit(CLI::App& app, Session& session);    // submit.cc
void AddGet(CLI::App& app, Session& session);       // get.cc
void AddDescribe(CLI::App& app, Session& session);  // describe.cc
void AddWatch(CLI::App& app, Session& session);     // watch.cc: watch, wait
void AddLogs(CLI::App& app, Session& session);      // logs.cc
void AddLifecycle(CLI::App& app,
                  Session& session);               // lifecycle.cc: pause, resume, stop, cancel, ...
void AddWorkers(CLI::App& app, Session& session);  // workers.cc: cordon, uncordon, drain
void AddToken(CLI::App& app, Session& session);    // token.cc: create, list, revoke
void AddArtifacts(CLI::App& app, Session& session);  // artifacts.cc: check
void AddQuery(CLI::App& app, Session& session);    // query.cc
void AddCompare(CLI::App& app, Session& session);  // compare.cc
void AddFigure(CLI::App& app, Session& session);   // figure.cc
void AddRatemaps(CLI::App& app, Session& session);    // ratemaps.cc
void AddVerify(CLI::App& app, Session& session);      // verify.cc
void AddScore(CLI::App& app, Session& session);       // score.cc
void AddTheory(CLI::App& app, Session& session);      // theory.cc
void AddMetrics(CLI::App& app, Session& session);     // metrics.cc
void AddRpc(CLI::App& app, Session& session);         // rpc.cc
void AddLocal(CLI::App& app, Session& session);       // local.cc
void AddConfig(CLI::App& app, Session& session);      // config_view.cc
void AddVersion(CLI::App& app, Session& session);     // version.cc
void AddCompletion(CLI::App& app, Session& session);  // completion.cc
void AddHelp(CLI::App& app, Session& session);        // help.cc

// Below `compare`.
void AddComparePredictivity(CLI::App& compare, Session& session);  // compare_predictivity.cc
void AddCompareRecordings(CLI::App& compare, Session& session);    // compare_recordings.cc

}  // namespace gridsweep::sweepctl
