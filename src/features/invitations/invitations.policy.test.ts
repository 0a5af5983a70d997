import { type Actor, customerActor, type Invitation, type InvitationPurpose, systemActor } from '../../authz/actor';
import { isInvitedTo } from './invitations.policy';

const another = 'ANOTHER' as InvitationPurpose;
const update: Invitation = { purpose: 'CREDENTIAL_UPDATE', subjectId: 'cru_1' };
const staff: Actor = {
  kind: 'staff',
  id: 'act_1',
  roles: ['AGENT', 'SUPERVISOR', 'ADMIN'],
  teams: [],
  mfa: true,
  authenticatedAt: null,
  expiresAt: new Date(0),
  staffIds: [],
  helpdesks: [],
};

describe('a customer', () => {
  it.each<[string, Actor, Invitation, boolean]>([
    ['answers what their link asks', customerActor(update), update, true],
    ['answers nothing of another link', customerActor({ ...update, subjectId: 'cru_2' }), update, false],
    [
      'answers nothing of another purpose, though it is about the same',
      customerActor({ ...update, purpose: another }),
      update,
      false,
    ],
    ['of an update answers nothing of another purpose', customerActor(update), { ...update, purpose: another }, false],
    [
      'of another purpose does nothing that is an update’s',
      customerActor({ ...update, purpose: another }),
      { ...update, purpose: another },
      false,
    ],
    ['is nobody who signed in', staff, update, false],
    ['is no job of the gateway', systemActor('worker'), update, false],
  ])('%s', (_, actor, asked, expected) => {
    expect(isInvitedTo('CREDENTIAL_UPDATE')(actor, asked)).toBe(expected);
  });

  it('has the id that the log names them by', () => {
    expect(customerActor(update).id).toBe('customer:cru_1');
  });
});
