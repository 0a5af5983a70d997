import { LeftToAnother } from './left-to-another';

const opened = () => {
  const at = { now: 0, position: 5 };
  const left = new LeftToAnother(
    async () => at.position,
    () => at.now,
  );
  return { at, left };
};

describe('what is left to another one', () => {
  it('isn’t until that was faster', async () => {
    const { left } = opened();
    expect([left.isLeft, await left.isStillLeft()]).toEqual([false, false]);
  });

  it('stays so for as long as the other moves on, and is taken over where it hasn’t for two seconds', async () => {
    const { at, left } = opened();
    await left.leave();
    for (const [now, position, still] of [
      [1_999, 5, true],
      [2_500, 6, true],
      [4_499, 6, true],
      [4_500, 6, false],
      [4_501, 6, false],
    ] as const) {
      Object.assign(at, { now, position });
      expect([now, await left.isStillLeft()]).toEqual([now, still]);
      expect(left.isLeft).toBe(still);
    }
  });
});
