-- Bearer tokens. A secret itself is stored nowhere. A name may come again once
-- its last token is revoked or expired; rows stay, so that a name in an audit
-- line or in sweeps.submitted_by can be looked up.

create table tokens (
  token_id bigserial primary key,
  name text not null check (name ~ '^[A-Za-z0-9._-]{1,64}$'),
  role smallint not null check (role between 1 and 4),  -- as in the proto
  sha256 bytea not null unique check (length(sha256) = 32),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,  -- null: never
  revoked_at timestamptz,  -- null: live
  created_by text not null
);
create index on tokens (name, token_id);
