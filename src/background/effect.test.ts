import {
  EffectElsewhere,
  type EffectState,
  effectKey,
  type Happening,
  isKeyOld,
  isPending,
  planned,
  type StoredEffect,
  tellEffect,
  wasSent,
} from './effect';

const hour = 3_600_000;
const lifetime = 23 * hour;
const at = new Date(1_800_000_000_000);
const later = (milliseconds: number) => new Date(at.getTime() + milliseconds);
const effectIn = (state: EffectState, rest: Partial<StoredEffect> = {}): StoredEffect => ({
  id: 'e',
  ...planned(),
  state,
  ...rest,
});

const states = ['PLANNED', 'INTENDED', 'LOST', 'DONE', 'REFUSED', 'DROPPED'] as const;
const told = {
  intended: { happened: 'intended' },
  'not-sent': { happened: 'not-sent', wasSent: false },
  done: { happened: 'done' },
  refused: { happened: 'refused', why: 'DECLINED' },
  lost: { happened: 'lost', keySpent: false },
  absent: { happened: 'absent' },
} as const satisfies Record<string, Happening<string>>;

/** What each state becomes by what is told, in their order; a dash where that can't be. */
const table: Readonly<Record<EffectState, string>> = {
  PLANNED: 'INTENDED - DONE - - PLANNED',
  INTENDED: '- PLANNED DONE REFUSED LOST -',
  LOST: '- - DONE - - PLANNED',
  DONE: '- - - - - -',
  REFUSED: '- - - - - -',
  DROPPED: '- - - - - -',
};

describe('an effect', () => {
  it.each(states)('that is %s goes where the table says, and nowhere else', (state) => {
    const becomes = Object.values(told).map((each) => {
      const effect = effectIn(state);
      const before = { ...effect };
      try {
        tellEffect(effect, each, at, lifetime);
        return effect.state;
      } catch (error) {
        expect(error).toBeInstanceOf(EffectElsewhere);
        expect(effect).toEqual(before);
        return '-';
      }
    });
    expect(becomes.join(' ')).toBe(table[state]);
  });

  it('is pending until it is done, refused or dropped', () => {
    expect(states.filter((state) => isPending({ state }))).toEqual(['PLANNED', 'INTENDED', 'LOST']);
  });

  it('keeps when its key was first sent, and the key, for each further try', () => {
    const effect = effectIn('PLANNED');
    expect([wasSent(effect), effectKey('cru_1/1', effect)]).toEqual([false, 'cru_1/1/1']);
    tellEffect(effect, told.intended, at, lifetime);
    tellEffect(effect, told.lost, later(1), lifetime);
    tellEffect(effect, told.absent, later(2), lifetime);
    tellEffect(effect, told.intended, later(3), lifetime);
    expect(effect).toMatchObject({ state: 'INTENDED', keyUsedAt: at, keyGeneration: 1 });
    expect([wasSent(effect), effectKey('cru_1/1', effect)]).toEqual([true, 'cru_1/1/1']);
  });

  it('wasn’t sent where the first call didn’t leave; one that left before did all the same', () => {
    const first = effectIn('INTENDED', { keyUsedAt: at });
    tellEffect(first, told['not-sent'], at, lifetime);
    expect(wasSent(first)).toBe(false);
    const again = effectIn('INTENDED', { keyUsedAt: at });
    tellEffect(again, { happened: 'not-sent', wasSent: true }, at, lifetime);
    expect(wasSent(again)).toBe(true);
  });

  it.each<[string, Partial<StoredEffect>, number, number]>([
    ['the same key while it is known there', { keyUsedAt: at }, lifetime, 1],
    ['another one where it may be forgotten', { keyUsedAt: at }, lifetime + 1, 2],
    ['another one where a fault would be repeated', { keyUsedAt: at, keySpent: true }, 1, 2],
  ])('that isn’t there is made with %s', (_, rest, after, generation) => {
    const effect = effectIn('LOST', rest);
    tellEffect(effect, told.absent, later(after), lifetime);
    expect(effect).toMatchObject({
      state: 'PLANNED',
      keyGeneration: generation,
      keyUsedAt: generation === 1 ? at : null,
      keySpent: false,
    });
    expect(wasSent(effect)).toBe(true);
  });

  it('has a key that grows old from when it was first sent', () => {
    const age = (keyUsedAt: Date | null) => isKeyOld({ keyUsedAt }, later(lifetime), lifetime);
    expect([age(null), age(at), age(new Date(at.getTime() - 1))]).toEqual([false, false, true]);
  });
});
