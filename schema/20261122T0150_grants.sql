-- Least privilege: each role of the head-end gets what its code uses and nothing else. Sealed keys are for monitor (key service) and,
-- for the concentrator's own key at enrolment, front-end; the console never sees them.

revoke all on all functions in schema wattmesh from public;
grant usage on schema wattmesh to wm_frontend, wm_monitor, wm_console;
grant execute on function at_time, at_us, audit_hash to wm_frontend, wm_monitor, wm_console;
grant execute on function audit_append to wm_frontend, wm_monitor, wm_console;
grant execute on function audit_first_broken to wm_console;
grant execute on function make_interval_day to wm_frontend, wm_monitor;
grant execute on function recompute_day to wm_monitor;

grant select on tenant, area, concentrator, concentrator_certificate, meter_model, meter, desired_object, bank, channel_map,
      journal_cursor, interval_row, reading_conflict, rejected_entry, event, register_reading, dirty_day, aggregate_hour, aggregate_day,
      meter_latest, on_demand, interval_reading, completeness_day, meter_link
   to wm_frontend, wm_monitor, wm_console;

grant update (state, link, owner_epoch, last_seen_us) on concentrator to wm_frontend;
grant insert, update on concentrator_certificate to wm_frontend;
grant select, insert, update on concentrator_key to wm_frontend;
grant select, update (used_us) on enrolment to wm_frontend;
grant insert, update on journal_cursor to wm_frontend;
grant insert, update on interval_row to wm_frontend;
grant insert on reading_conflict, rejected_entry, event to wm_frontend;
grant insert, update on dirty_day to wm_frontend;
grant update (confirmed_version, confirmed_us) on desired_object to wm_frontend;

grant update (state, revoked_us) on concentrator to wm_monitor;
grant update (revoked_us) on concentrator_certificate to wm_monitor;
grant select on concentrator_key, meter_key to wm_monitor;
grant select, insert, update on enrolment, key_counter, server_identity to wm_monitor;
grant insert, update on desired_object to wm_monitor;
grant insert on register_reading to wm_monitor;
grant insert, update on on_demand to wm_monitor;
grant delete on dirty_day to wm_monitor;
grant insert, update on aggregate_hour, aggregate_day, meter_latest to wm_monitor;

grant select, insert, update, delete on user_session to wm_console;
grant select, update on user_account to wm_console;
grant select on audit to wm_console;
