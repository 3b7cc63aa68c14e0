/// Kinds of templates, in words.
export const parameterKinds: Record<string, string> = { tariff_calendar: 'Tariff calendar', special_days: 'Special days', limits: 'Limits of power', push: 'Pushes' };
/// How a template of each kind looks, to begin with.
export const parameterExamples: Record<string, unknown> = {
  tariff_calendar: { name: '2027', days: [{ id: 1, switches: [{ at: '00:00', rate: 2 }, { at: '06:00', rate: 1 }, { at: '22:00', rate: 2 }] }, { id: 2, switches: [{ at: '00:00', rate: 2 }] }], weeks: [{ name: 'W', days: [1, 1, 1, 1, 1, 2, 2] }], seasons: [{ name: 'S', from: '01-01', week: 'W' }] },
  special_days: { days: [{ date: '2027-01-26', day: 2 }, { date: '12-25', day: 2 }] },
  limits: { watts: 5000, over_s: 60 },
  push: { destination: '10.0.0.1:4059', retries: 3, delay_s: 60, spread_s: 300 },
};
