import type { PrepaymentCalendar } from './types';

// Hours in which supply may be cut and holidays, as lines that a person edits.
/// As in "Mo 09:00-14:00".
const days = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'];
const linesOf = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean);
export const hoursText = (of: PrepaymentCalendar) => of.hours.map((h) => `${days[h.weekday - 1]} ${h.from}-${h.to}`).join('\n');
export const holidaysText = (of: PrepaymentCalendar) => of.holidays.map((h) => `${h.day} ${h.name}`).join('\n');
export const calendarOf = (hours: string, holidays: string): PrepaymentCalendar => ({
  hours: linesOf(hours).map((line) => { const [name = '', from = '', to = ''] = line.split(/[\s-]+/); return { weekday: days.indexOf(name) + 1, from, to }; }),
  holidays: linesOf(holidays).map((line) => ({ day: line.slice(0, 10), name: line.slice(11).trim() || 'holiday' })),
});
