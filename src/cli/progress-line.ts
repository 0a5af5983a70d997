import type { ProgressStream } from './progress';

/** With a comma at each thousand. */
const counted = (number: number): string => number.toLocaleString('en');
/** Milliseconds between two drawings. */
const redraw = 100;

/** How much of a known number is done: on a terminal a line that is drawn over, elsewhere a line at each quarter. */
export class ProgressLine {
  private done = 0;
  private quarter = 0;
  private drawnAt = 0;

  constructor(
    private readonly stream: ProgressStream,
    private readonly what: string,
    private readonly total: number,
  ) {}

  add(count: number): void {
    this.done += count;
    if (this.stream.isTTY) {
      if (performance.now() - this.drawnAt < redraw) return;
      this.drawnAt = performance.now();
      this.stream.write(`\r${this.text()}\u001b[K`);
      return;
    }
    const quarter = this.total === 0 ? 4 : Math.floor((this.done / this.total) * 4);
    if (quarter === this.quarter) return;
    this.quarter = quarter;
    this.stream.write(`${this.text()}\n`);
  }

  /** Ends the line that is being drawn over. */
  finish(): void {
    if (this.stream.isTTY) this.stream.write(`\r${this.text()}\u001b[K\n`);
  }

  private text(): string {
    return `  ${counted(this.done)} of ${counted(this.total)} ${this.what}`;
  }
}
