import type { SyncProgress } from '../features/sources/polling';

const words: Readonly<Record<SyncProgress['phase'], string>> = {
  tickets: 'tickets',
  payments: 'customers linked to their payments',
  changes: 'changes',
};
const width = 28;
/** With a comma at each thousand. */
const counted = (number: number): string => number.toLocaleString('en');

/** Where progress goes: a stream that may be a terminal. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Shows how far a sync is. On a terminal one line a phase that is drawn over; elsewhere (a log, a pipe) a line at each
 * quarter, so that nothing fills up and nothing looks stuck.
 */
export class ProgressReport {
  private phase = '';
  private open = false;
  private quarter = 0;
  private changes = 0;

  constructor(private readonly stream: ProgressStream) {}

  readonly show = (progress: SyncProgress): void => {
    const phase = `${progress.source} ${progress.phase}`;
    if (phase !== this.phase) {
      this.finish();
      this.phase = phase;
      this.quarter = 0;
      this.changes = 0;
    }
    // Batches of changes are counted one by one; the other phases count up.
    this.changes += progress.done;
    const done = progress.phase === 'changes' ? this.changes : progress.done;
    if (progress.phase === 'changes' && done === 0) return;
    const total = progress.total;
    const reached = total === null ? counted(done) : `${counted(Math.min(done, total))} of ${counted(total)}`;
    const label = `  ${progress.source}: ${reached} ${words[progress.phase]}`;
    const share = total === null || total === 0 ? null : Math.min(1, done / total);
    if (this.stream.isTTY) {
      const filled = share === null ? 0 : Math.round(share * width);
      const bar = share === null ? '' : `  [${'█'.repeat(filled)}${'·'.repeat(width - filled)}] ${Math.floor(share * 100)} %`;
      // CSI K clears what a longer line left behind.
      this.stream.write(`\r${label}${bar}\u001b[K`);
      this.open = true;
      return;
    }
    const quarter = share === null ? this.quarter : Math.floor(share * 4);
    if (quarter > this.quarter) {
      this.quarter = quarter;
      this.stream.write(`${label}\n`);
    }
  };

  /** Ends the line that is being drawn over. */
  finish(): void {
    if (this.open) this.stream.write('\n');
    this.open = false;
  }
}
