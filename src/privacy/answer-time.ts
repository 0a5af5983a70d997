/** Answers leave in steps of this many milliseconds. */
const step = 100;

/** Milliseconds from an answer that took this long to the end of its step. */
export const untilStepEnds = (elapsed: number): number => step - (elapsed % step);

/**
 * Waits for the end of the step that an answer falls into, so that how long the work took doesn't tell what was found: whether
 * there is something that the caller may not see, or nothing. `began` is by `performance.now()`.
 */
export const endOfStep = (began: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, untilStepEnds(performance.now() - began)));
