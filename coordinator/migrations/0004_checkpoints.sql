-- Checkpoints: what a run needs to go on elsewhere, one a run, dropped when the run ends.

alter table sweeps add column checkpoint_interval interval check (checkpoint_interval >= '1 second');

create table checkpoints (
  run_id bigint primary key references runs on delete cascade,
  step bigint not null,
  sha256 bytea not null references artifacts,
  size bigint not null,
  numerics_id text not null,
  science_version int not null,
  saved_at timestamptz not null default clock_timestamp()
);
create index checkpoints_sha256 on checkpoints (sha256);

-- How far the run's checkpoint was when the attempt ended, and the seconds of work that ended
-- with it: since the grant, or since that checkpoint where this attempt had saved it.
alter table attempts
  add column checkpoint_step bigint not null default 0,
  add column wasted_seconds double precision not null default 0;
