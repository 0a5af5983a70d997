/** What is stored is not the log that was signed. Nothing more is signed until somebody has looked. */
export class LogBroken extends Error {
  constructor(
    /** What was found, in one word. */
    readonly finding:
      | 'ALTERED'
      | 'MISSING'
      | 'TRUNCATED'
      | 'REWRITTEN'
      | 'UNSIGNED'
      | 'DUPLICATED'
      | 'OTHER_ORIGIN'
      | 'UNPROVEN_ANCHOR'
      | 'UNMARKED'
      | 'UNPROVEN_MARK'
      | 'FORGED',
    message: string,
    /** What to do next. */
    readonly remedy = 'Keep this database as it is for whoever investigates; "counterfoil doctor" names every place that differs.',
  ) {
    super(message);
    this.name = 'LogBroken';
  }
}
