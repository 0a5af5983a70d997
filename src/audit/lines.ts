/** Fills the buffer from its start, at least one byte of it; returns how many, 0 at the end. `fs.readSync` of a file, for one. */
export type ReadBytes = (into: Buffer) => number;

/** A line that is longer than any leaf would be; it isn't read, so that memory stays bounded. */
export class LineTooLong extends Error {}

const newline = 0x0a;
const firstBytes = 262_144;
const mostBytes = 67_108_864;

/** Reads lines of bytes one after the other, in constant memory. */
export class Lines {
  /** Number of the current line, from 1; 0 before the first. */
  number = 0;
  /** Whether the current line ends in a newline: only the last one may not. */
  isEnded = false;
  private buffer = Buffer.allocUnsafe(firstBytes);
  private at = 0;
  private filled = 0;
  private isRead = false;

  constructor(private readonly read: ReadBytes) {}

  /** The next line without its newline, valid until the next call; undefined at the end. `most`: bytes. Throws `LineTooLong`. */
  next(most = mostBytes): Buffer | undefined {
    let searched = this.at;
    for (;;) {
      const end = this.buffer.indexOf(newline, searched);
      // Behind what was read stands what was read before.
      const isFound = end >= 0 && end < this.filled;
      if ((isFound ? end : this.filled) - this.at > most) throw new LineTooLong();
      if (isFound) return this.take(end, true);
      if (this.isRead) return this.at < this.filled ? this.take(this.filled, false) : undefined;
      searched = this.fill();
    }
  }

  private take(end: number, isEnded: boolean): Buffer {
    const line = this.buffer.subarray(this.at, end);
    this.at = isEnded ? end + 1 : end;
    this.number += 1;
    this.isEnded = isEnded;
    return line;
  }

  /** Moves what is left to the front and reads on behind it. Returns where that begins. */
  private fill(): number {
    this.buffer.copy(this.buffer, 0, this.at, this.filled);
    this.filled -= this.at;
    this.at = 0;
    if (this.filled === this.buffer.length) {
      if (this.buffer.length >= mostBytes) throw new LineTooLong();
      const larger = Buffer.allocUnsafe(this.buffer.length * 2);
      this.buffer.copy(larger);
      this.buffer = larger;
    }
    const searched = this.filled;
    const count = this.read(this.buffer.subarray(this.filled));
    this.isRead = count === 0;
    this.filled += count;
    return searched;
  }
}
