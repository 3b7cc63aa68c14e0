-- What a person types to find somebody or something: two letters in a row are enough. A name of two characters is a whole name in
-- Chinese, and pg_trgm's three would not find it.

create function letter_pairs(words text) returns text[] language sql immutable strict parallel safe set search_path = pg_catalog as $$
    select coalesce(array_agg(distinct substr(lower(words), place, 2)), '{}') from generate_series(1, length(words) - 1) place
$$;
grant execute on function letter_pairs to wm_console;
-- The same words, in the same order, as headend/database/read_search.cpp asks for; a line each, so that no match runs over two.
create index customer_words on customer using gin (letter_pairs(number || E'\n' || name || E'\n' || address || E'\n' || phone));
create index network_node_words on network_node using gin (letter_pairs(number || E'\n' || name));
create index on customer (lower(number));
create index on network_node (lower(number));
