import { plate } from './format';
import type { Alarm } from './types';

export const stateWords: Record<Alarm['state'], string> = {
  normal: 'over', unacked: 'not acknowledged', acked: 'acknowledged', returned: 'over, not acknowledged', latched: 'over, to be reset',
  shelved: 'shelved', suppressed: 'suppressed', out_of_service: 'out of service',
};
/// Where the object of an alarm has its page; nothing when it has none.
export function pageOf(kind: string, object: string): string | null {
  switch (kind) {
    case 'concentrator': return `/concentrators/${object}`;
    case 'meter': return `/meters/${object}`;
    case 'transformer': case 'feeder': return '/outages';
    case 'job': return `/jobs/${object}`;
    default: return null;
  }
}

/// What a list shows while it is read: rows that are on the screen stay where they are, new ones wait until they are asked for.
/// `whole`: `fresh` is all there is, so that what is not in it is over.
export function keepOrder(shown: Alarm[], fresh: Alarm[], whole: boolean): { rows: Alarm[]; waiting: number } {
  const now = new Map(fresh.map((alarm) => [alarm.id, alarm]));
  const rows = shown.map((alarm) => now.get(alarm.id) ?? (whole ? { ...alarm, state: 'normal' as const, active: false } : alarm));
  const known = new Set(shown.map((alarm) => alarm.id));
  return { rows, waiting: fresh.filter((alarm) => !known.has(alarm.id)).length };
}
export const objectText = (object: string) => (/^\d{12}$/.test(object) ? plate(object) : object);
