-- Meters that sell by token and take tokens through the mesh.

alter table meter_model add column cosem_model text;  -- of a meter that sells by token: which of protocol/cosem/models it follows
insert into meter_model (name, manufacturer, reading_keys, cosem_model) values
    ('WM-SIM-3P', 'WMT', 'separate', 'prepaid'), ('WM-SIM-3R', 'WMT', 'separate', 'prepaid-remote');
insert into channel_map (model, bank, channel, register, scaler, unit)
select k.name, c.bank, c.channel, c.register, c.scaler, c.unit
from channel_map c, meter_model k where c.model = 'WM-SIM-3' and k.cosem_model is not null;
