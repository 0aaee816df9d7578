-- Metrics of the units together, chance levels, and more metrics of a unit. Results stored before
-- have none of them.

alter table units
  add column grid_score_60_means double precision,
  add column grid_score_60_circle double precision,
  add column orientation_spread_rad double precision,
  add column phase_x double precision,
  add column phase_y double precision,
  add column field_count double precision,
  add column border_score double precision;

alter table run_results
  add column pos_err_chance double precision,
  add column participation_ratio double precision,
  add column participation_ratio_ratemaps double precision,
  add column ratemap_rank double precision,
  add column two_nn_dimension double precision,
  add column moments_dimension double precision,
  add column input_kernel_sq double precision,
  add column recurrent_kernel_sq double precision,
  add column chance_score_60_p95 double precision,
  add column chance_fraction_above_030 double precision,
  add column chance_fraction_above_075 double precision,
  add column chance_fraction_above_080 double precision,
  add column chance_fraction_above_085 double precision,
  add column chance_fraction_above_100 double precision,
  add column chance_fraction_above_115 double precision,
  add column untrained_max_score_60 double precision,
  add column untrained_fraction_above_030 double precision,
  add column untrained_fraction_above_075 double precision,
  add column untrained_fraction_above_080 double precision,
  add column untrained_fraction_above_085 double precision,
  add column untrained_fraction_above_100 double precision,
  add column untrained_fraction_above_115 double precision;

-- One rollup a run and unit metric, as ever.
insert into unit_rollups (run_id, metric, n, nulls, sum, bins)
select p.run_id, m.metric, p.unit_count, p.unit_count, 0,
       case when m.binned then array_fill(0, array[402]) end
from run_results p
cross join (values ('grid_score_60_means', true), ('grid_score_60_circle', true),
                   ('orientation_spread_rad', false), ('phase_x', false), ('phase_y', false),
                   ('field_count', false), ('border_score', false)) as m(metric, binned)
where p.outcome = 1;

create or replace view dash.runs as
select r.run_id, r.sweep_id, r.ordinal,
       (array['pending', 'backoff', 'paused', 'leased', 'succeeded', 'diverged', 'failed',
              'cancelled'])[st.state + 1] as state,
       st.attempt, st.failures, r.readout, r.readout_family, r.rnn_type, r.activation, r.ng, r.np,
       r.place_cell_rf, r.surround_scale, r.seed, r.total_steps, r.config,
       p.finished_at, p.steps, p.compute_seconds, p.loss, p.pos_err_published as decoding_error_cm,
       p.max_grid_score_60, p.max_grid_score_90, encode(p.artifact, 'hex') as artifact_sha256,
       p.pos_err_chance, p.participation_ratio, p.participation_ratio_ratemaps, p.ratemap_rank,
       p.two_nn_dimension, p.moments_dimension, p.input_kernel_sq, p.recurrent_kernel_sq,
       p.chance_score_60_p95, p.chance_fraction_above_080, p.untrained_max_score_60,
       p.untrained_fraction_above_080
from public.runs r
join public.run_state st using (run_id)
left join public.run_results p using (run_id);

create or replace view dash.fractions as
select r.sweep_id, r.readout, r.readout_family, t.threshold,
       count(distinct r.run_id) as runs,
       sum(u.n) as units,
       sum(above.n) as units_above,
       sum(above.n)::double precision / nullif(sum(u.n), 0) as fraction,
       sum(u.n * t.chance) / nullif(sum(u.n) filter (where t.chance is not null), 0)
         as chance_fraction,
       sum(u.n * t.untrained) / nullif(sum(u.n) filter (where t.untrained is not null), 0)
         as untrained_fraction
from public.runs r
join public.run_results p on p.run_id = r.run_id and p.outcome = 1
join public.unit_rollups u on u.run_id = r.run_id and u.metric = 'grid_score_60'
cross join lateral (values
  (0.3, 231, p.chance_fraction_above_030, p.untrained_fraction_above_030),
  (0.75, 276, p.chance_fraction_above_075, p.untrained_fraction_above_075),
  (0.8, 281, p.chance_fraction_above_080, p.untrained_fraction_above_080),
  (0.85, 286, p.chance_fraction_above_085, p.untrained_fraction_above_085),
  (1.0, 301, p.chance_fraction_above_100, p.untrained_fraction_above_100),
  (1.15, 316, p.chance_fraction_above_115, p.untrained_fraction_above_115))
  as t(threshold, first_bin, chance, untrained)
cross join lateral (select coalesce(sum(c), 0)::bigint as n
  from unnest(u.bins[t.first_bin + 1:]) c) above
group by r.sweep_id, r.readout, r.readout_family, t.threshold;
comment on view dash.fractions is
  'Fraction of units with grid_score_60 above each published threshold, by sweep and readout, and what chance and untrained networks give; units without a score count in the denominator.';
