-- Reference data: banks, meter models and what their channels mean.

insert into bank (id, name, profile, period_s, channels, kind) values
    (1, 'load profile', '1-0:99.1.0*255', 900, 4, 'interval'),
    (2, 'daily snapshot', '1-0:98.2.0*255', 86400, 4, 'snapshot');
insert into meter_model (name, manufacturer, reading_keys) values ('WM-SIM-3', 'WMT', 'separate');
insert into channel_map (model, bank, channel, register, scaler, unit)
select 'WM-SIM-3', bank, channel, register, 0, unit
from (values (1, '1-0:1.8.0*255', 30), (2, '1-0:2.8.0*255', 30), (3, '1-0:3.8.0*255', 32), (4, '1-0:4.8.0*255', 32))
     as c(channel, register, unit), (values (1), (2)) as b(bank);
