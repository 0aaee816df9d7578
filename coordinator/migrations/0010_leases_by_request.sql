-- What a worker's request was granted is found by leases' worker and request, not by reading all of
-- them: while a snapshot is held, rows of leases that ended stay in the table. Renewals stay
-- heap-only, for they change neither column.
create index leases_of_request on leases (worker_id, request_id);
