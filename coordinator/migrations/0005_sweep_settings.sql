-- Settings of a sweep: what its runs need of a worker, whether results may be another's, whom to
-- tell when it ends; and who submitted it.

alter table sweeps
  add column reuse boolean not null default false,
  add column resource_class text not null default 'any'
    check (resource_class in ('any', 'cpu', 'gpu')),
  -- Free memory that a run needs, bytes; 0: as estimated from its shapes.
  add column memory_bytes bigint not null default 0 check (memory_bytes >= 0),
  add column notify_url text not null default '',
  -- The name of the token; '' without tokens.
  add column submitted_by text not null default '';
