-- The first schema: sweeps, runs, dispatch, results, and the views for dashboards.
-- Immutable facts (runs) stand apart from hot state (run_state, leases).
-- Run states: 0 PENDING, 1 BACKOFF, 2 PAUSED, 3 LEASED, 4 SUCCEEDED, 5 DIVERGED,
-- 6 FAILED, 7 CANCELLED. Only PENDING runs can be claimed.

create table instance (
  only_row boolean primary key default true check (only_row),
  instance_id uuid not null default gen_random_uuid()
);
insert into instance default values;

create sequence run_id_seq as bigint;
create sequence queue_pos_seq as bigint cache 1;

create table sweeps (
  sweep_id serial primary key,
  name text not null,
  method text not null check (method in ('grid', 'random')),
  created_at timestamptz not null default clock_timestamp(),
  request_id bytea unique,
  request_hash bytea not null,
  source_yaml text not null,
  metadata jsonb not null default '{}',
  labels jsonb not null default '{}',
  sampler_seed bigint,
  priority int not null default 0,
  max_attempts smallint not null default 3 check (max_attempts >= 1),
  max_parallel int not null default 0 check (max_parallel >= 0),
  first_run_id bigint not null,
  run_count bigint not null check (run_count >= 0),
  cancelled_at timestamptz
);
create index on sweeps (name, sweep_id);

create table runs (
  run_id bigint primary key,
  sweep_id int not null references sweeps,
  ordinal int not null,
  config_hash bytea not null,
  shape_key bytea not null,
  config jsonb not null,
  -- Columns that queries group by. Widths have their published text and their range.
  readout text not null,
  readout_family text not null,
  rnn_type text not null,
  activation text not null,
  ng int not null,
  np int not null,
  place_cell_rf text not null,
  place_cell_rf_low double precision not null,
  place_cell_rf_high double precision not null,
  surround_scale text not null,
  surround_scale_low double precision not null,
  surround_scale_high double precision not null,
  seed bigint not null,
  total_steps bigint not null,
  unique (sweep_id, ordinal)
);
create index runs_config_hash on runs (config_hash);

create table run_state (
  run_id bigint primary key references runs,
  sweep_id int not null,
  class smallint not null default 0,
  state smallint not null default 0,
  queue_pos bigint not null,
  not_before timestamptz,
  attempt int not null default 0,
  failures smallint not null default 0,
  changed_at timestamptz not null default clock_timestamp()
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);
create index run_claim on run_state (sweep_id, class, queue_pos) where state = 0;
create index run_backoff on run_state (not_before) where state = 1;
create index run_state_sweep on run_state (sweep_id);

create table workers (
  worker_id bigserial primary key,
  name text not null unique,
  host text not null,
  incarnation bytea not null,
  slots int not null check (slots >= 1),
  resource_class text not null,
  memory_bytes bigint not null,
  numerics_id text not null,
  version text not null,
  science_version int not null,
  features jsonb not null default '[]',
  labels jsonb not null default '{}',
  directive smallint not null default 1,
  registered_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);

-- Live leases only: a lease is held while its row exists. No index but the
-- key, so that renewals stay heap-only.
create table leases (
  run_id bigint primary key references runs,
  sweep_id int not null,
  class smallint not null,
  token uuid not null,
  attempt int not null,
  worker_id bigint not null references workers,
  incarnation bytea not null,
  request_id bytea not null,
  granted_at timestamptz not null,
  expires_at timestamptz not null,
  cancelling boolean not null default false
) with (fillfactor = 50);

-- One row when a lease ends.
create table attempts (
  run_id bigint not null references runs,
  attempt int not null,
  token uuid not null,
  worker_id bigint not null,
  worker text not null,
  host text not null,
  granted_at timestamptz not null,
  ended_at timestamptz not null default clock_timestamp(),
  outcome text not null check (outcome in
    ('succeeded', 'diverged', 'failed', 'released', 'lost', 'cancelled')),
  error text not null default '',
  log_tail text not null default '',
  primary key (run_id, attempt)
);

create table artifacts (
  sha256 bytea primary key check (length(sha256) = 32),
  size bigint not null,
  kind text not null,
  touched_at timestamptz not null default clock_timestamp()
);

create table run_results (
  run_id bigint primary key references runs,
  sweep_id int not null,
  token uuid not null,
  outcome smallint not null,
  artifact bytea references artifacts,
  unit_count int not null,
  steps bigint not null,
  compute_seconds double precision not null,
  numerics_id text not null,
  science_version int not null,
  finished_at timestamptz not null default clock_timestamp(),
  -- Run-level metrics, by the names of the registry.
  loss double precision,
  pos_err_published double precision,
  pos_err_most_active double precision,
  pos_err_target double precision,
  pos_err_template double precision,
  max_grid_score_60 double precision,
  max_score_60_1024 double precision,
  max_grid_score_90 double precision
);
create index on run_results (sweep_id);

-- Unit-level metrics, by the names of the registry. Partitions hold 2^20 runs.
create table units (
  run_id bigint not null,
  unit int not null,
  grid_score_60 double precision,
  grid_score_90 double precision,
  grid_score_60_n20 double precision,
  grid_score_90_n20 double precision,
  grid_score_60_n32 double precision,
  grid_score_90_n32 double precision,
  period_bins double precision,
  period_error_bins double precision,
  orientation_rad double precision,
  mean_rate double precision,
  peak_rate double precision,
  spatial_information double precision,
  primary key (run_id, unit)
) partition by range (run_id);
create table units_0 partition of units for values from (0) to (1048576);
create index units_grid_score_60 on units (grid_score_60);

-- One row a run and unit metric. `bins` counts the score bins 0..401 (bin k:
-- e[k-1] < x <= e[k], e[j] = (j - 200) / 100); NULL for metrics without bins.
create table unit_rollups (
  run_id bigint not null references runs,
  metric text not null,
  n int not null,
  nulls int not null,
  min double precision,
  max double precision,
  sum double precision not null,
  bins int[],
  primary key (run_id, metric)
);

create table learning_curves (
  run_id bigint not null references runs,
  step bigint not null,
  loss double precision,
  error_cm double precision,
  fraction_above double precision[],
  primary key (run_id, step)
);

-- Which coordinators are alive; expiry waits until one has been up for a lease time.
create table coordinators (
  id uuid primary key,
  started_at timestamptz not null default clock_timestamp(),
  alive_at timestamptz not null default clock_timestamp()
);

create schema dash;
comment on schema dash is 'Read-only views for dashboards: a documented, stable contract.';

create view dash.sweeps as
select s.sweep_id, s.name, s.method, s.created_at, s.run_count as runs,
       c.pending, c.running, c.succeeded, c.diverged, c.failed, c.cancelled
from public.sweeps s
cross join lateral (
  select count(*) filter (where state in (0, 1, 2)) as pending,
         count(*) filter (where state = 3) as running,
         count(*) filter (where state = 4) as succeeded,
         count(*) filter (where state = 5) as diverged,
         count(*) filter (where state = 6) as failed,
         count(*) filter (where state = 7) as cancelled
  from public.run_state r where r.sweep_id = s.sweep_id) c;
comment on view dash.sweeps is
  'One row a sweep: its name, when it was submitted, and its runs by state (pending includes backoff and paused).';

create view dash.runs as
select r.run_id, r.sweep_id, r.ordinal,
       (array['pending', 'backoff', 'paused', 'leased', 'succeeded', 'diverged', 'failed',
              'cancelled'])[st.state + 1] as state,
       st.attempt, st.failures, r.readout, r.readout_family, r.rnn_type, r.activation, r.ng, r.np,
       r.place_cell_rf, r.surround_scale, r.seed, r.total_steps, r.config,
       p.finished_at, p.steps, p.compute_seconds, p.loss, p.pos_err_published as decoding_error_cm,
       p.max_grid_score_60, p.max_grid_score_90, encode(p.artifact, 'hex') as artifact_sha256
from public.runs r
join public.run_state st using (run_id)
left join public.run_results p using (run_id);
comment on view dash.runs is
  'One row a run: configuration, state, and its result once it has one (errors in cm).';

create view dash.fractions as
select r.sweep_id, r.readout, r.readout_family, t.threshold,
       count(distinct r.run_id) as runs,
       sum(u.n) as units,
       sum(above.n) as units_above,
       sum(above.n)::double precision / nullif(sum(u.n), 0) as fraction
from public.runs r
join public.run_results p on p.run_id = r.run_id and p.outcome = 1
join public.unit_rollups u on u.run_id = r.run_id and u.metric = 'grid_score_60'
cross join (values (0.3, 231), (0.75, 276), (0.8, 281), (0.85, 286), (1.0, 301), (1.15, 316))
  as t(threshold, first_bin)
cross join lateral (select coalesce(sum(c), 0)::bigint as n
  from unnest(u.bins[t.first_bin + 1:]) c) above
group by r.sweep_id, r.readout, r.readout_family, t.threshold;
comment on view dash.fractions is
  'Fraction of units with grid_score_60 above each published threshold, by sweep and readout; units without a score count in the denominator.';
