-- What the console's metrics count beyond what its pages show.

grant select (marked_us) on dirty_day to wm_console;
