/** Milliseconds without a move after which a process takes over from one that was faster: doing what another does is work for nothing. */
const takenOverAfter = 2_000;

/** What any process may do and one is enough for: whoever was slower leaves it to another, for as long as that moves on. */
export class LeftToAnother {
  /** Since when it is left, and how far it was then; null while it isn't. */
  private left: { readonly at: number; readonly position: number } | null = null;

  constructor(
    /** How far it is done, whoever did it. */
    private readonly position: () => Promise<number>,
    /** Monotonic milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  get isLeft(): boolean {
    return this.left !== null;
  }

  /** Another one was faster. */
  async leave(): Promise<void> {
    this.left = { at: this.now(), position: await this.position() };
  }

  /** It was left, and the other one goes on, or may yet. */
  async isStillLeft(): Promise<boolean> {
    const { left } = this;
    if (left === null) return false;
    const position = await this.position();
    if (position !== left.position) {
      this.left = { at: this.now(), position };
      return true;
    }
    if (this.now() - left.at < takenOverAfter) return true;
    this.left = null;
    return false;
  }
}
