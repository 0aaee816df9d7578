-- Word of sweeps that have ended: one row a notice, until it is delivered and a while beyond; and
-- what runs log while they run.

alter table sweeps
  -- When the notice of its end was written; NULL again once runs of it wait again.
  add column notified_at timestamptz;
create index sweeps_to_notify on sweeps (sweep_id)
  where notify_url <> '' and notified_at is null and deleted_at is null;

-- Beside run_claim and run_backoff: whether a sweep has runs that wait is one probe of each.
create index run_paused on run_state (sweep_id) where state = 2;

create table sweep_notices (
  notice_id uuid primary key default gen_random_uuid(),
  sweep_id int not null,
  url text not null,
  body text not null,                -- JSON, with the notice's id
  created_at timestamptz not null default clock_timestamp(),
  next_try_at timestamptz not null default clock_timestamp(),
  tries int not null default 0,
  last_error text not null default '',
  delivered_at timestamptz,
  given_up_at timestamptz
);
create index sweep_notices_due on sweep_notices (next_try_at)
  where delivered_at is null and given_up_at is null;

-- What the attempts in progress have logged, for those who follow: the last lines of each. The
-- attempt keeps them when it ends; a crash of the database may lose what is here.
create unlogged table live_logs (
  run_id bigint primary key,
  attempt int not null,
  lines text[] not null
) with (fillfactor = 50);
