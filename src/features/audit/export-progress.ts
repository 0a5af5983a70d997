import { CitedPlans } from '../../audit/cited-plans';

/** Between two lines of an export. */
export interface ExportPlace {
  /** That stands behind it. */
  readonly leaf: number;
  /** Bytes before it. */
  readonly bytes: number;
}

/** Places of one export; at twice as many every second one is forgotten. */
const mostPlaces = 512;
const firstSpacing = 64;

/**
 * What is known of an export from having written it, or its beginning: enough to go on from near any byte of that. An export is the same bytes
 * whenever it is written, so that whoever writes it may add to this. Some 30 kB, and the digests of the plans that its leaves name.
 */
export class ExportProgress {
  /** Plans that the leaves before the last place name or state, and maybe some behind it. */
  readonly cited = new CitedPlans();
  /** Of the whole of it, in bytes; null until it was written to its end. */
  length: number | null = null;
  private places: ExportPlace[] = [];
  /** Leaves between two places. */
  private spacing = firstSpacing;

  /** Tells of a place, by each that goes by from one that was known or from the beginning. */
  pass(place: ExportPlace): void {
    const last = this.places.at(-1);
    if (place.leaf % this.spacing !== 0 || (last !== undefined && place.leaf <= last.leaf)) return;
    this.places.push(place);
    if (this.places.length < 2 * mostPlaces) return;
    this.spacing *= 2;
    this.places = this.places.filter(({ leaf }) => leaf % this.spacing === 0);
  }

  /** The last known place that isn't behind this byte; null where there is none but the beginning. */
  before(byte: number): ExportPlace | null {
    return this.places.findLast(({ bytes }) => bytes <= byte) ?? null;
  }
}
