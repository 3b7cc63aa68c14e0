-- What the pages of counter and machine need: customers found by a part of their name, the own password and tokens at the vending port.

create index customer_account_name on customer_account using gin (lower(name) public.gin_trgm_ops);
create index on sale (terminal, id desc);

-- Whoever holds a session sets his own password, and is signed out everywhere. The role that sells may change no account by itself.
create function own_password(session bytea, hash text) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    who bigint;
begin
    update user_account u set password_hash = hash, failures = 0, locked_until_us = null from user_session s
    where s.token_hash = session and u.id = s.user_account returning u.id into who;
    if not found then return false; end if;
    delete from user_session where user_account = who;
    return true;
end $$;
revoke all on function own_password from public;
grant execute on function own_password to wm_console, wm_vending;
grant insert, update (revoked_us) on api_token to wm_vending;
