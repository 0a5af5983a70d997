/** One process owns an embedded database; a second one is told which, and how to do what it wanted. */
export class DatabaseInUse extends Error {
  /** In words. */
  readonly owner: string;

  constructor(
    readonly file: string,
    /** 0 where the owner hasn't said yet. */
    readonly processId: number,
  ) {
    const owner = processId === 0 ? 'another process' : `process ${processId}`;
    super(`${file} is in use by ${owner}. Stop that gateway first, or send this through it (GraphQL, webhooks).`);
    this.name = 'DatabaseInUse';
    this.owner = owner;
  }
}
