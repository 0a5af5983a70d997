import {
  again,
  dead,
  type InvitationAnswer,
  type InvitationDesk,
  type InvitationInput,
  type InvitationView,
} from './invitation.view';
import { Invitations } from './invitations.service';

const viewOf = (kind: string): InvitationView => ({
  kind,
  merchant: 'Demo Shop',
  expiresAt: new Date(0),
  code: null,
  shown: kind,
});
type Answer = InvitationAnswer<InvitationView, string>;

/** What one purpose asks: a token of its own each, which one answer uses up. */
class Desk implements InvitationDesk<InvitationView, string, InvitationInput> {
  readonly answered: string[] = [];

  constructor(
    private readonly kind: string,
    private readonly tokens: Set<string>,
  ) {}

  async view(token: string) {
    return this.tokens.has(token) ? viewOf(this.kind) : null;
  }
  sendCode(token: string) {
    return this.answer(token, 'code', again(viewOf(this.kind), []));
  }
  confirm(token: string, { shown, code }: InvitationInput) {
    const isCode = code === '123456';
    const answer: Answer = isCode
      ? { outcome: 'confirmed', view: viewOf(this.kind), waitsForApproval: false }
      : again(viewOf(this.kind), [['code', 'This is not the code.']]);
    return this.answer(token, `yes to ${shown}`, answer, isCode);
  }
  refuse(token: string, shown: string) {
    return this.answer(token, `no to ${shown}`, { outcome: 'refused', view: viewOf(this.kind) }, true);
  }

  private async answer(token: string, what: string, answer: Answer, isLast = false): Promise<Answer> {
    if (!this.tokens.has(token)) return dead;
    if (isLast) this.tokens.delete(token);
    this.answered.push(`${token}: ${what}`);
    return answer;
  }
}

describe('a link', () => {
  const both = () => {
    const updates = new Desk('update', new Set(['u1', 'u2']));
    const others = new Desk('other', new Set(['o1', 'o2']));
    return { updates, others, invitations: new Invitations([updates, others]) };
  };
  const right = { shown: 'page', code: '123456' };

  it('shows what its purpose asks, and nothing where it can’t be used', async () => {
    const { invitations } = both();
    const kinds = await Promise.all(['u1', 'o2', 'x'].map(async (token) => (await invitations.view(token))?.kind ?? null));
    expect(kinds).toEqual(['update', 'other', null]);
  });

  it('is answered at its purpose’s desk alone, once', async () => {
    const { invitations, updates, others } = both();
    expect(await invitations.sendCode('o1')).toEqual(again(viewOf('other'), []));
    expect(await invitations.confirm('o1', { ...right, code: '1' })).toMatchObject({ outcome: 'again', view: { kind: 'other' } });
    expect(await invitations.confirm('o1', right)).toMatchObject({ outcome: 'confirmed', view: { kind: 'other' } });
    expect(await invitations.confirm('o1', right)).toBe(dead);
    expect(await invitations.refuse('u2', 'page')).toMatchObject({ outcome: 'refused', view: { kind: 'update' } });
    expect(await invitations.refuse('u2', 'page')).toBe(dead);
    expect([updates.answered, others.answered]).toEqual([['u2: no to page'], ['o1: code', 'o1: yes to page', 'o1: yes to page']]);
  });

  it('that nobody sent is dead, whatever is asked of it', async () => {
    const { invitations, updates, others } = both();
    expect(await Promise.all([invitations.sendCode('x'), invitations.confirm('x', right), invitations.refuse('x', '')])).toEqual([
      dead,
      dead,
      dead,
    ]);
    expect([...updates.answered, ...others.answered]).toEqual([]);
  });
});
