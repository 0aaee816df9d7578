"""pgbench with the store's own statements: what PostgreSQL alone makes of a run.

The statements are taken from the sources of coordinator/store, in the transactions and with the
batches that the coordinator uses. Three things pgbench cannot do as the store does, and pays for or
gets cheaper: rows that the store copies (COPY) are inserted from arrays, what a claim has granted is read
back by one select a batch, and a heartbeat's transaction sets its own synchronous_commit = off.
Each client has a sweep, so that no two of them claim the same rows."""
import os
import pathlib
import re
import subprocess

STORE = pathlib.Path(__file__).resolve().parents[2] / "coordinator/store"
# Of the lanes of a coordinator that take part: claims 1, heartbeats 2, completions 6.
CLIENTS = 9
# As a coordinator's sessions have them.
SETTINGS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"
COLUMNS = ["metric", "n", "nulls", "min", "max", "sum", "bins"]
TYPES = ["text[]", "int[]", "int[]", "float8[]", "float8[]", "float8[]", "text[]"]


def statements():
    found = {}
    for file in STORE.glob("*.cc"):
        pattern = r'Statement k\w+\{\s*"(\w+)",\s*(?:R"\((.*?)\)"|((?:"[^"]*"\s*)+))\}'
        for name, raw, plain in re.findall(pattern, file.read_text(), re.S):
            found[name] = (raw or "".join(re.findall('"([^"]*)"', plain))).strip()
    return found


def with_values(sql, values):
    """`sql` with pgbench's variables, or what else is in `values`, in the places of $1, $2, ..."""
    return re.sub(r"\$(\d+)", lambda m: values[int(m[1]) - 1], sql) + ";"


def script(batch):
    s = statements()
    lines = ["\\if :floor = 0",
             "select * from pgbench_clients where client = :client_id \\gset", "\\endif",
             "begin;",
             with_values(s["find_grants_of_requests"], [":workers", ":incarnations", ":requests"]),
             with_values(s["find_demands_of_registered_workers"], [":workers", ":incarnations"]),
             with_values(s["claim_runs"],
                         [":sweeps", "'{0}'", ":floors", f"'{{{batch}}}'", f"'{{{batch}}}'", "'{null}'", ":entries",
                          ":places", ":workers", ":incarnations", ":requests", "64", "60"]),
             "commit;",
             "select max(queue_pos) + 1 as floor, '{' || max(queue_pos) + 1 || '}' as floors"]
    for i in range(1, batch + 1):
        lines[-1] += (f",\n (array_agg(l.run_id order by l.run_id))[{i}] as run_{i},"
                      f" '{{' || (array_agg(l.run_id order by l.run_id))[{i}] || '}}' as runs_{i},"
                      f" (array_agg(l.token order by l.run_id))[{i}] as token_{i},"
                      f" '{{' || (array_agg(l.token order by l.run_id))[{i}] || '}}' as tokens_{i},"
                      f" (array_agg(l.worker_id order by l.run_id))[{i}] as worker_{i},"
                      f" (array_agg(l.incarnation order by l.run_id))[{i}] as incarnation_{i}")
    lines[-1] += "\nfrom leases l join run_state using (run_id) where worker_id = any(:workers::bigint[]) \\gset"
    columns = ", ".join(COLUMNS[:-1]) + ", bins::int[]"
    arrays = ", ".join(f":{name}::{kind}" for name, kind in zip(COLUMNS, TYPES))
    for i in range(1, batch + 1):
        run, token, worker, incarnation = (f":{name}_{i}" for name in ("run", "token", "worker", "incarnation"))
        lines += ["begin;", "set local synchronous_commit = off;",
                  with_values(s["find_worker_of_heartbeat"], [worker, incarnation]),
                  with_values(s["renew_leases"], [worker, f":runs_{i}", f":tokens_{i}", "60"]),
                  with_values(s["find_leases_of_worker"], [worker, incarnation, f":runs_{i}", f":tokens_{i}"]), "commit;",
                  "begin;", with_values(s["lock_lease_to_complete"], [run, token]),
                  with_values(s["touch_artifact"], [":artifact"]),
                  "insert into run_results (run_id, sweep_id, token, outcome, artifact, unit_count, steps,"
                  " compute_seconds, numerics_id, science_version, readout, readout_family, units_above)"
                  f" values ({run}, :sweep, {token}, 1, :artifact, 8, 1, 0, 'bench', 1, 'DoS', 'DoS', '{{4,0,0,0,0,0}}');",
                  f"insert into units (run_id, unit, grid_score_60) select {run}, o - 1, v from"
                  " unnest(:scores::float8[]) with ordinality as u(v, o);",
                  f"insert into unit_rollups (run_id, {', '.join(COLUMNS)}) select {run}, {columns} from"
                  f" unnest({arrays}) as u({', '.join(COLUMNS)});",
                  with_values(s["forget_learning_curve"], [run]),
                  with_values(s["end_lease_of_completed_run"], [run, "'succeeded'", "4", "''"]), "commit;"]
    return "\n".join(lines) + "\n"


def prepare(postgres, database, batch, sweeps):
    """A row a client with what its script needs; one run must have been completed before."""
    arrays = ", ".join(f"(select array_agg({name}{'::text' if name == 'bins' else ''} order by metric)::text"
                       f" from pgbench_template) as {name}" for name in COLUMNS)
    postgres.psql(database, f"""
      create table pgbench_template as select * from unit_rollups where run_id = (select min(run_id) from unit_rollups);
      insert into workers (name, host, incarnation, slots, resource_class, memory_bytes, numerics_id, version,
                           science_version, features, labels)
        select 'pgbench-' || i, host, sha256(i::text::bytea), slots, resource_class, memory_bytes, numerics_id,
               version, science_version, features, labels
        from (select * from workers limit 1) w, generate_series(0, {CLIENTS * batch - 1}) i;
      create table pgbench_clients as
        select c as client, (array{sweeps})[c + 1] as sweep, '{{' || (array{sweeps})[c + 1] || '}}' as sweeps,
          '{{0}}' as floors, '{{{",".join(["1"] * batch)}}}' as entries,
          '{{{",".join(str(i) for i in range(1, batch + 1))}}}' as places,
          array_agg(worker_id)::text as workers, array_agg(incarnation)::text as incarnations,
          array_agg(substr(incarnation, 1, 16))::text as requests,
          (select sha256::text from artifacts offset c limit 1) as artifact,
          '{{0,0.1,0.2,0.3,0.4,0.5,0.6,0.7}}' as scores, {arrays}
        from (select *, (row_number() over (order by worker_id) - 1) / {batch} as c
              from workers where name like 'pgbench-%') w group by c;""")


def run(postgres, database, batch, seconds):
    """Runs a second."""
    file = postgres.dir + "/script.sql"
    with open(file, "w") as f:
        f.write(script(batch))
    done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(round(seconds)),
                           "-f", file, "-D", "floor=0", postgres.conninfo(database)], capture_output=True, text=True,
                          env=os.environ | {"PGOPTIONS": SETTINGS})
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    if done.returncode or not rate or "aborted" in done.stderr:
        raise SystemExit(done.stdout + done.stderr[-2000:])
    return float(rate[1]) * batch
