/** Processor time of some work, in microseconds: whatever else the machine does meanwhile is no matter of the work's. */
const spentOn = (work: () => void): number => {
  const since = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(since);
  return user + system;
};

/** A microsecond or two thousand are the clock's and the garbage collector's. */
const leastTime = 1_500;
const rounds = 6;

/**
 * By how much the work for a text of `to` characters takes longer than for one of `from`, as an exponent: 1 where it grows with the
 * length, 2 with its square. The quickest of some rounds count, no more of them than it takes to be below `enough`: a machine in
 * distress makes a round slower, and never all of them, while work that grows by the square does so in each.
 */
export const growthOf = (work: (length: number) => void, from: number, to: number, enough = 1.4): number => {
  spentOn(() => work(from));
  let [short, long] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let exponent = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds && exponent > enough; round += 1) {
    short = Math.min(
      short,
      spentOn(() => work(from)),
      spentOn(() => work(from)),
    );
    long = Math.min(
      long,
      spentOn(() => work(to)),
    );
    exponent = Math.log(long / Math.max(short, leastTime)) / Math.log(to / from);
  }
  return exponent;
};
