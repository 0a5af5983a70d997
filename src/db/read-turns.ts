import { performance } from 'node:perf_hooks';

/** Milliseconds of one turn of the event loop within which reads begin. */
const slice = 20;

/**
 * An embedded database is read while nobody else is heard. Reads that follow each other begin within one slice of a turn of the event
 * loop; those that come later wait for another turn, and whoever else waits is heard before.
 */
export class ReadTurns {
  private began: number | null = null;

  async run<T>(read: () => Promise<T>): Promise<T> {
    while (this.began !== null && performance.now() - this.began > slice) await new Promise((next) => setImmediate(next));
    if (this.began === null) {
      this.began = performance.now();
      setImmediate(() => {
        this.began = null;
      });
    }
    return read();
  }
}
