-- What hands out runs: a queue for each resource class, and like runs together.

alter table sweeps
  -- Whether all runs have tensors of equal shapes: then there is nothing to choose between them.
  add column one_shape boolean not null default false;

update sweeps s set one_shape = true
where not exists (
  select from runs r join runs f on f.run_id = s.first_run_id
  where r.sweep_id = s.sweep_id and r.shape_key <> f.shape_key);

-- run_state.class: 0 any, 1 cpu, 2 gpu.
update run_state r set class = case s.resource_class when 'cpu' then 1 else 2 end
from sweeps s where s.sweep_id = r.sweep_id and s.resource_class in ('cpu', 'gpu');
