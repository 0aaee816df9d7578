-- What dash.fractions shows of a run stands in its result: dashboards read the view every few seconds, and
-- neither the runs, which are wide, nor their histograms have to be read for it.
alter table run_results
  add column readout text,         -- of the run
  add column readout_family text,
  -- Units with a grid_score_60 above 0.3, 0.75, 0.8, 0.85, 1.0 and 1.15, of a run that succeeded.
  add column units_above int[];

-- The bins above a threshold, from 0.3 on 231 or the array's element 232, by the bins' definition.
update run_results p
set readout = r.readout, readout_family = r.readout_family,
    units_above = case when p.outcome = 1 then array(
      select coalesce((select sum(c) from unnest(u.bins[t.first:]) c), 0)::int
      from unnest(array[232, 277, 282, 287, 302, 317]) with ordinality t(first, place)
      order by place) end
from runs r left join unit_rollups u on u.run_id = r.run_id and u.metric = 'grid_score_60'
where r.run_id = p.run_id;

create or replace view dash.fractions as
select p.sweep_id, p.readout, p.readout_family, t.threshold,
       count(*) as runs,
       sum(p.unit_count) as units,
       sum(t.n) as units_above,
       sum(t.n)::double precision / nullif(sum(p.unit_count), 0) as fraction,
       sum(p.unit_count * t.chance)
         / nullif(sum(p.unit_count) filter (where t.chance is not null), 0) as chance_fraction,
       sum(p.unit_count * t.untrained)
         / nullif(sum(p.unit_count) filter (where t.untrained is not null), 0)
         as untrained_fraction
from public.run_results p
cross join lateral (values
  (0.3, units_above[1]::bigint, chance_fraction_above_030, untrained_fraction_above_030),
  (0.75, units_above[2], chance_fraction_above_075, untrained_fraction_above_075),
  (0.8, units_above[3], chance_fraction_above_080, untrained_fraction_above_080),
  (0.85, units_above[4], chance_fraction_above_085, untrained_fraction_above_085),
  (1.0, units_above[5], chance_fraction_above_100, untrained_fraction_above_100),
  (1.15, units_above[6], chance_fraction_above_115, untrained_fraction_above_115))
  as t(threshold, n, chance, untrained)
where p.outcome = 1
group by p.sweep_id, p.readout, p.readout_family, t.threshold;
