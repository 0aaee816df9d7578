#!/usr/bin/python3
"""Measures a coordinator with a private PostgreSQL and simulated workers (bench_dispatch).

  cmake --build --preset release --target gridsweep-coordinator bench_dispatch
  bench/dispatch/measure.py [--rows N] [--seconds S] [--arrivals N] [--cells NAME,...]

Each cell is a database of its own with --rows runs in it, filled by SQL: `empty` has none,
`finished` that many with results, `pending` in one sweep, `sweeps` in 1,000; `snapshot` has a session idle
in a REPEATABLE READ transaction after its first select, `readers` four such transactions that read the
views of schema dash every 15 s, and have done so for --hold-minutes and --hold-claims claims when the
measurement begins, and then once more while they hold them and read no more: each five times, and each
number of workers in turns with an empty database in the same server, medians (and least and most) of the
pairs; before, the same four as a dashboard's role are cut off. In each: runs a second (lease, one
heartbeat, completion with 8 units), after a warm-up, at 1, 8, 64 and 1,000 workers, with WAL and the coordinator's processor
time a run; then, with what is pending done, 1,000 workers waiting while one run at a time is given back:
from its being there again (the answer to the release) and from that call to the grant, and statements a
grant; memory and threads meanwhile. fsync and synchronous_commit are on. Finished runs have no rows of
units.

Two more cells, not of the default: `pgbench` runs 64 workers and pgbench with the store's own statements in
turns (pgbench.py); `trials` is Ray Tune's published shape, 10,000 runs of a second, 16 at a time."""
import argparse
import json
import statistics
import subprocess
import threading
import time

import pgbench
from servers import BIN, Coordinator, Postgres

CELLS = ["empty", "finished", "pending", "sweeps", "snapshot", "readers"]
WORKERS = (1, 8, 64, 1000)
TURNS = 5
WARM_UP = 2  # seconds that bench_dispatch works before it counts
CLAIM = "%with c as materialized%"  # the statement that grants
READ = ("select * from dash.sweeps;\nselect count(*) from dash.fractions;\n"
        "select * from dash.runs order by run_id desc limit 1000;\n")


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


class Readers:
    """Four sessions in REPEATABLE READ transactions that read the views now and then."""

    def __init__(self, postgres, database, user):
        self.sessions = [postgres.session(database, "begin isolation level repeatable read;\n" + READ, user)
                         for _ in range(4)]
        self.ended = threading.Event()
        self.paused = False
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.ended.wait(15):
            for session in self.sessions if not self.paused else ():
                try:
                    session.stdin.write(READ)
                    session.stdin.flush()
                except BrokenPipeError:
                    pass

    def cease(self):
        """Reads no more; the transactions stay open."""
        self.ended.set()
        self.thread.join()

    def stop(self):
        self.cease()
        for session in self.sessions:
            session.kill()


def open_transactions(postgres, database, user):
    return int(postgres.psql(database, f"""
      select count(*) from pg_stat_activity
      where usename = '{user}' and backend_xmin is not null and pid <> pg_backend_pid()"""))


def cut_off(postgres, database):
    """How long until the transactions of four readers of a dashboard's role have ended."""
    postgres.psql(database, """
      create role grafana login in role gridsweep_dash;
      alter role grafana set statement_timeout = '30s';
      alter role grafana set idle_in_transaction_session_timeout = '10s'""")
    readers = Readers(postgres, database, "grafana")
    time.sleep(2)
    start, before = time.time(), open_transactions(postgres, database, "grafana")
    while open_transactions(postgres, database, "grafana") and time.time() < start + 120:
        time.sleep(0.2)
    print(f"  readers of the role gridsweep_dash: of {before} open transactions "
          f"{open_transactions(postgres, database, 'grafana')} left after {time.time() - start + 2:.0f} s")
    readers.stop()


def hold(postgres, database, coordinator, options):
    """Readers whose transactions have been open for as long and as many claims as is asked for."""
    cut_off(postgres, database)
    # As docs/dash.md says, but for the timeouts.
    postgres.psql(database, "create role patient login in role gridsweep_dash; alter role patient set jit = off")
    readers = Readers(postgres, database, "patient")
    start, claims = time.time(), 0
    while claims < options.hold_claims:
        claims += bench("busy", coordinator.address, 64, min(30, options.hold_claims / 100))["runs"]
    worked = time.time() - start
    time.sleep(max(0, start + options.hold_minutes * 60 - time.time()))
    print(f"  open for {(time.time() - start) / 60:.1f} min and {claims} claims (in {worked:.0f} s): "
          f"{open_transactions(postgres, database, 'patient')} transactions")
    return readers


def build(postgres, cell, options, runs=60000):
    """The cell's database, with `runs` pending to work on, and its coordinator."""
    database = "cell_" + cell
    postgres.psql("postgres", f"create database {database}")
    postgres.psql(database, "create extension pg_stat_statements")
    coordinator = Coordinator(postgres, database)
    bench("create", coordinator.address, 1, 1)
    postgres.psql(database, """
      insert into artifacts (sha256, size, kind)
        select sha256(('bench ' || n)::bytea), 1, 'result' from generate_series(0, (1 << 18) - 1) n""")
    if cell in ("finished", "pending", "sweeps"):
        fill(postgres, database, 1000 if cell == "sweeps" else 1, options.rows, 4 if cell == "finished" else 0)
    if cell not in ("pending", "sweeps", "trials"):
        fill(postgres, database, 1, runs, 0)
    postgres.psql(database, "checkpoint")
    return database, coordinator


def discard(postgres, database, coordinator):
    coordinator.stop()
    postgres.psql("postgres", f"drop database {database} with (force)")


def compare(postgres, options):
    """In turns: 64 workers at a coordinator, pgbench with the store's statements."""
    database, coordinator = build(postgres, "pgbench", options)
    ours, theirs = [], []
    for turn in range(3):
        postgres.psql(database, "select pg_stat_statements_reset()")
        r = bench("busy", coordinator.address, 64, options.seconds)
        ours.append(r["runs"] / r["seconds"])
        if turn == 0:
            batch = max(1, round(float(postgres.psql(database, f"""
              select sum(rows) / sum(calls) from pg_stat_statements where query like '{CLAIM}'"""))))
            first = int(postgres.psql(database, "select max(sweep_id) from sweeps"))
            fill(postgres, database, pgbench.CLIENTS, pgbench.CLIENTS * 20000, 0)
            pgbench.prepare(postgres, database, batch, [first + 1 + i for i in range(pgbench.CLIENTS)])
        theirs.append(pgbench.run(postgres, database, batch, options.seconds))
        print(f"  runs/s: {ours[-1]:.0f}, pgbench {theirs[-1]:.0f} in batches of {batch}", flush=True)
    print(f"pgbench   ours {statistics.median(ours):.0f}, pgbench {statistics.median(theirs):.0f} runs/s: "
          f"{statistics.median(ours) / statistics.median(theirs):.2f}")
    discard(postgres, database, coordinator)


def trials(postgres, options):
    database, coordinator = build(postgres, "trials", options)
    fill(postgres, database, 1, options.trials, 0)
    cpu = coordinator.cpu()
    postgres.psql(database, "update run_state set state = 7 where run_id = (select min(run_id) from run_state)")
    r = bench("trials", coordinator.address, 16, options.trials)
    ideal = r["runs"] / 16
    print(f"trials    {r['runs']} in {r['seconds']:.1f} s, ideal {ideal:.1f} s: {100 * (r['seconds'] / ideal - 1):.2f}%"
          f" overhead; coordinator {coordinator.cpu() - cpu:.1f} s of processor time")
    discard(postgres, database, coordinator)


def busy(postgres, database, coordinator, options, workers):
    """Runs a second, WAL and processor time a run, of so many workers."""
    def during():
        return {"cpu": coordinator.cpu(), "wal": int(postgres.psql(database, "select pg_current_wal_lsn() - '0/0'"))}
    r = bench("busy", coordinator.address, workers, options.seconds, during)
    runs = max(r["runs"], 1)
    wal = int(postgres.psql(database, "select pg_current_wal_lsn() - '0/0'")) - r["wal"]
    return {workers: r["runs"] / r["seconds"], f"cpu{workers}": (coordinator.cpu() - r["cpu"]) / runs * 1000,
            f"wal{workers}": wal / runs}


def in_turns(postgres, mine, beside, options, readers, what):
    """Medians of `mine` in turns with those of `beside`, during which the readers read nothing, and of the pairs'
    quotients: the machine drifts."""
    rows = {name: [{} for _ in range(TURNS)] for name in ("ours", "beside")}
    for turn in range(TURNS):
        for workers in WORKERS:  # close to each other in time: autovacuum comes once a minute
            for name, cell in (("beside", beside), ("ours", mine)):
                readers.paused = name == "beside"
                time.sleep(2)  # for what they have begun
                rows[name][turn].update(busy(postgres, *cell, options, workers))
    medians = {name: {key: statistics.median(row[key] for row in rows[name]) for key in rows[name][0]}
               for name in rows}
    for name, row in medians.items():
        print(f"  the four {what}, {'runs/s' if name == 'ours' else 'empty beside it'}: "
              + ", ".join(f"{row[workers]:.0f}" for workers in WORKERS)
              + f" (CPU {row['cpu64']:.2f} ms, WAL {row['wal64']:.0f} B a run)", flush=True)
    pairs = {workers: [beside[workers] / ours[workers] for beside, ours in zip(rows["beside"], rows["ours"])]
             for workers in WORKERS}
    print("  times less: " + ", ".join(f"{statistics.median(pairs[workers]):.2f} ({min(pairs[workers]):.2f} to "
                                       f"{max(pairs[workers]):.2f})" for workers in WORKERS), flush=True)
    return medians["ours"]


def measure(postgres, cell, options):
    sessions = []
    if cell == "readers":
        most = round(2 * TURNS * len(WORKERS) * (options.seconds + WARM_UP) * 1000)
        beside = build(postgres, "beside", options, most)
        database, coordinator = build(postgres, cell, options, options.hold_claims + most)
        readers = hold(postgres, database, coordinator, options)
        sessions.append(readers)
        row = in_turns(postgres, (database, coordinator), beside, options, readers, "read")
        readers.cease()
        in_turns(postgres, (database, coordinator), beside, options, readers, "only hold")
        discard(postgres, *beside)
    else:
        database, coordinator = build(postgres, cell, options)
        if cell == "snapshot":
            sessions.append(postgres.session(
                database, "begin isolation level repeatable read;\nselect count(*) from dash.sweeps;\n"))
            time.sleep(1)
        row = {}
        for workers in WORKERS:
            row.update(busy(postgres, database, coordinator, options, workers))
    # One run left, which comes and goes: what the workers of before still hold must not come back.
    if cell not in ("pending", "sweeps"):
        while int(postgres.psql(database, "select count(*) from run_state where state = 0")) > 2000:
            bench("busy", coordinator.address, 64, 2)
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
    row.update({key: r[key] for key in ("p50_ms", "p99_ms", "call_p50_ms", "call_p99_ms")}, rss=r["rss"], threads=r["threads"])
    row["claims"] = float(postgres.psql(database, f"""
      select coalesce(sum(calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and query like '{CLAIM}'""")) / (r["arrivals"] + 1)
    for session in sessions:
        session.stop() if cell == "readers" else session.kill()
    discard(postgres, database, coordinator)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--arrivals", type=int, default=200)
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--hold-minutes", type=float, default=30)
    parser.add_argument("--hold-claims", type=int, default=200_000)
    parser.add_argument("--trials", type=int, default=10_000)
    options = parser.parse_args()
    postgres = Postgres()
    try:
        print(f"{'cell':9} {'runs/s at 1':>11} {'8':>6} {'64':>6} {'1000':>6} {'CPU ms/run':>10} {'WAL B/run':>9} "
              f"{'p50 ms':>7} {'p99 ms':>7} {'of call':>7} {'':>7} {'claims/run':>10} {'RSS MB':>7} {'threads':>7}",
              flush=True)
        for cell in options.cells.split(","):
            try:
                if cell in ("pgbench", "trials"):
                    {"pgbench": compare, "trials": trials}[cell](postgres, options)
                    continue
                r = measure(postgres, cell, options)
            finally:
                for coordinator in Coordinator.running.copy():
                    coordinator.stop()
            print(f"{cell:9} {r[1]:11.0f} {r[8]:6.0f} {r[64]:6.0f} {r[1000]:6.0f} {r['cpu64']:10.2f} {r['wal64']:9.0f} "
                  f"{r['p50_ms']:7.1f} {r['p99_ms']:7.1f} {r['call_p50_ms']:7.1f} {r['call_p99_ms']:7.1f} "
                  f"{r['claims']:10.2f} {r['rss']:7.0f} {r['threads']:7}", flush=True)
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
