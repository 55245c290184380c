-- What a broker needs that does not change the schema. Run it as the role that owns the tables, after `broker migrate`, with the name
-- of the run role in place of broker_run; then start brokers as that role with Broker:MigrateAtStart=false.
--   CREATE ROLE broker_run LOGIN PASSWORD '...';
GRANT USAGE ON SCHEMA public TO broker_run;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO broker_run;
REVOKE INSERT, UPDATE, DELETE ON "__EFMigrationsHistory" FROM broker_run;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO broker_run;
-- The same for tables that later migrations add.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO broker_run;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO broker_run;
