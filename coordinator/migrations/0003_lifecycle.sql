-- Sweeps that are paused, stopped, retried and deleted; workers that are cordoned, drained and
-- quarantined.

alter table sweeps
  add column paused_at timestamptz,
  add column stopped_at timestamptz,
  -- Gone for its users; its rows go piece by piece.
  add column deleted_at timestamptz;

alter table attempts
  -- Whether it is one of the failures that run_state counts. A retry and a quarantine take it back.
  add column counted boolean not null default false,
  -- The result that it brought, where a retry has taken that away.
  add column withdrawn jsonb;

-- Which attempts had counted was not kept: the latest that may have, as many as the run counts.
update attempts a set counted = true
from (select o.run_id, o.attempt, r.failures, row_number() over (
        partition by o.run_id order by (o.outcome = 'failed') desc, o.attempt desc) as place
      from attempts o join run_state r using (run_id)
      where o.outcome in ('failed', 'lost') and r.failures > 0) f
where a.run_id = f.run_id and a.attempt = f.attempt and f.place <= f.failures;

alter table workers
  add column releasing boolean not null default false,    -- gives back what it holds
  add column directive_reason text not null default '';   -- why it is quarantined

-- What each worker has failed since its last result: the streak that leads to a quarantine.
-- `occasion`: runs that went down with one process have one in common.
create table worker_failures (
  worker_id bigint not null,
  run_id bigint not null,
  attempt int not null,
  occasion uuid not null,
  crashed boolean not null,
  primary key (worker_id, run_id, attempt)
);

-- Artifacts whose run has let go of them. Each is unlinked unless a run names it still.
create table artifact_garbage (
  sha256 bytea primary key check (length(sha256) = 32)
);
create index run_results_artifact on run_results (artifact);

create or replace view dash.sweeps as
select s.sweep_id, s.name, s.method, s.created_at, s.run_count as runs,
       c.pending, c.running, c.succeeded, c.diverged, c.failed, c.cancelled,
       s.paused_at, s.stopped_at, s.cancelled_at
from public.sweeps s
cross join lateral (
  select count(*) filter (where state in (0, 1, 2)) as pending,
         count(*) filter (where state = 3) as running,
         count(*) filter (where state = 4) as succeeded,
         count(*) filter (where state = 5) as diverged,
         count(*) filter (where state = 6) as failed,
         count(*) filter (where state = 7) as cancelled
  from public.run_state r where r.sweep_id = s.sweep_id) c
where s.deleted_at is null;
