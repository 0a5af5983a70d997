/**
 * Answers that leave in steps of so many milliseconds, so that how long the work took doesn't tell what was found: whether
 * there is something that the caller may not see, or nothing.
 */
export class AnswerSteps {
  constructor(private readonly step = 100) {}

  /** Waits for the end of the step that an answer falls into. `began` is by `performance.now()`. */
  readonly end = (began: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, this.untilEnd(performance.now() - began)));

  /** Milliseconds from an answer that took this long to the end of its step. */
  untilEnd(elapsed: number): number {
    return this.step - (elapsed % this.step);
  }
}
