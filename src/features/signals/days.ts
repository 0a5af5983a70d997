import type { Values } from '../../db/table';
import type { DaySummary } from '../../risk/history';
import type { RiskSignalDay } from './signal.entity';

const chosen = (choose: (...of: number[]) => number, one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : choose(one, other);

/** By what days are one. A digest, an id, a type, a country and a currency have no blank, and a null is none of them. */
const nameOf = ({ subject, value, type, day, country, device, currency }: DaySummary): string =>
  `${subject} ${type} ${day} ${country ?? ''} ${device ?? ''} ${currency ?? ''} ${value}`;

/** Days of which no two are the same: those that agree in all but what is counted are one. */
export const summed = (days: readonly DaySummary[]): readonly DaySummary[] => {
  const all = new Map<string, DaySummary>();
  for (const day of days) {
    const { count, mostMinorUnits, customerSince } = day;
    const name = nameOf(day);
    const known = all.get(name);
    if (!known) {
      all.set(name, day);
      continue;
    }
    const since = chosen(Math.min, known.customerSince?.getTime() ?? null, customerSince?.getTime() ?? null);
    all.set(name, {
      ...day,
      count: known.count + count,
      mostMinorUnits: chosen(Math.max, known.mostMinorUnits, mostMinorUnits),
      customerSince: since === null ? null : new Date(since),
    });
  }
  return [...all.values()];
};

/** What is stored of a day: of its key nothing is null. */
export const dayRow = (of: DaySummary): Values<RiskSignalDay> => ({
  subject: of.subject,
  value: of.value,
  type: of.type,
  day: of.day,
  country: of.country ?? '',
  device: of.device ?? '',
  currency: of.currency ?? '',
  count: of.count,
  mostMinorUnits: of.mostMinorUnits,
  customerSince: of.customerSince,
});

export const dayOfRow = (row: Values<RiskSignalDay>): DaySummary => ({
  subject: row.subject as DaySummary['subject'],
  value: row.value,
  type: row.type as DaySummary['type'],
  day: row.day,
  country: row.country || null,
  device: row.device || null,
  currency: row.currency || null,
  count: row.count,
  mostMinorUnits: row.mostMinorUnits,
  customerSince: row.customerSince,
});
