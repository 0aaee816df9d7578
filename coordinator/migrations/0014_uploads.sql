-- Files on their way: a row is committed before a file can be in the artifact directory, so that
-- each file that nothing will ever name is found.

-- What a lease has uploaded, or is uploading, and nothing names yet: at most one file of a kind.
create table artifact_uploads (
  token uuid not null,  -- the lease's
  kind text not null,   -- result, checkpoint
  sha256 bytea not null check (length(sha256) = 32),
  run_id bigint not null,
  announced_at timestamptz not null default clock_timestamp(),
  primary key (token, kind)
);
create index artifact_uploads_sha256 on artifact_uploads (sha256);

-- What no lease can be asked for any more. The lease is nobody's: they wait for the grace alone.
insert into artifact_uploads (token, kind, sha256, run_id)
select gen_random_uuid(), kind, sha256, 0 from artifacts a
where not exists (select from run_results p where p.artifact = a.sha256)
  and not exists (select from checkpoints c where c.sha256 = a.sha256);

-- A file that cannot be unlinked goes behind the others.
alter table artifact_garbage add column since timestamptz not null default clock_timestamp();
create index artifact_garbage_since on artifact_garbage (since);

-- However a checkpoint ends: replaced, with its run, or with the run's row.
-- The update waits for who is just deciding that the file is still named.
create function let_go_of_checkpoint() returns trigger language plpgsql as $$
begin
  insert into artifact_garbage (sha256) values (old.sha256)
  on conflict (sha256) do update set since = excluded.since;
  return null;
end $$;
create trigger checkpoint_deleted after delete on checkpoints
  for each row execute function let_go_of_checkpoint();
create trigger checkpoint_replaced after update on checkpoints
  for each row when (old.sha256 <> new.sha256) execute function let_go_of_checkpoint();
drop index artifacts_of_checkpoints;

-- How often the coordinator says that it is alive.
alter table coordinators add column again interval not null default '5 seconds';
