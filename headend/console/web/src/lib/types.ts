// What the API answers; the names are those of /api/openapi.yaml. Instants are ISO 8601 in UTC, energies whole Wh.

export interface Clock { now: string; speed: number }
export const roles = ['viewer', 'operator', 'engineer', 'auditor', 'administrator', 'vendor', 'supervisor'] as const;
export type Right = 'look' | 'read' | 'relay' | 'configure' | 'audit' | 'accounts' | 'vend' | 'vend_manage';
export interface Me { user: string; name: string; role: string; rights: Right[]; csrf: string; clock: Clock }
export interface Grant { role: (typeof roles)[number]; area: number | null }
export interface User { user: string; name: string; disabled: boolean; last_login: string | null; locked_until: string | null; grants: Grant[] }
export interface Token { id: number; name: string; look_only: boolean; created: string; expires: string; last_used: string | null; revoked: string | null }
export interface AuditRecord { id: number; number: number | null; at: string; actor: string; action: string; subject: string; detail: string; reason: string; before: string | null; after: string | null }
export interface AuditVerdict { whole: boolean; sealed: number; waiting: number; oldest_waiting: string | null; first_broken: number | null }
export interface Job { id: number; kind: 'read' | 'report' | 'relay' | 'limits' | 'clock' | 'parameters' | 'firmware' | 'firmware_activation'; title: string; state: 'queued' | 'running' | 'paused' | 'cancelled' | 'done' | 'proposed'; total: number; done: number; failed: number; working: number; requested_by: string; approved_by: string | null; reason: string; created: string; started: string | null; finished: string | null; deadline: string }
export interface RelayState { stopped: boolean; since: string | null; by: string | null; reason: string | null; second_person_above: number }
export interface JobItem { place: number; subject: string; state: 'waiting' | 'working' | 'done' | 'failed' | 'cancelled'; detail: string; attempts: number; finished: string | null }

export type LinkState = 'online' | 'offline' | 'never' | 'revoked';
export type MeshState = 'online' | 'unseen' | 'joining' | 'joined' | 'suspect' | 'offline' | 'parked' | 'dark' | 'deleted' | 'lost';
export interface ReasonCount { reason: string; intervals: number }

export interface Concentrator {
  number: string;
  name: string;
  state: LinkState;
  last_seen: string | null;
  meters: number;
  joined: number;
  hops_max: number;
  expected: number;
  received: number;
}
export interface Overview {
  now: string;
  day: string;
  concentrators: { known: number; online: number };
  meters: { known: number; joined: number };
  completeness: { expected: number; received: number; missing: ReasonCount[] };
  store: { rows: number; rows_duplicate: number; entries: number; entries_replayed: number };
  conflicts: number;
  rejected: number;
  quarantine: number;
  alarms: { high: number; medium: number; low: number; acked: number };
  outages: number;
  hops: { hops: number; meters: number }[];
  items: Concentrator[];
}
export interface Journal { id: string; acknowledged: number; updated: string | null }
export interface DesiredObject { object: string; desired: number; confirmed: number; confirmed_at: string | null }
/// One line of a link's trace; frames have size, octets (hexadecimal) and their tree.
export interface TraceRecord {
  at: string; kind: 'opened' | 'received' | 'sent' | 'closed'; link: string; summary: string;
  size?: number; octets?: string; lines?: { offset: number; depth: number; text: string }[];
}
export interface Trace { cursor: string; left_out: number; items: TraceRecord[] }
export interface ConcentratorDetail extends Concentrator {
  owner_epoch: number;
  certificate: { serial: string; issued: string; expires: string; revoked: boolean } | null;
  summary_meter: string | null;
  journals: Journal[];
  objects: DesiredObject[];
}
export interface UplinkWay {
  bearer: string; address: string; available: boolean;
  calls: number; sessions: number; failures: number; probes: number; probes_answered: number; last_failure: string;
}
export interface UplinkState {
  concentrator: string;
  live: boolean;
  current?: number;
  since?: string;
  moves?: number;
  returns?: number;
  ways?: UplinkWay[];
  cellular?: { state: string; operator: string; registration: string; signal_dbm: number | null; redials: number; restarts: number; resets: number };
}
export interface Node {
  number: string;
  role: MeterRole;
  state: MeshState;
  parent: string | null;
  hops: number;
  sub_address: number | null;
  rssi_dbm: number | null;
  etx_percent: number | null;
  last_heard: string | null;
  route: string[];
  alternative: string[];
}
export interface Topology { concentrator: string; source: 'live' | 'stored'; nodes: Node[] }
export interface BalanceInterval {
  at: string;
  supplied_wh: number | null;
  consumed_wh: number;
  meters_expected: number;
  meters_read: number;
  loss_wh: number | null;
  suspected_wh: number | null;
}
export const kindWords: Record<string, string> = { substation: 'Substation', feeder: 'Feeder', transformer: 'Transformer', usage_point: 'Usage point' };
export interface NetworkPlace { kind: string; number: string; name: string }
export interface Customer { number: string; name: string; address: string; phone: string }
export interface NetworkLine extends NetworkPlace { position: { latitude: number; longitude: number } | null; below: number; usage_points: number; meters: number; meter: string | null; concentrator: string | null; customer: string }
export interface NetworkDetail extends NetworkPlace {
  path: NetworkPlace[];
  concentrator: string | null;
  meters: { meter: string; from: string; to: string | null; start_wh: number | null; final_wh: number | null }[];
  customers: { customer: Customer; from: string; to: string | null }[];
  items: NetworkLine[];
}
export interface Losses { day: string; technical_loss_percent: number; items: (NetworkPlace & { supplied_wh: number | null; consumed_wh: number; meters: number; meters_complete: number; loss_wh: number | null })[] }
export interface AssetReport { dry_run: boolean; accepted: number; unchanged: number; refused: number; sha256: string; lines: { line: number; kind: string; number: string; outcome: 'accepted' | 'unchanged' | 'refused'; why: string }[] }
export interface Balance {
  transformer: string;
  name: string;
  concentrator: string | null;
  day: string;
  summary_meter: string | null;
  technical_loss_percent: number;
  intervals: BalanceInterval[];
  totals: { supplied_wh: number; consumed_wh: number; loss_wh: number; suspected_wh: number; complete: number };
}
export interface InTime { expected: number; received: number }
export interface CompletenessCounts {
  expected: number;
  received: number;
  first_try: number;
  meters: number;
  meters_complete: number;
  by_8h: InTime;
  by_24h: InTime;
  by_72h: InTime;
  missing: ReasonCount[];
}
export interface CompletenessCell extends CompletenessCounts { concentrator: string; day: string }
export interface CompletenessGroup extends CompletenessCounts { name: string }
export interface WorstMeter { meter: string; concentrator: string | null; model: string; days: number; intervals: number; missing: ReasonCount[] }
export interface CompletenessSummary { from: string; to: string; areas: CompletenessGroup[]; models: CompletenessGroup[]; worst: WorstMeter[]; repeated: WorstMeter[] }
export interface Completeness { from: string; to: string; items: CompletenessCell[] }
export interface MissingMeter { meter: string; role: MeterRole; expected: number; received: number; reason: string; first_missing: string | null; last_missing: string | null }
export interface CompletenessDay { concentrator: string; day: string; expected: number; received: number; meters: MissingMeter[] }

export interface MeshShape {
  concentrator: string;
  source: 'live' | 'stored';
  nodes: number;
  reached: number;
  hops: { hops: number; nodes: number }[];
  signal: { at_least_dbm: number; nodes: number }[];
  relays: { number: string; below: string[] }[];
  unreached: { number: string; state: string; last_reached: string | null; last_parent: string | null }[];
  repeater: { links: number; since: string; sites: { near: string; reached: boolean; gains: string[] }[] };
}

export type MeterRole = 'customer' | 'summary' | 'collector';
export interface MeterLine {
  number: string;
  role: MeterRole;
  concentrator: string | null;
  reached_over: string | null;
  road: 'mesh' | 'direct';
  state: MeshState;
  hops: number | null;
  rssi_dbm: number | null;
  sub_address: number | null;
  last_interval: string | null;
}
export interface MeterPage { items: MeterLine[]; next: string | null; total: number }
export interface Channel { channel: number; obis: string; name: string; unit: string; scaler: number }
export interface LatestValue { obis: string; name: string; value: number; unit: string; at: string; quality: string; source: string }
export interface Meter extends MeterLine {
  site: { since: string; path: NetworkPlace[]; customer: Customer | null } | null;
  system_title: string;
  model: string | null;
  parent: string | null;
  etx_percent: number | null;
  last_heard: string | null;
  route: string[];
  alternative: string[];
  channels: Channel[];
  latest: LatestValue[];
  today: { expected: number; received: number };
}
export interface Curve {
  meter: string;
  channel: number;
  obis: string;
  name: string;
  unit: string;
  period_s: number;
  from: string;
  to: string;
  at: number[];
  value: (number | null)[];
  quality: number[];
}
export interface MeterEvent { at: string; kind: string; text: string; concentrator: string | null; received: string | null }
export interface ReadAnswer {
  meter: string;
  obis: string;
  attribute: number;
  value: number | null;
  unit: string;
  text: string;
  milliseconds: number;
  route: string[];
  at: string;
}
export interface ClockBucket { from_s: number | null; to_s: number | null; meters: number }
export interface ClockRule { class: string; check_every_s: number; correct_from_s: number; correct_to_s: number; midnight_s: number; edge_s: number; offender_count: number; offender_days: number; automatic: boolean }
export interface ClockLine { meter: string; class: string; fault: string; measured: string | null; offset_ms: number | null; uncertainty_ms: number | null; drift_ppm: number | null; corrections: number; corrected: string | null }
export interface ClockCorrection { meter: string; at: string; before_ms: number; shift_s: number; after_ms: number | null; from: string; to: string; result: string; job: number; by: string }
export interface Clocks { meters: number; measured: number; buckets: ClockBucket[]; rules: ClockRule[]; offenders: ClockLine[]; corrections: ClockCorrection[] }
export interface ParameterTemplate { name: string; kind: string; content: unknown; version: number; changed: string; changed_by: string; meters: number; same: number; differs: number }
export interface ParameterMember { name: string; desired: string; actual: string; same: boolean }
export interface ParameterLine { meter: string; kind: string; template: string; version: number; compared: number | null; state: string; trouble: string; members: ParameterMember[]; desired: string; desired_by: string; checked: string | null; written: string | null }
export interface Parameters { kinds: { kind: string; same: number; differs: number; unknown: number }[]; templates: ParameterTemplate[] }
export interface ValidationFinding { meter: string; day: string; first: string; last: string; rule: string; verdict: 'warn' | 'fail'; quality: string; value: number; believed: number }
export interface QuarantineItem { kind: 'device' | 'entry' | 'conflict'; at: string; concentrator: string | null; meter: string | null; reason: string; detail: string }
export interface Outage {
  concentrator: string;
  at: string;
  received: string;
  members: number;
  reported: number;
  inferred: number;
  ended: string | null;
  back: number | null;
  missing: number | null;
}
interface ByPriority { high: number; medium: number; low: number }
export interface AlarmCounts { unacked: ByPriority; acked: ByPriority; returned: ByPriority; latched: number; shelved: number; suppressed: number; out_of_service: number }
export interface Alarm {
  id: number;
  rule: string;
  title: string;
  guidance: string;
  priority: 'high' | 'medium' | 'low';
  state: 'normal' | 'unacked' | 'acked' | 'returned' | 'latched' | 'shelved' | 'suppressed' | 'out_of_service';
  active: boolean;
  kind: string;
  object: string;
  text: string;
  members: number;
  hides: number;
  count: number;
  raised: string;
  last: string;
  returned: string | null;
  first_up: boolean;
  chattering: boolean;
  suppressed_by: string | null;
  shelved_until: string | null;
  aside: { by: string; reason: string } | null;
  acked_by: string | null;
  acked_at: string | null;
  assigned_to: string | null;
}
export interface AlarmNote { at: string; what: string; who: string; text: string }
export interface AlarmConduct {
  last_10_min: number;
  last_day: number;
  worst_10_min: number;
  floods: number;
  standing: number;
  stale: number;
  chattering: number;
  raised_in_7_days: ByPriority;
  top: { rule: string; kind: string; object: string; raised: number }[];
}
export interface ReliabilityIndices { days: number; customers: number; saidi_min: number; saifi: number; caidi_min: number; customer_minutes: number; interrupted: number; momentary: number }
export interface TransformerOutage { transformer: string; name: string; feeder: string; from: string; to: string | null; whole: boolean; customers: number; reported: number; inferred: number }
export interface Figure { name: string; help: string; counter: boolean; samples: { labels: Record<string, string>; value: number }[] }
export interface PlaceAt {
  meter: string;
  at: string;
  state: 'joined' | 'lost' | 'dark' | 'dark_inferred' | 'deleted';
  since: string;
  until: string | null;
  concentrator: string | null;
  hops: number | null;
  sub_address: number | null;
  rssi_dbm: number | null;
  parent: string | null;
  route_since: string | null;
  route: string[] | null;
}
export interface Problem { title: string; status: number; detail?: string; reason?: string }

export interface LiveMessage { topic: 'readings' | 'sessions' | 'joins' | 'outages' | 'overview' | 'alarms'; sequence: number; at: string; data: Record<string, unknown> }
export interface PartnerWebhook {
  name: string;
  url: string;
  batch: number;
  topics: string[];
  disabled_why: string;
  behind: number;
  attempts: number;
  failing_since: string | null;
  last_error: string;
  dead: number;
}
export interface PartnerFile { name: string; lines: number; total: string; written: string; acknowledged: string | null; refused: number; refusals: string[] }
export interface Partner {
  name: string;
  disabled: boolean;
  topics: string[];
  webhooks: PartnerWebhook[];
  files: { name: string; directory: string; zone: string; disabled: boolean; newest: PartnerFile[] }[];
}
export interface PartnerMessage { position: number; dead: boolean; attempts: number; status: number; at: string; event: unknown }

/// Something found by a part of its number, name or address.
export interface Found {
  kind: 'meter' | 'concentrator' | 'customer' | 'substation' | 'feeder' | 'transformer' | 'usage_point';
  number: string;
  name: string;
  where: string;
  meter: string | null;
}
export interface FoundList {
  rows: number;
  found: { row: number; number: string; customer: string; address: string }[];
  problems: { row: number; text: string; problem: string }[];
}

export interface PrepaymentHours { weekday: number; from: string; to: string }
export interface PrepaymentCalendar { hours: PrepaymentHours[]; holidays: { day: string; name: string }[] }
export interface PrepaymentArea extends PrepaymentCalendar { area: string }
export interface PrepaymentRules extends PrepaymentCalendar {
  first_notice_below: number; second_notice_below: number; cut_below: number; reconnect_from: number;
  second_notice_after_s: number; cut_after_s: number; late_s: number; charge_every_s: number;
}
export interface PrepaymentLine {
  account: string; customer: string; meter_number: string; meter: string; enrolled: boolean; balance: number;
  supply: 'on' | 'cutting' | 'off' | 'reconnecting'; why: string; supply_since: string | null; charged_to: string | null;
  first_notice: string | null; second_notice: string | null; held: string | null; disputed: string | null; job: number | null;
}
export interface PrepaymentBoard { rules: PrepaymentRules; areas: PrepaymentArea[]; accounts: PrepaymentLine[] }
export interface PrepaymentAccount {
  account: PrepaymentLine;
  enrolments: { meter: string; from: string; to: string | null; by: string; why: string; left_by: string; left_why: string }[];
  notices: { number: number; at: string; balance: number; words: string; channel: string; over: string | null }[];
  days: { day: string; tariff: string; wh: number; intervals: number; doubtful: number; changes: number; amount: number }[];
}
export interface FirmwareImage { id: number; model: string; version: string; size: number; sha256: string; vendor: string; uploaded: string; uploaded_by: string; reason: string }
export interface FirmwareStock { images: FirmwareImage[]; vendors: { name: string; public_key: string; added: string; added_by: string }[] }
export interface FirmwareMeter { meter: string; concentrator: string | null; state: string; blocks: number; missing: number; trouble: string; told: string | null; running: string; running_read: string | null }
export interface FirmwareOrder { job: Job; image: FirmwareImage; states: Record<string, number>; concentrators: { concentrator: string; state: string; blocks_done: number; blocks: number; reason: string }[]; meters: FirmwareMeter[] }
