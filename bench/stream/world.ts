import type { Act, Campaign, Label, LabelledAct, LookAlike, StreamSettings, Variant } from './acts';
import { beginning, days } from './calendar';
import { foundOr } from './found';
import { Population } from './people';
import { Random } from './random';

/** Where everything happens: who is there, and what was done on each day that hasn't been told yet. */
export class World {
  readonly random: Random;
  readonly people: Population;
  readonly campaigns: Campaign[] = [];
  private readonly planned = new Map<number, LabelledAct[]>();
  private numbers = new Map<string, number>();
  readonly end: number;
  readonly scoredFrom: number;

  constructor(readonly settings: StreamSettings) {
    this.random = new Random(`stream ${settings.seed}`);
    this.scoredFrom = beginning + settings.warmUpDays * days;
    this.end = this.scoredFrom + settings.scoredDays * days;
    this.people = new Population(this.random.fork('people'), settings, (kind) => this.number(kind));
  }

  /** How many a day where so many are declared for 10,000 customers. */
  rate(aDay: number): number {
    return (aDay * this.settings.times * this.settings.customers) / 10_000;
  }

  number(kind: string): number {
    const next = (this.numbers.get(kind) ?? 0) + 1;
    this.numbers.set(kind, next);
    return next;
  }

  /** Names tell nothing of who made them, or in which order. */
  name(kind: string): string {
    return `${kind}_${scattered(this.number(kind))}`;
  }

  lookAlike(kind: string): LookAlike {
    return { is: 'look-alike', id: `${kind}-${this.number(`look-alike ${kind}`)}`, kind };
  }

  campaign(kind: string, variant: Variant): Campaign {
    const campaign: Campaign = { is: 'campaign', id: `${kind}-${this.number(`campaign ${kind}`)}`, kind, variant, successes: [] };
    this.campaigns.push(campaign);
    return campaign;
  }

  /** Puts an act where it happens: today or later, never into a day that was told already. */
  act(act: Act, label?: Label): void {
    if (act.at >= this.end) return;
    const day = Math.floor((act.at - beginning) / days);
    foundOr(this.planned, day, () => []).push({ ...act, label });
  }

  /** What happened on a day (counted from 0), by time. */
  takeDay(day: number): LabelledAct[] {
    const acts = this.planned.get(day) ?? [];
    this.planned.delete(day);
    return acts.sort((a, b) => a.at - b.at);
  }
}

/** A number as six letters, each number other ones (a multiplication modulo 26⁶ by what is prime to it). */
const scattered = (number: number): string => {
  let left = Number((BigInt(number) * 123_456_787n) % 308_915_776n);
  let text = '';
  for (let place = 0; place < 6; place += 1) {
    text += String.fromCharCode(97 + (left % 26));
    left = Math.floor(left / 26);
  }
  return text;
};
