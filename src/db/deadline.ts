import type { Duplex } from 'node:stream';

/** Milliseconds that something may take on a server, with all its tries and the wait for a connection. An embedded database has none. */
export interface DatabaseDeadlines {
  /** For a statement that reads. */
  readonly read: number;
  /** For a change, its commit included. */
  readonly change: number;
}

/** Of what goes on until it is told to stop. A person waits for a read; a change that is given up may have been committed, so it has longer. */
export const usualDeadlines: DatabaseDeadlines = { read: 5_000, change: 10_000 };

/** Of a command, which somebody watches. */
export const noDeadlines: DatabaseDeadlines = { read: Number.POSITIVE_INFINITY, change: Number.POSITIVE_INFINITY };

/** What a statement fails of that the server didn't answer in time: nobody knows whether it was carried out. */
export const noAnswer = (): Error => Object.assign(new Error('The database gave no answer in time.'), { code: 'NO_ANSWER' });

/** The work's outcome, or `NO_ANSWER` after so many milliseconds; what then still comes of it is of no interest. `giveUp` makes it end. */
export const within = <T>(milliseconds: number, work: Promise<T>, giveUp: () => void = () => {}): Promise<T> => {
  if (!Number.isFinite(milliseconds)) return work;
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => {
        giveUp();
        reject(noAnswer());
      },
      Math.max(0, milliseconds),
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
};

/** Ends a connection at once, without a word to a server that may not be listening: what waits on it fails, and the pool forgets it. */
export const sever = (connection: unknown): void => {
  (connection as { readonly stream?: Duplex } | undefined)?.stream?.destroy();
};
