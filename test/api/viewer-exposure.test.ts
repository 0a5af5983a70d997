import { developmentPeople } from '../../src/development/issuer/development-people';
import { demoTickets } from '../../src/development/merchant/cast';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';

const explain = `query ($field: String!, $role: Role, $ticketId: ID) {
  explainAccess(field: $field, role: $role, ticketId: $ticketId) { field role assurance class verdict ceiling decidedBy line lift }
}`;

describe('who asks', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());

  it.each(developmentPeople.map(({ user, roles, teams }) => [user, roles, teams] as const))(
    'is told to %s as the token and the helpdesk have it',
    async (user, roles, teams) => {
      const answer = told(await test.as(user, '{ viewer { id roles teams mfa knownToHelpdesk expiresAt } }'));
      expect(answer).toEqual({
        data: {
          viewer: {
            id: expect.stringMatching(/^act_/),
            roles,
            teams,
            mfa: true,
            knownToHelpdesk: ['ana', 'ben', 'sam'].includes(user),
            expiresAt: '2026-09-01T09:15:00.000Z',
          },
        },
        errors: [],
      });
      expect(told(await test.as(user, '{ viewer { id } }')).data.viewer.id).toBe(answer.data.viewer.id);
    },
  );

  it('is told without a second factor too', async () => {
    const token = await test.token('ana', { mfa: false });
    expect(told(await test.as({ token }, '{ viewer { mfa } }'))).toEqual({ data: { viewer: { mfa: false } }, errors: [] });
  });
});

describe('the policy in force', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());

  it('has a verdict for every role and assurance of every field', async () => {
    const { data, errors } = told(await test.as('pia', '{ exposure { coordinate class verdicts { role assurance verdict } } }'));
    expect(errors).toEqual([]);
    expect(data.exposure.length).toBeGreaterThan(80);
    for (const { coordinate, verdicts } of data.exposure) expect([coordinate, verdicts.length]).toEqual([coordinate, 21]);
    const email = data.exposure.find(({ coordinate }: { coordinate: string }) => coordinate === 'Customer.email');
    expect(email.class).toBe('PERSONAL');
    expect(email.verdicts).toContainEqual({ role: 'AGENT', assurance: 'VERIFIED', verdict: 'mask:email' });
    expect(email.verdicts).toContainEqual({ role: 'PAYMENTS', assurance: 'VERIFIED', verdict: 'deny' });
  });

  it('is given of one type, and empty for one that isn’t there', async () => {
    const of = async (type: string) =>
      told(
        await test.as('pia', 'query ($type: String) { exposure(type: $type) { coordinate filterableBy sortableBy } }', { type }),
      ).data.exposure;
    expect(await of('Risk')).toEqual([
      { coordinate: 'Risk.band', filterableBy: ['AGENT', 'SUPERVISOR'], sortableBy: [] },
      { coordinate: 'Risk.score', filterableBy: ['SUPERVISOR'], sortableBy: [] },
      { coordinate: 'Risk.signals', filterableBy: [], sortableBy: [] },
    ]);
    expect(await of('Nothing')).toEqual([]);
  });

  it.each(['ana', 'ben', 'sam', 'pip'])('is nothing to %s', async (who) => {
    const { data, errors } = told(await test.as(who, '{ exposure { coordinate } }'));
    expect([data?.exposure ?? null, errors.map((each) => each.slice(1))]).toEqual([null, [['DENIED', 'ROLE']]]);
  });

  it('explains a field of a role with the line that decides', async () => {
    expect(told(await test.as('pia', explain, { field: 'Customer.email', role: 'AGENT' }))).toEqual({
      data: {
        explainAccess: {
          field: 'Customer.email',
          role: 'AGENT',
          assurance: 'VERIFIED',
          class: 'PERSONAL',
          verdict: 'mask:email',
          ceiling: expect.any(String),
          decidedBy: 'fields.Customer.email.AGENT',
          line: expect.any(Number),
          lift: expect.any(String),
        },
      },
      errors: [],
    });
  });

  it('explains no ticket to who works with none, and no field that isn’t there', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.matched.reference);
    const outside = await test.as('pia', explain, { field: 'Customer.email', ticketId });
    expect(told(outside).errors).toEqual([['explainAccess', 'NOT_FOUND']]);
    expect(await test.as('pia', explain, { field: 'Customer.email', ticketId: 'tkt_absent' })).toEqual(outside);
    for (const field of ['Customer.secret', 'email', '', '__proto__', 'constructor', 'Customer'])
      expect([field, told(await test.as('pia', explain, { field })).errors]).toEqual([
        field,
        [['explainAccess', 'INVALID', 'field']],
      ]);
  });
});
