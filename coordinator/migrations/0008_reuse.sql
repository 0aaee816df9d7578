-- Results that are another run's: copied to each run whose sweep asks for it.

alter table run_results
  -- The run that was trained; it may have been deleted since.
  add column reused_from bigint;
create index run_results_reused on run_results (sweep_id) where reused_from is not null;

-- Runs that wait for the result of another (run_state.class -1, which no worker claims).
create table reuses (
  run_id bigint primary key references runs on delete cascade,
  source_run_id bigint not null
);

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
       p.untrained_fraction_above_080, p.reused_from
from public.runs r
join public.run_state st using (run_id)
left join public.run_results p using (run_id);
