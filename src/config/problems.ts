/** One thing that is wrong with the configuration: where, and what was expected there. Never the value. */
export interface ConfigProblem {
  /** A file, or `environment`. */
  readonly in: string;
  /** A path within the file, or the variable's name. */
  readonly at: string;
  readonly line?: number;
  readonly expected: string;
}

/** Everything that is wrong, at once. */
export class ConfigInvalid extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      problems
        .map(({ in: where, at, line, expected }) => `${where}${line === undefined ? '' : `:${line}`}  ${at}: ${expected}`)
        .join('\n'),
    );
    this.name = 'ConfigInvalid';
  }
}
