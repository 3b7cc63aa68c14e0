-- Mends of prepaid vending.

-- A key change is delivered when the meter cannot read the old key any more: the monitor has to know that it is one.
grant select (kind) on sale to wm_monitor;
