import { useMemo } from 'react';
import { isolated } from './isolated';
import { type Language, useLanguage } from './language';

/** An amount as the graph has it. */
export interface Amount {
  readonly minorUnits: number;
  readonly currency: string;
}

/** `local` is the reader's own zone; auditors compare with logs, which are in UTC. */
export type Zone = 'local' | 'utc';

const decimal = (minorUnits: number, digits: number): Intl.StringNumericLiteral => {
  const sign = minorUnits < 0 ? '-' : '';
  const text = String(Math.abs(minorUnits)).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return (digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${text.slice(-digits)}`) as Intl.StringNumericLiteral;
};

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

const formatsIn = (language: Language) => {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'long' });
  const number = new Intl.NumberFormat(language);
  const regions = new Intl.DisplayNames(language, { type: 'region', fallback: 'code' });
  // As logs have it, without halves of a day.
  const zoneOf = (zone: Zone) => (zone === 'utc' ? ({ timeZone: 'UTC', hourCycle: 'h23' } as const) : {});
  // Making one takes as long as formatting a hundred times.
  const made = new Map<string, Intl.DateTimeFormat>();
  const dateTime = (zone: Zone, seconds: boolean): Intl.DateTimeFormat => {
    const key = `${zone} ${seconds}`;
    const known = made.get(key);
    if (known) return known;
    const format = new Intl.DateTimeFormat(language, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      ...(seconds ? { second: '2-digit' } : {}),
      timeZoneName: 'short',
      ...zoneOf(zone),
    });
    made.set(key, format);
    return format;
  };
  return {
    number: (value: number) => number.format(value),
    /** With as many digits as its currency has (ISO 4217). */
    money: ({ minorUnits, currency }: Amount) => {
      const format = new Intl.NumberFormat(language, { style: 'currency', currency });
      return format.format(decimal(minorUnits, format.resolvedOptions().maximumFractionDigits ?? 2));
    },
    /** Date, time and the name of the zone. */
    time: (iso: string, zone: Zone = 'local', seconds = false) => dateTime(zone, seconds).format(new Date(iso)),
    date: (iso: string, zone: Zone = 'local') =>
      new Intl.DateTimeFormat(language, { dateStyle: 'medium', ...(zone === 'utc' ? { timeZone: 'UTC' } : {}) }).format(
        new Date(iso),
      ),
    /** "in 20 minutes", "3 days ago": by the largest unit of which there is one. */
    relative: (iso: string, now: number) => {
      const seconds = (new Date(iso).getTime() - now) / 1_000;
      const [unit, of] = units.find(([, size]) => Math.abs(seconds) >= size) ?? (['minute', 60] as const);
      return relative.format(Math.trunc(seconds / of), unit);
    },
    country: (code: string) => (/^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? code) : isolated(code)),
  };
};

export type Formats = ReturnType<typeof formatsIn>;

export const useFormats = (): Formats => {
  const language = useLanguage();
  return useMemo(() => formatsIn(language), [language]);
};
