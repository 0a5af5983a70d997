import { Failure } from '../failure';
import { Admission } from './admission';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number): Promise<void> => {
  for (let time = 0; time < count; time += 1) await turn();
};

describe('admission', () => {
  test('of costly operations of one actor two go on at once, of others meanwhile', async () => {
    const admission = new Admission({ most: 20 });
    const began: string[] = [];
    const ends: (() => void)[] = [];
    const ask = (actor: string, cost: number) =>
      admission.operation(actor, cost, () => {
        began.push(actor);
        return new Promise<void>((end) => ends.push(end));
      });
    const asked = [...Array.from({ length: 6 }, () => ask('ana', 9_000)), ask('ben', 9_000), ask('ana', 10)];
    await turns(20);
    expect(began.filter((actor) => actor === 'ana')).toHaveLength(3);
    expect(began).toContain('ben');
    // Those that wait keep no place from others.
    expect(admission.waits.count).toBe(4);
    for (let time = 0; time < 30; time += 1) {
      for (const end of ends.splice(0)) end();
      await turn();
    }
    await Promise.all(asked);
    expect(admission.waits.count).toBe(0);
  });

  test('of one actor eight requests go on at once, those whose answers nobody has read yet included', async () => {
    const admission = new Admission({ most: 20 });
    const begun: string[] = [];
    const reads: (() => void)[] = [];
    const ask = (actorId: string) => {
      const left = new Promise<void>((resolve) => reads.push(resolve));
      return admission.request({ actorId, work: async () => begun.push(actorId), left });
    };
    const own = Array.from({ length: 10 }, () => ask('ana'));
    await turns(3);
    expect(begun).toHaveLength(8);
    await ask('ben');
    expect(begun).toHaveLength(9);
    reads[0]?.();
    await turns(3);
    expect(begun.filter((actor) => actor === 'ana')).toHaveLength(9);
    for (const read of reads) read();
    await Promise.all(own);
    expect(begun).toHaveLength(11);
  });

  test('of one service sixty-four requests go on at once, since what it asks for is for many', async () => {
    const admission = new Admission({ most: 200 });
    let read = () => {};
    const left = new Promise<void>((resolve) => {
      read = resolve;
    });
    const begun: number[] = [];
    const ask = (count: number) =>
      admission.request({ actorId: 'pip', isService: true, work: async () => begun.push(count), left });
    const all = Array.from({ length: 70 }, (_, count) => ask(count));
    await turns(3);
    expect(begun).toHaveLength(64);
    read();
    await Promise.all(all);
    expect(begun).toHaveLength(70);
  });

  test('whoever alone has more waiting than may is told so at once, and nobody else', async () => {
    const admission = new Admission({ most: 20 });
    const never = new Promise(() => {});
    const refused: unknown[] = [];
    for (let count = 0; count < 8 + 128 + 3; count += 1)
      admission.request({ actorId: 'ana', work: async () => {}, left: never }).catch((error: unknown) => refused.push(error));
    await turns(3);
    expect(
      refused.map((error) => error instanceof Failure && [error.code, error.details.rule, error.details.retryAfter]),
    ).toEqual(Array(3).fill(['RATE_LIMITED', 'request.actor', 5]));
    expect(await admission.request({ actorId: 'ben', work: async () => 'answered', left: never })).toBe('answered');
    expect(admission.state).toMatchObject({ ofThemselves: 3, sentAway: 0 });
  });

  test('a place at the door is free once there is an answer, read or not', async () => {
    const admission = new Admission({ most: 20 });
    const never = new Promise(() => {});
    const actors = Array.from({ length: 40 }, (_, at) => `actor ${at}`);
    await Promise.all(actors.map((actorId) => admission.request({ actorId, work: turn, left: never })));
    expect(admission.state).toMatchObject({ inside: 0, waiting: 0, entered: 40 });
  });
});
