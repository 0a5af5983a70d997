import { Failure } from '../../failure';
import { expectTransition, type HoldState, holdStates, isTerminal, openStates, stateAt, transitions } from './hold.states';

/** To which states each goes, in the order of all; a dash where it doesn't. */
const table: Readonly<Record<HoldState, string>> = {
  PROPOSED: '- PLACING - - - REJECTED EXPIRED - -',
  PLACING: '- - ACTIVE RELEASING - - - - FAILED',
  ACTIVE: '- - - RELEASING - - - - -',
  RELEASING: '- - - - RELEASED - EXPIRED LAPSED FAILED',
  RELEASED: '- - - - - - - - -',
  REJECTED: '- - - - - - - - -',
  EXPIRED: '- - - - - - - - -',
  LAPSED: '- - - - - - - - -',
  FAILED: '- - - - - - - - -',
};

const mayBecome = (from: HoldState, to: HoldState): boolean => {
  try {
    expectTransition(from, to);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).code).toBe('CONFLICT');
    return false;
  }
};

describe('a hold', () => {
  it.each(holdStates)('that is %s goes where the table says, and nowhere else', (from) => {
    expect(holdStates.map((to) => (mayBecome(from, to) ? to : '-')).join(' ')).toBe(table[from]);
  });

  it('comes to an end from every state', () => {
    const ends = (state: HoldState): boolean => isTerminal(state) || transitions[state].some(ends);
    expect(holdStates.filter((state) => !ends(state))).toEqual([]);
    expect(holdStates.filter((state) => !isTerminal(state))).toEqual(openStates);
  });

  it('stands for nothing from its end on, whether that was written down or not', () => {
    const at = new Date(1_800_000_000_000);
    const past = holdStates.map((state) => stateAt({ state, expiresAt: at }, at)).join(' ');
    expect(past).toBe('EXPIRED RELEASING RELEASING RELEASING RELEASED REJECTED EXPIRED LAPSED FAILED');
    const before = new Date(at.getTime() - 1);
    expect(holdStates.map((state) => stateAt({ state, expiresAt: at }, before))).toEqual(holdStates);
  });
});
