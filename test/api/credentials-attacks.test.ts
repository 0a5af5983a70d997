import { demoTickets } from '../../src/upstream/demo/cast';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, type Case, flaws, transitionsAndEvents, Updates } from '../support/credentials';

const approvedReplacing = [
  'kinds: [REMOVE], methodIsDefault: true',
  'kinds: [REMOVE, REPLACE_CARD], methodIsDefault: true',
] as const;

let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50'], approvedReplacing) });
  updates = new Updates(test);
});
beforeEach(() => updates.forgetDenials());
afterAll(async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
  await test.stop();
});

const notesAbout = (id: string): string[] => test.helpdesk.notes.filter(({ text }) => text.includes(id)).map(({ text }) => text);

/** Customer and supervisor have agreed to what was asked. */
const agreed = async (of: Case) => {
  const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
  await updates.enterCard(await updates.confirm(token), 'abroad');
  return { id, token };
};

describe('whoever reads the ticket', () => {
  it('learns of the method no more than the policy shows them: notes name neither card nor digits', async () => {
    const matched = await updates.open(demoTickets.matched.reference, 2);
    const own = await updates.next({ subscribed: false });
    for (const each of [matched, own]) {
      const { id } = await agreed(each);
      expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
      await updates.drain();
      expect(await updates.state(id)).toBe('APPLIED');
      const notes = notesAbout(id);
      expect(notes).toHaveLength(2);
      for (const note of notes) {
        expect(note.replaceAll(id, '')).not.toMatch(/\d|•|visa|mastercard|american/i);
      }
    }
  });
});

describe('the log', () => {
  it('holds nothing of the new card in a leaf, its country neither: erasure must reach all of it', async () => {
    const of = await updates.next({ subscribed: false });
    const { id } = await agreed(of);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    const [entered] = (await test.events('credential.card-entered')).filter(
      ({ subject }) => (subject as { id: string }).id === id,
    );
    expect(entered?.detail).toEqual({
      kind: 'REPLACE_CARD',
      from: 'AWAITING_PROVIDER',
      to: 'AWAITING_APPROVAL',
      authenticated: false,
    });
  });
});
