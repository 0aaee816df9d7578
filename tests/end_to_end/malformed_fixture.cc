#include "tests/end_to_end/malformed_fixture.h"

#include <grpcpp/generic/generic_stub.h>

#include <chrono>

#include "common/rpc.h"
#include "common/sha256.h"
#include "common/strings.h"

namespace gridsweep::testing {
namespace {

constexpr char kTrained[] =
    "name: trained\n"
    "method: grid\n"
    "parameters:\n"
    "  place_field_values: {value: gaussian}\n"
    "  Ng: {value: 16}\n"
    "  Np: {value: 16}\n"
    "  batch_size: {value: 8}\n"
    "  sequence_length: {value: 5}\n"
    "  n_epochs: {value: 1}\n"
    "  n_grad_steps_per_epoch: {value: 20}\n"
    "  eval_batches: {value: 40}\n"
    "  chance_units: {value: 0}\n";

// Trains the first sweep with a real worker, which then ends.
void Train(Stage& stage) {
  const Instance& instance = *stage.instance;
  stage.sweep_id = std::stoll(instance.Submit(kTrained));
  const auto worker = instance.StartWorker("worker", 1, instance.coordinator(), "worker");
  EXPECT_EQ(instance.Sweepctl({"wait", "trained", "--timeout",
      Timeout(std::chrono::minutes(1))}).code, 0);
  EXPECT_EQ(worker->Terminate(), 0);
  stage.run_id = std::stoll(instance.Ask({"get", "runs"}).at(0).at("run_id").get<std::string>());
}

// Stores a second sweep, for this program to lease its runs.
void Register(Stage& stage) {
  v1::CreateSweepRequest sweep;
  sweep.mutable_spec()->set_name("held");
  sweep.mutable_spec()->mutable_base()->set_place_field_values("gaussian");
  sweep.mutable_spec()->mutable_base()->set_ng(kHeldUnits);
  sweep.mutable_spec()->mutable_base()->set_np(8);
  sweep.mutable_spec()->set_seeds(8);
  sweep.set_request_id("held");
  v1::CreateSweepResponse created;
  grpc::ClientContext creating, registering;
  EXPECT_TRUE(
      v1::SweepService::NewStub(stage.coordinator)->CreateSweep(&creating, sweep, &created).ok());
  v1::RegisterRequest worker;
  worker.set_name("tester");
  worker.set_incarnation(RandomBytes(16));
  worker.set_slots(8);
  v1::RegisterResponse registered;
  EXPECT_TRUE(v1::DispatchService::NewStub(stage.coordinator)
                  ->Register(&registering, worker, &registered)
                  .ok());
  stage.worker_id = registered.worker_id();
  stage.incarnation = worker.incarnation();
}

Stage g_stage;

class StageEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    // Nobody's lease expires: nothing but the tests changes the database.
    g_stage.instance = std::make_unique<Instance>(
        std::vector<std::string>{"--lease-ttl", "30m", "--heartbeat-interval", "1m"});
    g_stage.coordinator = Dial(g_stage.instance->coordinator());
    g_stage.analysis = Dial(g_stage.instance->analysis());
    Train(g_stage);
    Register(g_stage);
    g_stage.lease = LeaseRun();
  }
  void TearDown() override { g_stage.instance.reset(); }
};
[[maybe_unused]] const auto* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new StageEnvironment);

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

const Stage& TheStage() { return g_stage; }

v1::Lease LeaseRun() {
  v1::LeaseRunsRequest request;
  request.set_worker_id(g_stage.worker_id);
  request.set_incarnation(g_stage.incarnation);
  request.set_request_id(RandomBytes(16));
  request.set_max_runs(1);
  v1::LeaseRunsResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      v1::DispatchService::NewStub(g_stage.coordinator)->LeaseRuns(&context, request, &response);
  EXPECT_EQ(response.leases_size(), 1) << status.error_message();
  return response.leases_size() == 1 ? response.leases(0) : v1::Lease();
}

Answer Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
            const std::vector<std::string>& messages) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  // A server that takes this long hangs.
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  const auto call = stub.PrepareCall(&context, method, &queue);
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  bool open = done();
  for (const std::string& message : messages) {
    if (!open) break;
    const grpc::Slice slice(message);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    open = done();
  }
  if (open) {
    call->WritesDone(nullptr);
    done();
  }
  Answer answer;
  for (grpc::ByteBuffer reply; call->Read(&reply, nullptr), done(); reply.Clear()) {
    answer.messages.push_back(Bytes(reply));
  }
  call->Finish(&answer.status, nullptr);
  done();
  return answer;
}

std::map<std::string, std::string> Malformed::Digests() {
  pqxx::work work(database_);
  std::string sql;
  for (const auto& table :
       work.exec("select table_name from information_schema.tables where table_schema = 'public'"
                 " and table_type = 'BASE TABLE'"
                 " and table_name not in ('artifact_uploads', 'artifact_garbage')")) {
    const std::string name = table[0].c_str();
    sql += StrCat(sql.empty() ? "" : " union all ", "select ", work.quote(name),
                  ", md5(coalesce(string_agg(row, ',' order by row), '')) from (select (to_jsonb(t)"
                  " - 'seen_at' - 'alive_at' - 'expires_at')::text as row from ",
                  work.quote_name(name), " t) rows");
  }
  std::map<std::string, std::string> digests;
  for (const auto& row : work.exec(sql)) digests[row[0].c_str()] = row[1].c_str();
  return digests;
}

v1::LeaseRef Malformed::Forged() const {
  v1::LeaseRef ref = stage_.lease.ref();
  ref.set_token(RandomBytes(16));
  return ref;
}

void Malformed::ExpectRefused(const std::string& what, grpc::StatusCode code,
                              const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), code) << what << ": " << status.error_message();
  EXPECT_FALSE(status.error_message().empty()) << what;
  ExpectUnchanged(what);
}

void Malformed::ExpectUnchanged(const std::string& what) {
  const auto now = Digests();
  for (const auto& [table, digest] : now) {
    EXPECT_EQ(digest, before_[table]) << what << " changed the table " << table;
  }
  EXPECT_EQ(now.size(), before_.size()) << what << " changed the tables";
  before_ = now;
}

}  // namespace gridsweep::testing
