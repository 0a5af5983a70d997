import { DemoMerchant, type DemoOptions } from './merchant';

/**
 * Where a reader of a demo source stands, and in which merchant: seed, size and anchor are part of every cursor, so that
 * a later start can go on with the data it already has instead of those of a new day.
 */
export interface DemoCursor extends DemoOptions {
  /** Changes up to this number have been seen. */
  readonly seen: number;
  /** The next ticket of an unfinished backfill. */
  readonly next?: number;
  /** When that backfill began, milliseconds since 1970. */
  readonly begunAt?: number;
}

const shape = /^demo1\/(-?\d{1,16})\/(\d{1,5})\/(\d{4}-\d\d-\d\d)\/(\d{1,16})(?:\/(\d{1,10})\/(\d{1,16}))?$/;

export const writeDemoCursor = (merchant: DemoMerchant, at: Pick<DemoCursor, 'seen' | 'next' | 'begunAt'>): string => {
  const position = at.next === undefined ? '' : `/${at.next}/${at.begunAt ?? 0}`;
  const blocks = Math.round(merchant.size * 50);
  return `demo1/${merchant.seed}/${blocks}/${merchant.anchor.toISOString().slice(0, 10)}/${at.seen}${position}`;
};

/** Null for a text that no demo source wrote. */
export const readDemoCursor = (cursor: string): DemoCursor | null => {
  const found = shape.exec(cursor);
  if (!found) return null;
  const [, seed, blocks, anchor, seen, next, begunAt] = found;
  const read: DemoCursor = {
    seed: Number(seed),
    size: Number(blocks) / 50,
    anchor: new Date(`${anchor}T00:00:00.000Z`),
    seen: Number(seen),
    ...(next === undefined ? {} : { next: Number(next), begunAt: Number(begunAt) }),
  };
  return Number.isNaN(read.anchor.getTime()) || read.size === 0 || !Number.isSafeInteger(read.seed) ? null : read;
};

/** The cursor's position in this very merchant; null when it is of another one or of none. */
export const positionIn = (merchant: DemoMerchant, cursor: string): DemoCursor | null => {
  const read = readDemoCursor(cursor);
  if (read === null) return null;
  const isSame =
    read.seed === merchant.seed &&
    Math.round(read.size * 50) === Math.round(merchant.size * 50) &&
    read.anchor.getTime() === merchant.anchor.getTime();
  return isSame ? read : null;
};
