-- Roles of the database with least privilege. Each coordinator runs this when
-- it starts; an administrator runs it (psql -f) where the coordinators' own
-- login may not create roles. Any number of times, without harm.
--
-- gridsweep_coordinator  for those who own the schema: nothing is granted to it
-- gridsweep_analysis     reads all tables, writes none
-- gridsweep_dash         reads the views of the schema dash, nothing else
--
-- All are groups without login. Roles belong to the whole server: several
-- databases share them, and each grants them its own objects.

do $$
declare
  role_name text;
begin
  foreach role_name in array
      array['gridsweep_coordinator', 'gridsweep_analysis', 'gridsweep_dash'] loop
    begin
      if not exists (select from pg_roles where rolname = role_name) then
        execute format('create role %I nologin', role_name);
        if role_name = 'gridsweep_dash' then
          alter role gridsweep_dash connection limit 10;
          alter role gridsweep_dash set statement_timeout = '30s';
          alter role gridsweep_dash set idle_in_transaction_session_timeout = '10s';
          alter role gridsweep_dash set jit = off;  -- compiling a view takes longer than reading it
        end if;
      end if;
    exception
      -- Another database's coordinator was faster; or an administrator has to.
      when duplicate_object or unique_violation or insufficient_privilege then null;
    end;
  end loop;
end $$;

-- Grants what the owner of the tables has, and only what is missing:
-- a grant rewrites its object's row, which others may be using.
do $$
declare
  object record;
begin
  -- Not a database of Gridsweep, or not yet.
  if to_regnamespace('dash') is null or to_regclass('public.instance') is null then
    return;
  end if;
  if exists (select from pg_roles where rolname = 'gridsweep_analysis') then
    if pg_has_role((select nspowner from pg_namespace where nspname = 'public'), 'usage')
        and not has_schema_privilege('gridsweep_analysis', 'public', 'usage') then
      grant usage on schema public to gridsweep_analysis;
    end if;
    for object in
      select c.oid::regclass as name from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and not c.relispartition
        and c.relowner = (select relowner from pg_class where oid = 'public.instance'::regclass)
        and pg_has_role(c.relowner, 'usage')
        and not has_table_privilege('gridsweep_analysis', c.oid, 'select') loop
      execute format('grant select on %s to gridsweep_analysis', object.name);
    end loop;
  end if;
  if exists (select from pg_roles where rolname = 'gridsweep_dash') then
    if pg_has_role((select nspowner from pg_namespace where nspname = 'dash'), 'usage')
        and not has_schema_privilege('gridsweep_dash', 'dash', 'usage') then
      grant usage on schema dash to gridsweep_dash;
    end if;
    for object in
      select c.oid::regclass as name from pg_class c
      where c.relnamespace = 'dash'::regnamespace and c.relkind = 'v'
        and pg_has_role(c.relowner, 'usage')
        and not has_table_privilege('gridsweep_dash', c.oid, 'select') loop
      execute format('grant select on %s to gridsweep_dash', object.name);
    end loop;
  end if;
end $$;
