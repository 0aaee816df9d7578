-- While anybody's snapshot is held, a dead row stays in its table and is passed over by every look that
-- meets it. So the looks are kept apart from what dies often.

-- When a worker was last seen: written by each heartbeat, where nothing else of a worker is.
create table worker_sightings (
  worker_id bigint primary key references workers,
  seen_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
insert into worker_sightings select worker_id, seen_at from workers;
alter table workers drop column seen_at;

-- A worker's leases are looked for from its registration on; what a request was granted by that alone. One
-- index serves each: which one, must not hang on counts of leases, that are none for a moment.
drop index leases_of_request;
create index leases_of_request on leases (request_id);
create index leases_of_worker on leases (worker_id, granted_at);

-- Checkpoints' files that nothing names any more are found without reading all artifacts.
create index artifacts_of_checkpoints on artifacts (sha256) where kind = 'checkpoint';

-- One look at the runs for all sweeps.
create or replace view dash.sweeps as
select s.sweep_id, s.name, s.method, s.created_at, s.run_count as runs,
       coalesce(c.pending, 0) as pending, coalesce(c.running, 0) as running,
       coalesce(c.succeeded, 0) as succeeded, coalesce(c.diverged, 0) as diverged,
       coalesce(c.failed, 0) as failed, coalesce(c.cancelled, 0) as cancelled,
       s.paused_at, s.stopped_at, s.cancelled_at
from public.sweeps s
left join (
  select sweep_id,
         count(*) filter (where state in (0, 1, 2)) as pending,
         count(*) filter (where state = 3) as running,
         count(*) filter (where state = 4) as succeeded,
         count(*) filter (where state = 5) as diverged,
         count(*) filter (where state = 6) as failed,
         count(*) filter (where state = 7) as cancelled
  from public.run_state group by sweep_id) c using (sweep_id)
where s.deleted_at is null;
