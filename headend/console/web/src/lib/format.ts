const number = new Intl.NumberFormat('en-GB');
export const whole = (value: number | null | undefined) => (value === null || value === undefined ? '–' : number.format(value).replace(/,/g, '\u202f'));

export function percent(part: number, all: number): string {
  if (all <= 0) return '–';
  const value = (part / all) * 100;
  if (part < all && value > 99.9) return '99.9';
  return value === 100 ? '100' : value.toFixed(1);
}
const two = (value: number) => String(value).padStart(2, '0');
/// 2026-11-22 14:15:00, UTC (the console prints the zone once, in its head).
export function instant(text: string | null | undefined, seconds = true): string {
  if (!text) return '–';
  const at = new Date(text);
  return `${day(at)} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${seconds ? ':' + two(at.getUTCSeconds()) : ''}`;
}
export function clock(at: Date | string): string {
  const time = typeof at === 'string' ? new Date(at) : at;
  return `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`;
}
export const minute = (text: string) => clock(text).slice(0, 5);
export const day = (at: Date) => `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
export const dayOf = (ms: number) => day(new Date(ms));
export const addDays = (text: string, days: number) => dayOf(Date.parse(text + 'T00:00:00Z') + days * 86_400_000);
export const isDay = (text: string | null | undefined): text is string => !!text && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
export const weekday = (text: string) => ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'][new Date(text + 'T00:00:00Z').getUTCDay()]!;

export function age(text: string | null | undefined, now: number): string {
  if (!text) return 'never';
  const seconds = Math.max(0, Math.round((now - Date.parse(text)) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}
/// Milliseconds as seconds: "+243.1 s".
export const seconds = (ms: number | null, sign = true) => (ms === null ? '–' : `${sign && ms > 0 ? '+' : ''}${(ms / 1000).toFixed(1)} s`);
/// Seconds since; Infinity for never.
export const ageSeconds = (text: string | null | undefined, now: number) => (text ? (now - Date.parse(text)) / 1000 : Infinity);

export function energy(wh: number | null | undefined): string {
  if (wh === null || wh === undefined) return '–';
  const size = Math.abs(wh);
  if (size < 1000) return `${wh} Wh`;
  if (size < 1_000_000) return `${(wh / 1000).toFixed(size < 10_000 ? 2 : 1)} kWh`;
  return `${(wh / 1_000_000).toFixed(2)} MWh`;
}
/// 540000000017 -> 5400 0000 0017, easier to read and compare.
export const plate = (digits: string) => digits.replace(/(\d{4})(?=\d)/g, '$1\u2009');

const reasons: Record<string, string> = {
  not_joined: 'not in the mesh', outage: 'no power at the meter', no_answer: 'no answer', not_authentic: 'answer not authentic', refused: 'meter refused',
  malformed: 'answer malformed', no_key: 'no reading key', concentrator_offline: 'concentrator offline', pending: 'not due yet at the head-end',
  not_read: 'not read yet', no_route: 'no route to the meter', association_refused: 'association refused', wrong_key: 'wrong key', clock: 'wrong clock', meter_fault: 'meter fault', out_of_service: 'out of service', rejected: 'rejected by the store', unknown: 'reason not known', gap: 'journal overwritten', replicating: 'in the journal, on its way',
  concentrator_unknown: 'no concentrator assigned', waiting: 'waiting for the concentrator', journal_gap: 'journal overwritten',
};
export const reason = (word: string) => reasons[word] ?? word.replace(/_/g, ' ');
