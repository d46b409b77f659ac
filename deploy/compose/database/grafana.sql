-- Grafana reads what sync writes, and nothing else.
create role grafana login password 'grafana';
alter role grafana set default_transaction_read_only = on;
grant pg_read_all_data to grafana;
