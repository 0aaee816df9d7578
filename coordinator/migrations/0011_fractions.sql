-- The same figures from one look at each run's histogram, up to the bin of its highest score, not one
-- whole look a threshold: dashboards read this every few seconds, on the processors that the queue needs.
create or replace view dash.fractions as
select r.sweep_id, r.readout, r.readout_family, t.threshold,
       count(*) as runs,
       sum(u.n) as units,
       sum(t.n) as units_above,
       sum(t.n)::double precision / nullif(sum(u.n), 0) as fraction,
       sum(u.n * t.chance) / nullif(sum(u.n) filter (where t.chance is not null), 0)
         as chance_fraction,
       sum(u.n * t.untrained) / nullif(sum(u.n) filter (where t.untrained is not null), 0)
         as untrained_fraction
from public.runs r
join public.run_results p on p.run_id = r.run_id and p.outcome = 1
join public.unit_rollups u on u.run_id = r.run_id and u.metric = 'grid_score_60'
-- Bin 231, the first above 0.3, is the array's element 232; that of the highest score is at most
-- 201 + ceil(100 max), and one more for rounding.
cross join lateral (
  select coalesce(sum(c), 0) as above_030,
         coalesce(sum(c) filter (where i > 45), 0) as above_075,
         coalesce(sum(c) filter (where i > 50), 0) as above_080,
         coalesce(sum(c) filter (where i > 55), 0) as above_085,
         coalesce(sum(c) filter (where i > 70), 0) as above_100,
         coalesce(sum(c) filter (where i > 85), 0) as above_115
  from unnest(u.bins[232:202 + ceil(100 * least(greatest(u.max, -2), 2))::int])
       with ordinality b(c, i) where c > 0) a
cross join lateral (values
  (0.3, above_030, p.chance_fraction_above_030, p.untrained_fraction_above_030),
  (0.75, above_075, p.chance_fraction_above_075, p.untrained_fraction_above_075),
  (0.8, above_080, p.chance_fraction_above_080, p.untrained_fraction_above_080),
  (0.85, above_085, p.chance_fraction_above_085, p.untrained_fraction_above_085),
  (1.0, above_100, p.chance_fraction_above_100, p.untrained_fraction_above_100),
  (1.15, above_115, p.chance_fraction_above_115, p.untrained_fraction_above_115))
  as t(threshold, n, chance, untrained)
group by r.sweep_id, r.readout, r.readout_family, t.threshold;
