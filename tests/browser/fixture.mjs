// A stand-in for the head-end, for work on the pages alone: invented answers in the shape of openapi.yaml, the same headers.
// node fixture.mjs [PORT]; log-in demo / demo. Proofs run against the real head-end: see console.test.mjs.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pages = fileURLToPath(new URL('../../headend/console/web/dist', import.meta.url));
const port = Number(process.argv[2] ?? 8099);
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const quarter = 900_000;
const iso = (ms) => new Date(ms).toISOString();
const dayOf = (ms) => iso(ms).slice(0, 10);
let seed = 7;
const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;

const concentrators = ['900000000001', '900000000002'];
const meters = [];
for (const [c, concentrator] of concentrators.entries()) {
  const mine = [{ number: `80000000000${c + 1}`, role: 'summary', parent: null, hops: 1 }];
  for (let i = 1; i <= 46; ++i) {
    const parents = mine.filter((meter) => meter.hops < 5 && meter.role === 'customer');
    const parent = i < 9 || parents.length === 0 ? null : parents[Math.floor(random() * parents.length)];
    mine.push({ number: `5400000${c}${String(10_000 + i).slice(1)}`, role: 'customer', parent: parent?.number ?? null, hops: (parent?.hops ?? 0) + 1 });
  }
  for (const [i, meter] of mine.entries()) meters.push({ ...meter, concentrator, state: i === 30 || i === 41 ? 'lost' : i === 44 ? 'unseen' : i === 20 ? 'suspect' : 'joined', rssi: -55 - Math.floor(random() * 42), etx: 100 + Math.floor(random() * 160) });
}
const byNumber = new Map(meters.map((meter) => [meter.number, meter]));
const routeOf = (meter) => { const route = []; for (let at = meter.parent; at; at = byNumber.get(at)?.parent) route.unshift(at); return route; };
const wh = (meter, ms) => {
  const hour = (ms / 3_600_000) % 24, n = Number(meter.number) % 97;
  const shape = 0.25 + 0.7 * Math.exp(-((hour - 7.5) ** 2) / 3) + Math.exp(-((hour - 19) ** 2) / 6);
  return Math.round(110 * shape * (0.6 + n / 97) * (0.8 + 0.4 * Math.abs(Math.sin(ms / 1.7e6 + n))));
};
const line = (meter) => ({ number: meter.number, role: meter.role, concentrator: meter.concentrator, road: 'mesh', state: meter.state, hops: meter.state === 'unseen' ? null : meter.hops, rssi_dbm: meter.state === 'unseen' ? null : meter.rssi, last_interval: iso(Math.floor(Date.now() / quarter) * quarter - (meter.state === 'joined' ? 0 : 7 * quarter)) });
const node = (meter) => ({ number: meter.number, role: meter.role, state: meter.state, parent: meter.parent, hops: meter.hops, rssi_dbm: meter.rssi, etx_percent: meter.etx, last_heard: iso(Date.now() - meter.etx * 900), route: routeOf(meter), alternative: routeOf(meter).slice(0, -1) });
const concentrator = (number) => {
  const mine = meters.filter((meter) => meter.concentrator === number), expected = mine.length * Math.floor((Date.now() % 86_400_000) / quarter);
  return { number, name: 'Transformer ' + number.slice(-1), state: 'online', last_seen: iso(Date.now() - 12_000), meters: mine.length, joined: mine.filter((meter) => meter.state === 'joined').length, hops_max: Math.max(...mine.map((meter) => meter.hops)), expected, received: Math.max(0, expected - (number.endsWith('1') ? 3 : 41)) };
};
const missing = [{ reason: 'no_answer', intervals: 27 }, { reason: 'no_route', intervals: 14 }, { reason: 'clock', intervals: 3 }];
const cell = (number, day, i) => {
  const future = day > dayOf(Date.now()), expected = future ? 0 : 47 * 96, share = [1, 1, 0.998, 1, 0.993, 1, 0.964, 1, 1, 0.871, 1, 0.999, 1, 0.991][(i + Number(number.slice(-1)) * 3) % 14];
  return { concentrator: number, day, ...counts(expected, share) };
};
const counts = (expected, share) => {
  const received = Math.round(expected * share), by = (part) => ({ expected, received: Math.round(received * part) });
  return { expected, received, first_try: Math.round(received * 0.98), meters: 47, meters_complete: share === 1 ? 47 : 44, by_8h: by(0.99), by_24h: by(0.999), by_72h: by(1), missing: share === 1 ? [] : missing };
};
const channels = [['1-0:1.8.0*255', 'Active energy import', 'Wh'], ['1-0:2.8.0*255', 'Active energy export', 'Wh'], ['1-0:3.8.0*255', 'Reactive energy import', 'varh'], ['1-0:4.8.0*255', 'Reactive energy export', 'varh']].map(([obis, name, unit], i) => ({ channel: i + 1, obis, name, unit, scaler: 0 }));

function curve(meter, query) {
  const from = Date.parse(query.get('from')), to = Math.min(Date.parse(query.get('to')), Date.now() - quarter), channel = Number(query.get('channel') ?? 1), at = [], value = [];
  for (let ms = from + quarter; ms <= to; ms += quarter) {
    at.push(ms / 1000);
    value.push((ms / quarter) % 61 < 3 ? null : channel === 1 ? wh(meter, ms) : channel === 3 ? Math.round(wh(meter, ms) / 4) : 0);
  }
  return { meter: meter.number, ...channels[channel - 1], period_s: 900, from: query.get('from'), to: query.get('to'), at, value, quality: at.map((_, i) => (i === 9 ? 1 : 0)) };
}
function balance(number, day) {
  const mine = meters.filter((meter) => meter.concentrator === number && meter.role === 'customer'), start = Date.parse(day + 'T00:00:00Z'), intervals = [];
  const totals = { supplied_wh: 0, consumed_wh: 0, loss_wh: 0, suspected_wh: 0, complete: 0 };
  for (let ms = start + quarter; ms <= Math.min(start + 86_400_000, Date.now()); ms += quarter) {
    const consumed = mine.reduce((sum, meter) => sum + wh(meter, ms), 0), hour = (ms / 3_600_000) % 24, theft = hour > 17 && hour < 21 ? 700 : 0, supplied = Math.round(consumed * 1.032) + theft, whole = (ms / quarter) % 37 !== 0, loss = supplied - consumed, suspected = Math.max(0, loss - Math.floor(supplied * 0.05));
    intervals.push({ at: iso(ms), supplied_wh: supplied, consumed_wh: consumed, meters_expected: mine.length, meters_read: whole ? mine.length : mine.length - 2, loss_wh: whole ? loss : null, suspected_wh: whole ? suspected : null });
    if (whole) { totals.supplied_wh += supplied; totals.consumed_wh += consumed; totals.loss_wh += loss; totals.suspected_wh += suspected; totals.complete++; }
  }
  return { transformer: `TX-${number.slice(-1)}`, name: 'Mill Road ' + number.slice(-1), concentrator: number, day, summary_meter: `80000000000${number.slice(-1)}`, technical_loss_percent: 5, intervals, totals };
}
// Alarms that live: POST acts change them, /fixture/alarms?add=N raises N more.
const alarms = [];
function raiseAlarm(over) {
  const at = iso(Date.now() - (over.age ?? 0));
  alarms.push({ id: alarms.length + 1, rule: 'meter_lost', title: 'Meter without contact', guidance: 'The mesh lost the meter and no power cut explains it. Look at its neighbours on the topology; several at once point to a dead relay or a jammed channel.', priority: 'low', state: 'unacked', active: true, kind: 'meter', object: meters[(alarms.length * 7) % meters.length].number, text: 'Not reached over the mesh', members: 1, hides: 0, count: 1, raised: at, last: at, returned: null, first_up: false, chattering: false, suppressed_by: null, shelved_until: null, aside: null, acked_by: null, acked_at: null, assigned_to: null, ...over });
}
raiseAlarm({ rule: 'power_cut', title: 'Power cut', guidance: "Several meters lost their power at once. Compare with planned work, tell the network's control room, and follow on the page of power cuts who comes back.", priority: 'high', kind: 'concentrator', object: concentrators[0], text: '86 of 101 meters dark, 74 said so', members: 86, hides: 86, first_up: true, age: 4e5 });
raiseAlarm({ rule: 'concentrator_offline', title: 'Concentrator offline', priority: 'medium', kind: 'concentrator', object: concentrators[1], text: 'Does not call in: Transformer 2', state: 'acked', acked_by: 'asha', acked_at: iso(Date.now() - 2e5), hides: 41, age: 3e5, chattering: true, count: 3 });
raiseAlarm({ rule: 'aggregates_behind', title: 'Aggregates behind', priority: 'medium', kind: 'head-end', object: 'aggregates', text: '4 days wait to be added up', age: 9e7 });
raiseAlarm({ text: '31 meters without contact under concentrator 900000000002', kind: 'concentrator', object: concentrators[1], members: 31, age: 5e5 });
raiseAlarm({ state: 'returned', active: false, age: 6e5, returned: iso(Date.now() - 1e5) });
raiseAlarm({ state: 'shelved', age: 7e5, shelved_until: iso(Date.now() + 3e6), aside: { by: 'asha', reason: 'cabinet is being painted' }, assigned_to: 'asha' });
const standing = () => alarms.filter((alarm) => alarm.state !== 'normal');
const alarmTile = () => ({ ...byPriority('unacked'), acked: standing().filter((alarm) => alarm.state === 'acked').length });
const byPriority = (state) => Object.fromEntries(['high', 'medium', 'low'].map((priority) => [priority, alarms.filter((alarm) => alarm.state === state && alarm.priority === priority).length]));
const rank = (alarm) => [['shelved', 'suppressed', 'out_of_service'].includes(alarm.state) ? 1 : 0, ['high', 'medium', 'low'].indexOf(alarm.priority), ['unacked', 'returned', 'acked'].indexOf(alarm.state), -Date.parse(alarm.raised), -alarm.id];
const before = (a, b) => { const x = rank(a), y = rank(b), at = x.findIndex((value, i) => value !== y[i]); return at < 0 ? 0 : x[at] - y[at]; };
function actOnAlarms(verb, body) {
  let done = 0;
  for (const alarm of alarms.filter((one) => body.ids.includes(String(one.id)))) {
    if (verb === 'ack' && alarm.state !== 'unacked' && alarm.state !== 'returned') continue;
    if (verb === 'ack') Object.assign(alarm, { state: alarm.active ? 'acked' : 'normal', acked_by: 'demo', acked_at: iso(Date.now()) });
    if (verb === 'shelve') Object.assign(alarm, { state: 'shelved', shelved_until: iso(Date.now() + body.minutes * 6e4), aside: { by: 'demo', reason: body.text } });
    ++done;
  }
  return { done, left_alone: body.ids.length - done };
}
function api(path, query) {
  let part;
  if (path === '/api/overview') {
    const items = concentrators.map(concentrator), sum = (name) => items.reduce((total, item) => total + item[name], 0), hops = [1, 2, 3, 4, 5].map((h) => ({ hops: h, meters: meters.filter((meter) => meter.hops === h && meter.state === 'joined').length })).filter((ring) => ring.meters);
    return { now: iso(Date.now()), day: dayOf(Date.now()), concentrators: { known: 2, online: 2 }, meters: { known: sum('meters'), joined: sum('joined') }, completeness: { expected: sum('expected'), received: sum('received'), missing }, store: { rows: 19284, rows_duplicate: 12, entries: 4021, entries_replayed: 12 }, conflicts: 0, rejected: 1, quarantine: 0, outages: 1, alarms: alarmTile(), hops, items };
  }
  if (path === '/api/concentrators') return { items: concentrators.map(concentrator) };
  if ((part = path.match(/^\/api\/concentrators\/(\d+)$/)) && concentrators.includes(part[1])) return { ...concentrator(part[1]), owner_epoch: 4, summary_meter: `80000000000${part[1].slice(-1)}`, certificate: { serial: '5A0173C9F2', issued: iso(0), expires: iso(Date.now() + 3e10), revoked: false }, journals: [{ id: 'a5c1'.repeat(8), acknowledged: 2010, updated: iso(Date.now() - 30_000) }], objects: ['meter_list', 'wrapped_keys', 'reading_plan', 'limits'].map((object, i) => ({ object, desired: i + 1, confirmed: i === 2 ? 2 : i + 1, confirmed_at: iso(Date.now() - 9e5) })) };
  if ((part = path.match(/^\/api\/concentrators\/(\d+)\/topology$/))) return { concentrator: part[1], source: 'live', nodes: meters.filter((meter) => meter.concentrator === part[1]).map(node) };
  if ((part = path.match(/^\/api\/concentrators\/(\d+)\/balance$/))) return balance(part[1], query.get('day') ?? dayOf(Date.now()));
  const place = (kind, number, name, more = {}) => ({ kind, number, name, position: null, below: 2, usage_points: 92, meters: 92, meter: null, concentrator: null, customer: '', ...more });
  const point = (meter) => place('usage_point', 'UP-' + meter.number.slice(6), '', { below: 0, usage_points: 1, meters: 1, meter: meter.number, customer: 'Asha Rao' });
  const up = { usage_point: 4, transformer: 3, feeder: 2, substation: 1 };
  if (path === '/api/network') return { items: [place('substation', 'SS-1', 'Wattmesh East', { below: 1 })] };
  if ((part = path.match(/^\/api\/network\/(\w+)\/([^/]+)$/))) {
    const c = concentrators[0], under = { substation: [place('feeder', 'F-1', 'Feeder 1')], feeder: concentrators.map((number, i) => place('transformer', `TX-${i + 1}`, 'Mill Road ' + (i + 1), { usage_points: 46, meters: 46 - i, concentrator: number })), transformer: meters.filter((meter) => meter.concentrator === c && meter.role === 'customer').map(point), usage_point: [] };
    const chain = [['substation', 'SS-1'], ['feeder', 'F-1'], ['transformer', 'TX-1'], ['usage_point', part[2]]].slice(0, up[part[1]]).map(([kind, number]) => ({ kind, number, name: '' }));
    return { ...place(part[1], part[2], part[1] === 'usage_point' ? '' : 'Mill Road'), path: chain, concentrator: part[1] === 'transformer' ? c : null, meters: [{ meter: meters[3].number, from: iso(Date.now() - 5e9), to: null, start_wh: 40, final_wh: null }, { meter: meters[4].number, from: iso(Date.now() - 9e10), to: iso(Date.now() - 5e9), start_wh: null, final_wh: 1205000 }], customers: [{ customer: { number: 'C-7', name: 'Asha Rao', address: 'Mill Road 7', phone: '' }, from: iso(Date.now() - 9e10), to: null }], items: under[part[1]] };
  }
  if (path.startsWith('/api/transformers/')) return balance(concentrators[0], query.get('day') ?? dayOf(Date.now()));
  if (path === '/api/losses') return { day: query.get('day'), technical_loss_percent: 5, items: [{ kind: 'transformer', number: 'TX-1', name: 'Mill Road 1', supplied_wh: 412000, consumed_wh: 371000, meters: 46, meters_complete: 46, loss_wh: 41000 }, { kind: 'transformer', number: 'TX-2', name: 'Mill Road 2', supplied_wh: 405000, consumed_wh: 360000, meters: 46, meters_complete: 44, loss_wh: null }] };
  if (path === '/api/completeness') {
    const items = [];
    for (let ms = Date.parse(query.get('from')), i = 0; ms <= Date.parse(query.get('to')); ms += 86_400_000, ++i) for (const number of concentrators) items.push(cell(number, dayOf(ms), i));
    return { from: query.get('from'), to: query.get('to'), items };
  }
  if (path === '/api/completeness/summary') {
    const worst = meters.slice(0, 6).map((meter, i) => ({ meter: meter.number, concentrator: meter.concentrator, model: 'WM-SIM-3', days: 9 - i, intervals: 700 - 90 * i, missing: [missing[i % missing.length]] }));
    return { from: query.get('from'), to: query.get('to'), areas: [{ name: 'Area 1', ...counts(63168, 0.991) }], models: [{ name: 'WM-SIM-3', ...counts(63168, 0.991) }], worst, repeated: worst.slice(0, 2) };
  }
  if ((part = path.match(/^\/api\/completeness\/(\d+)\/([\d-]+)$/))) return { concentrator: part[1], day: part[2], expected: 4512, received: 4468, meters: meters.filter((meter) => meter.concentrator === part[1] && meter.state !== 'joined').map((meter, i) => ({ meter: meter.number, role: meter.role, expected: 96, received: 60 + i * 9, reason: ['no_answer', 'lost', 'not_joined', 'not_read'][i % 4], first_missing: part[2] + 'T03:15:00.000Z', last_missing: part[2] + 'T08:30:00.000Z', ranges: [] })) };
  if (path === '/api/search') {
    const words = (query.get('q') ?? '').replace(/\s/g, '').toLowerCase(), each = Number(query.get('each') ?? 6);
    const named = [['transformer', 'TX-1', 'Mill Road', 'F-1'], ['feeder', 'F-1', '', 'SS-1'], ['customer', 'C-7', 'Asha Rao', 'Mill Road 7']].map(([kind, number, name, where]) => ({ kind, number, name, where, meter: kind === 'customer' ? meters[3].number : null }));
    return { items: [...meters.filter((meter) => meter.number.includes(words)).slice(0, each).map((meter) => ({ kind: 'meter', number: meter.number, name: 'Asha Rao', where: 'Mill Road 7', meter: meter.number })), ...concentrators.filter((number) => number.includes(words)).map((number) => ({ kind: 'concentrator', number, name: 'Transformer ' + number.slice(-1), where: 'TX-1', meter: null })), ...named.filter((one) => (one.number + one.name + one.where).replace(/\s/g, '').toLowerCase().includes(words))] };
  }
  if (path === '/api/meters') {
    const digits = (query.get('search') ?? '').replace(/\s/g, ''), cursor = query.get('cursor') ?? '', found = meters.filter((meter) => meter.number.includes(digits)).sort((a, b) => a.number.localeCompare(b.number)), items = found.filter((meter) => meter.number > cursor).slice(0, 50);
    return { items: items.map(line), next: items.length === 50 ? items[49].number : null, total: found.length };
  }
  if ((part = path.match(/^\/api\/meters\/(\d+)$/)) && byNumber.has(part[1])) {
    const meter = byNumber.get(part[1]), now = Math.floor(Date.now() / quarter) * quarter;
    return { ...line(meter), system_title: '574D547DBA823809', model: 'WM-SIM-3', site: { since: iso(Date.now() - 5e9), path: [['substation', 'SS-1'], ['feeder', 'F-1'], ['transformer', 'TX-1'], ['usage_point', 'UP-' + meter.number.slice(6)]].map(([kind, number]) => ({ kind, number, name: '' })), customer: { number: 'C-7', name: 'Asha Rao', address: 'Mill Road 7', phone: '' } }, parent: meter.parent, etx_percent: meter.etx, last_heard: iso(Date.now() - 60_000), route: routeOf(meter), alternative: [], channels, latest: [{ obis: '1-0:1.8.0*255', name: 'Active energy import', value: 1234567, unit: 'Wh', at: iso(now - 4e6), received: iso(now - 3.9e6), quality: 'good', source: 'on_demand' }, ...channels.map((channel, i) => ({ obis: channel.obis, name: channel.name + ', last 15 min', value: [wh(meter, now), 0, 41, 0][i], unit: channel.unit, at: iso(now), received: null, quality: i === 2 ? 'clock doubtful' : 'good', source: 'load profile' }))], today: { expected: 50, received: 48 } };
  }
  if ((part = path.match(/^\/api\/meters\/(\d+)\/curve$/)) && byNumber.has(part[1])) return curve(byNumber.get(part[1]), query);
  if (path.endsWith('/events')) return { items: [{ at: iso(Date.now() - 3e6), kind: 'read_failed', text: 'Read failed: no answer', concentrator: concentrators[0] }, { at: iso(Date.now() - 5e7), kind: 'joined', text: 'Joined the mesh at 3 hops behind 540000000080', concentrator: concentrators[0] }] };
  if (path === '/api/alarms') return { counts: { unacked: byPriority('unacked'), acked: byPriority('acked'), returned: byPriority('returned'), latched: 0, shelved: alarms.filter((alarm) => alarm.state === 'shelved').length, suppressed: 0, out_of_service: 0 }, items: standing().filter((alarm) => (!query.get('state') || alarm.state === query.get('state')) && (!query.get('priority') || alarm.priority === query.get('priority')) && alarm.object.includes(query.get('object') ?? '')).sort(before).slice(0, 200) };
  if (path === '/api/system') { const figure = (name, help, value, labels = {}, counter = false) => ({ name, help, counter, samples: [{ labels, value }] }); return { figures: [figure('wattmesh_database_up', '1 while the database answers', 1), { name: 'wattmesh_concentrators', help: 'Concentrators that are not revoked', counter: false, samples: [{ labels: { link: 'online', state: 'enrolled' }, value: 498 }, { labels: { link: 'offline', state: 'enrolled' }, value: 2 }] }, figure('wattmesh_aggregation_lag_seconds', 'Age of the oldest day that waits to be added up', 1.4), figure('wattmesh_host_load_1min', 'Runnable tasks, mean of a minute', 0.42), figure('wattmesh_host_memory_bytes', 'Memory of the machine', 16777478144), figure('wattmesh_host_memory_available_bytes', 'Memory that is left', 8388739072), figure('wattmesh_disk_bytes', "Size of the file system of the head-end's folder", 4e11), figure('wattmesh_disk_available_bytes', 'What is left of it', 3.1e11), figure('wattmesh_database_bytes', 'Size of the database', 73400320), figure('wattmesh_rows_stored_total', 'Interval rows stored', 19284000, {}, true)] }; }
  if (path === '/api/alarms/conduct') return { last_10_min: 3, last_day: 41, worst_10_min: 14, floods: 1, standing: standing().length, stale: 1, chattering: 1, raised_in_7_days: { high: 9, medium: 31, low: 160 }, top: [{ rule: 'meter_lost', kind: 'meter', object: meters[3].number, raised: 41 }, { rule: 'concentrator_offline', kind: 'concentrator', object: concentrators[1], raised: 12 }] };
  if ((part = path.match(/^\/api\/alarms\/(\d+)$/))) return { alarm: alarms[part[1] - 1], journal: [{ at: alarms[part[1] - 1].raised, what: 'raised', who: 'head-end', text: alarms[part[1] - 1].text }] };
  if (path === '/api/outages') return { open: 1, indices: { days: 30, customers: 4120, saidi_min: 41.3, saifi: 0.612, caidi_min: 67.5, customer_minutes: 170156, interrupted: 2521, momentary: 96 }, transformers: [{ transformer: 'TX-17', name: 'Church', feeder: '', from: iso(Date.now() - 4e5), to: null, whole: true, customers: 86, reported: 64, inferred: 15 }, { transformer: 'TX-18', name: 'Mill', feeder: 'F1', from: iso(Date.now() - 9e7), to: iso(Date.now() - 8.8e7), whole: true, customers: 61, reported: 40, inferred: 9 }, { transformer: 'TX-04', name: 'Old market', feeder: '', from: iso(Date.now() - 2e8), to: iso(Date.now() - 1.96e8), whole: false, customers: 12, reported: 10, inferred: 2 }], items: [{ concentrator: concentrators[0], at: iso(Date.now() - 4e5), received: iso(Date.now() - 3.9e5), members: 101, reported: 74, inferred: 3, ended: null, back: null, missing: null }, { concentrator: concentrators[1], at: iso(Date.now() - 9e7), received: iso(Date.now() - 9e7), members: 99, reported: 12, inferred: 0, ended: iso(Date.now() - 8.8e7), back: 12, missing: 0 }] };
  if ((part = path.match(/^\/api\/meters\/(\d+)\/route$/)) && byNumber.has(part[1])) return { meter: part[1], at: query.get('at') ?? iso(Date.now()), state: 'joined', since: iso(Date.now() - 5e7), until: null, concentrator: concentrators[0], hops: byNumber.get(part[1]).hops, sub_address: null, rssi_dbm: -88, parent: byNumber.get(part[1]).parent, route_since: iso(Date.now() - 5e7), route: routeOf(byNumber.get(part[1])) };
  if (path === '/api/validation') return { items: [{ meter: meters[4].number, day: iso(Date.now() - 9e7), first: iso(Date.now() - 9e7), last: iso(Date.now() - 9e7), rule: 'range', verdict: 'fail', quality: '2.5.256', value: 20000, believed: 11951 }, { meter: meters[7].number, day: iso(Date.now() - 9e7), first: iso(Date.now() - 9e7), last: iso(Date.now() - 8.8e7), rule: 'spike', verdict: 'warn', quality: '2.5.258', value: 900, believed: 400 }] };
  if (path === '/api/partners') return { partners: [{ name: 'mis', disabled: false, topics: ['event', 'readings', 'outage', 'alarm', 'job'], webhooks: [{ name: 'main', url: 'https://mis.example/wattmesh', batch: 1, topics: ['event', 'outage'], disabled_why: '', behind: 0, attempts: 0, failing_since: null, last_error: '', dead: 2 }, { name: 'control-room', url: 'https://oms.example/hook', batch: 50, topics: ['outage'], disabled_why: '', behind: 4180, attempts: 9, failing_since: iso(Date.now() - 4e6), last_error: 'Connection refused', dead: 0 }], files: [{ name: 'billing', directory: '/srv/mis/out', zone: 'Asia/Kolkata', disabled: false, newest: [{ name: 'AMI_WATTMESH_mis_INTERVAL_20260310_000002_v1.csv', lines: 4, total: '35.120000', written: iso(Date.now() - 3e6), acknowledged: null, refused: 0, refusals: [] }, { name: 'AMI_WATTMESH_mis_INTERVAL_20260310_000002_v0.csv', lines: 4000, total: '48211.402000', written: iso(Date.now() - 8e7), acknowledged: iso(Date.now() - 7e7), refused: 3, refusals: ['line 17, 2.12: no such usage point', 'line 18, 2.12: no such usage point', 'line 19, 2.12: no such usage point'] }, { name: 'AMI_WATTMESH_mis_INTERVAL_20260310_000001_v0.csv', lines: 4000, total: '51203.118000', written: iso(Date.now() - 8e7), acknowledged: iso(Date.now() - 7e7), refused: 0, refusals: [] }] }] }, { name: 'weather', disabled: true, topics: ['readings'], webhooks: [], files: [] }] };
  if (/^\/api\/partners\/mis\/webhooks\/main\/messages$/.test(path)) return { messages: [1, 2].map((i) => ({ position: 400 + i, dead: true, attempts: 5, status: 422, at: iso(Date.now() - i * 1e6), event: { specversion: '1.0', id: String(900 + i), source: '/wattmesh/tenants/1', type: 'org.wattmesh.meter.read_failed', subject: meters[3].number, time: iso(Date.now() - i * 1e6), data: { name: 'read_failed', code: '3.1.0.79' } } })) };
  if (path === '/api/quarantine') return { items: [{ kind: 'entry', at: iso(Date.now() - 5e6), concentrator: concentrators[0], meter: meters[4].number, reason: 'an instant in 2099', detail: 'entry 311, 84 octets: 02030906010063010' }] };
  const job = { id: 1, kind: 'read', title: 'Read Active energy import of 96 meters', state: 'running', total: 96, done: 61, failed: 2, requested_by: 'demo', reason: 'monthly check', created: iso(Date.now() - 9e4), started: iso(Date.now() - 8e4), finished: null, deadline: iso(Date.now() + 8e7) };
  if (path === '/api/relay') return { stopped: false, since: null, by: null, reason: null, second_person_above: 10 };
  if (path === '/api/jobs') return { items: [job, { ...job, id: 2, kind: 'report', title: 'Daily energies, 2026-11-01 to 2026-11-21', state: 'done', total: 1, done: 1, failed: 0 }] };
  if (path.startsWith('/api/jobs/') && path.endsWith('/items')) return { items: [{ place: 1, subject: meters[0].number, state: 'done', detail: '1234567 Wh', attempts: 1, finished: iso(Date.now() - 4e4) }, { place: 2, subject: meters[1].number, state: 'failed', detail: 'no_answer', attempts: 5, finished: iso(Date.now() - 2e4) }], next: null };
  if (path.startsWith('/api/jobs/')) return job;
  if (path === '/api/users') return { items: [{ user: 'demo', name: 'Demo', disabled: false, last_login: iso(Date.now()), locked_until: null, grants: [{ role: 'administrator', area: null }] }, { user: 'asha', name: 'Asha Rao', disabled: false, last_login: null, locked_until: null, grants: [{ role: 'viewer', area: null }, { role: 'engineer', area: 2 }] }] };
  if (path === '/api/areas') return { items: [{ area: 1, name: 'Area 1' }, { area: 2, name: 'East' }] };
  if (path === '/api/tokens') return { items: [{ id: 1, name: 'billing export', look_only: true, created: iso(Date.now() - 9e8), expires: iso(Date.now() + 9e8), last_used: iso(Date.now() - 6e4), revoked: null }] };
  if (path === '/api/audit') return { items: [{ id: 2, number: null, at: iso(Date.now() - 200), actor: 'demo', action: 'read', subject: meters[0].number, detail: '1-0:1.8.0*255 attribute 2', reason: 'asked in the console', before: null, after: null }, { id: 1, number: 1, at: iso(Date.now() - 9e5), actor: 'demo', action: 'user change', subject: 'asha', detail: '', reason: 'moved', before: 'Asha Rao: viewer', after: 'Asha Rao: viewer, engineer in area 2' }] };
  if (path === '/api/audit/verify') return { whole: true, sealed: 1, waiting: 1, oldest_waiting: iso(Date.now() - 200), first_broken: null };
  return null;
}
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const me = () => ({ user: 'demo', name: 'Demo', role: 'administrator', rights: ['look', 'read', 'relay', 'configure', 'audit', 'accounts'], csrf: 'token', clock: { now: iso(Date.now()), speed: 1 } });

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://x'), signedIn = (request.headers.cookie ?? '').includes('wattmesh_session=fixture');
  const send = (status, body, headers = {}) => { response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Security-Policy': csp, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store', ...headers }); response.end(body === undefined ? '' : JSON.stringify(body)); };
  const problem = (status, title, detail) => send(status, { title, status, detail });
  if (!url.pathname.startsWith('/api/')) {
    let file = join(pages, url.pathname);
    if (url.pathname === '/' || !existsSync(file)) file = join(pages, 'index.html');
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': csp });
    return response.end(readFileSync(file));
  }
  let body = '';
  request.on('data', (chunk) => (body += chunk)).on('end', () => {
    if (url.pathname === '/api/fixture/raise') { for (let i = 0; i < Number(url.searchParams.get('add')); ++i) raiseAlarm({ priority: url.searchParams.get('priority') ?? 'high', title: 'Raised later' }); for (const tell of followers) tell(); return send(204); }
    if (url.pathname.startsWith('/api/alarms/acts/')) return send(200, actOnAlarms(url.pathname.split('/').pop(), JSON.parse(body)));
    if (url.pathname === '/api/login') {
      const { user, password } = JSON.parse(body);
      return user === 'demo' && password === 'demo' ? send(200, me(), { 'Set-Cookie': 'wattmesh_session=fixture; Path=/; HttpOnly; SameSite=Strict' }) : problem(401, 'Sign-in failed', 'User name or password is wrong.');
    }
    if (!signedIn) return problem(401, 'Not signed in', 'Sign in first.');
    if (url.pathname === '/api/me') return send(200, me());
    if (url.pathname === '/api/logout') return send(204, undefined, { 'Set-Cookie': 'wattmesh_session=; Path=/; Max-Age=0' });
    if (url.pathname.endsWith('/read')) {
      const meter = byNumber.get(url.pathname.split('/')[3]);
      return setTimeout(() => (meter.state === 'joined' ? send(200, { meter: meter.number, obis: JSON.parse(body).obis, name: 'Active energy import', attribute: 2, value: 1234890, unit: 'Wh', text: '1234890', milliseconds: 1840, route: routeOf(meter), at: iso(Date.now()) }) : problem(504, 'Meter was not read', 'The meter is not in the mesh now. It is asked again as soon as it joins.')), 1500);
    }
    const answer = api(url.pathname, url.searchParams);
    return answer ? send(200, answer) : problem(404, 'Not found', `There is nothing at ${url.pathname}.`);
  });
});
const followers = new Set();
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  let sequence = 0, told = 0;
  const say = (message) => { const text = JSON.stringify(message); socket.write(Buffer.concat([Buffer.from(text.length < 126 ? [0x81, text.length] : [0x81, 126, text.length >> 8, text.length & 255]), Buffer.from(text)])); };
  const tell = () => say({ topic: 'alarms', sequence: ++told, at: iso(Date.now()), data: { changes: 1 } });
  followers.add(tell);
  const timer = setInterval(() => {
    const joins = ++sequence % 4 === 0;
    say(joins ? { topic: 'joins', sequence: sequence / 4, at: iso(Date.now()), data: { meter: meters[9].number, concentrator: concentrators[0], joined: true, hops: 3 } } : { topic: 'readings', sequence, at: iso(Date.now()), data: { concentrator: concentrators[sequence % 2], rows: 24, entries: 4 } });
  }, 2500);
  socket.on('error', () => {}).on('close', () => { clearInterval(timer); followers.delete(tell); }).on('data', (data) => { if ((data[0] & 15) === 8) socket.end(); });
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/  demo / demo`));
