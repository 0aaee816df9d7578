#!/usr/bin/python3
"""Measures a coordinator with a private PostgreSQL and simulated workers (bench_dispatch).

  cmake --build --preset release --target gridsweep-coordinator bench_dispatch
  bench/dispatch/measure.py [--rows N] [--seconds S] [--arrivals N] [--cells NAME,...]

Each cell is a database of its own with --rows runs in it, filled by SQL: `empty` has none,
`finished` that many with results, `pending` in one sweep, `sweeps` in 1,000; `snapshot` has a session
idle in a REPEATABLE READ transaction after its first select, `readers` four such transactions that read
the views of schema dash. In each: runs a second (lease, one heartbeat, completion with 8 units) at 1,
8, 64 and 1,000 workers, with WAL and the coordinator's processor time a run; then 1,000 workers waiting
while one run at a time is given back: from that call to the grant, and statements a grant; memory and
threads meanwhile. fsync and synchronous_commit are on. Finished runs have no rows of units."""
import argparse
import hashlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
PG = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
CELLS = ["empty", "finished", "pending", "sweeps", "snapshot", "readers"]
CLAIM = "%with c as materialized%"  # the statement that grants


class Postgres:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="gridsweep-bench-")
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
        self.run("initdb", "-D", self.dir + "/data", "-U", "gridsweep", "-A", "trust", "--locale=C", "-E", "UTF8")
        with open(self.dir + "/options", "w") as f:
            f.write("listen_addresses=''\nshared_preload_libraries='pg_stat_statements'\n"
                    "max_connections=100\nshared_buffers=256MB\nmax_wal_size=4GB\n")
        subprocess.run(f"cat {self.dir}/options >> {self.dir}/data/postgresql.conf", shell=True, check=True)
        self.run("pg_ctl", "-D", self.dir + "/data", "-w", "-l", self.dir + "/log", "-o", "-k " + self.dir, "start")

    def run(self, program, *args):
        command = [str(PG / program), *args]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def stop(self):
        self.run("pg_ctl", "-D", self.dir + "/data", "-m", "immediate", "stop")
        shutil.rmtree(self.dir)

    def conninfo(self, database):
        return f"host={self.dir} user=gridsweep dbname={database}"

    def psql(self, database, sql):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.conninfo(database)],
                              input=sql, text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def session(self, database, sql):
        """A psql that has been given `sql` and stays."""
        process = subprocess.Popen(["psql", "-Xq", self.conninfo(database)], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        process.stdin.write(sql)
        process.stdin.flush()
        return process


class Coordinator:
    running = []

    def __init__(self, postgres, database):
        self.dir = tempfile.mkdtemp(prefix="gridsweep-bench-coordinator-")
        self.address = f"unix:{self.dir}/socket"
        self.log = open(self.dir + "/log", "w")
        self.process = subprocess.Popen(
            [BIN / "gridsweep-coordinator", "--listen", self.address, "--database", postgres.conninfo(database),
             "--artifacts", self.dir + "/artifacts", "--quarantine-after", "0"], stdout=self.log, stderr=self.log)
        self.running.append(self)
        deadline = time.time() + 60
        while not os.path.exists(self.dir + "/socket"):
            if time.time() > deadline or self.process.poll() is not None:
                raise SystemExit(open(self.dir + "/log").read())
            time.sleep(0.05)

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, key):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1])

    def stop(self):
        self.running.remove(self)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.dir)


def bench(mode, address, workers, amount, during=None):
    process = subprocess.Popen([BIN / "bench_dispatch", mode, address, str(workers), str(amount)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line == "started\n":
            break
        print(line, end="")
    result = during() if during else {}
    err = process.stderr.read()
    out = process.stdout.read()
    process.wait()
    if process.returncode or not out:
        raise SystemExit(f"bench_dispatch {mode}: {err}")
    result.update(json.loads(out))
    if result["failed"]:
        print(f"  {result['failed']} calls failed: {err[:300]}")
    return result


def fill(postgres, database, sweeps, runs, state):
    """`runs` runs in `sweeps` sweeps, all copies of the first run, in one state."""
    each = runs // sweeps
    postgres.psql(database, f"""
      begin;
      create temp table base as
        select case when is_called then last_value + 1 else last_value end as first from run_id_seq;
      create temp table made as
        with s as (insert into sweeps (name, method, request_hash, source_yaml, first_run_id, run_count,
                     one_shape)
                   select 'filled', 'grid', '', '', first + {each} * (i - 1), {each}, true
                   from base, generate_series(1, {sweeps}) i returning sweep_id, first_run_id)
        select * from s;
      do $$ declare k bigint; begin
        for k in select generate_series(first >> 20, (first + {runs}) >> 20) from base loop
          if to_regclass('units_' || k) is null then
            execute format('create table units_%s partition of units for values from (%s) to (%s)',
                           k, k << 20, (k + 1) << 20);
          end if;
        end loop; end $$;
      create temp table template as select * from runs order by run_id limit 1;
      insert into runs select m.first_run_id + o, m.sweep_id, o, t.config_hash, t.shape_key, t.config,
          t.readout, t.readout_family, t.rnn_type, t.activation, t.ng, t.np, t.place_cell_rf,
          t.place_cell_rf_low, t.place_cell_rf_high, t.surround_scale, t.surround_scale_low,
          t.surround_scale_high, t.seed, t.total_steps
        from made m cross join generate_series(0, {each} - 1) o cross join template t;
      insert into run_state (run_id, sweep_id, state, queue_pos)
        select run_id, sweep_id, {state}, nextval('queue_pos_seq')
        from (select run_id, sweep_id from runs join made using (sweep_id) order by ordinal, run_id) r;
      insert into run_results (run_id, sweep_id, token, outcome, unit_count, steps, compute_seconds,
          numerics_id, science_version)
        select run_id, sweep_id, gen_random_uuid(), 1, 0, 1, 1, '', 1
        from runs join made using (sweep_id) where {state} = 4;
      select setval('run_id_seq', first + {runs}) from base;
      commit;
      analyze;""")


def measure(postgres, cell, options):
    database = "cell_" + cell
    postgres.psql("postgres", f"create database {database}")
    postgres.psql(database, "create extension pg_stat_statements")
    coordinator = Coordinator(postgres, database)
    bench("create", coordinator.address, 1, 1)
    shas = ",".join(f"('\\x{hashlib.sha256(f'bench {i}'.encode()).hexdigest()}', 1, 'result')" for i in range(1000))
    postgres.psql(database, f"insert into artifacts (sha256, size, kind) values {shas}")
    if cell in ("finished", "pending", "sweeps"):
        fill(postgres, database, 1000 if cell == "sweeps" else 1, options.rows, 4 if cell == "finished" else 0)
    if cell not in ("pending", "sweeps"):
        fill(postgres, database, 1, 60000, 0)
    postgres.psql(database, "checkpoint")
    sessions = []
    if cell in ("snapshot", "readers"):
        for _ in range(4 if cell == "readers" else 1):
            session = postgres.session(
                database, "begin isolation level repeatable read;\nselect count(*) from dash.sweeps;\n")
            sessions.append(session)
            if cell == "readers":
                # As much as a pipe holds.
                session.stdin.write("set statement_timeout = '30s';\n" + 300 * (
                    "select * from dash.sweeps;\nselect count(*) from dash.fractions;\n"
                    "select * from dash.runs order by run_id desc limit 1000;\nselect pg_sleep(1);\n"))
                session.stdin.flush()
        time.sleep(1)
    row = {"cell": cell}
    for workers in (1, 8, 64, 1000):
        def during():
            return {"cpu": coordinator.cpu(), "wal": int(postgres.psql(database, "select pg_current_wal_lsn() - '0/0'"))}
        r = bench("busy", coordinator.address, workers, options.seconds, during)
        runs = max(r["runs"], 1)
        wal = int(postgres.psql(database, "select pg_current_wal_lsn() - '0/0'")) - r["wal"]
        row[workers] = r["runs"] / r["seconds"]
        row[f"cpu{workers}"] = (coordinator.cpu() - r["cpu"]) / runs * 1000
        row[f"wal{workers}"] = wal / runs
    # One run left, which comes and goes: what the workers of before still hold must not come back.
    time.sleep(2)
    postgres.psql(database, """
      delete from leases;
      update run_state set state = 7 where state in (1, 3) or state = 0
        and run_id <> (select run_id from run_state where state = 0 order by queue_pos desc limit 1)""")
    postgres.psql(database, "select pg_stat_statements_reset()")
    def during():
        time.sleep(3)
        return {"rss": coordinator.status("VmRSS") / 1024, "threads": coordinator.status("Threads")}
    r = bench("woken", coordinator.address, 1000, options.arrivals, during)
    row.update(p50=r["p50_ms"], p99=r["p99_ms"], rss=r["rss"], threads=r["threads"])
    row["claims"] = float(postgres.psql(database, f"""
      select coalesce(sum(calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and query like '{CLAIM}'""")) / (r["arrivals"] + 1)
    for session in sessions:
        session.kill()
    coordinator.stop()
    postgres.psql("postgres", f"drop database {database} with (force)")
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--arrivals", type=int, default=200)
    parser.add_argument("--cells", default=",".join(CELLS))
    options = parser.parse_args()
    postgres = Postgres()
    try:
        print(f"{'cell':9} {'runs/s at 1':>11} {'8':>6} {'64':>6} {'1000':>6} {'CPU ms/run':>10} {'WAL B/run':>9} "
              f"{'p50 ms':>7} {'p99 ms':>7} {'claims/run':>10} {'RSS MB':>7} {'threads':>7}")
        for cell in options.cells.split(","):
            try:
                r = measure(postgres, cell, options)
            finally:
                for coordinator in Coordinator.running.copy():
                    coordinator.stop()
            print(f"{cell:9} {r[1]:11.0f} {r[8]:6.0f} {r[64]:6.0f} {r[1000]:6.0f} {r['cpu64']:10.2f} {r['wal64']:9.0f} "
                  f"{r['p50']:7.1f} {r['p99']:7.1f} {r['claims']:10.2f} {r['rss']:7.0f} {r['threads']:7}", flush=True)
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
