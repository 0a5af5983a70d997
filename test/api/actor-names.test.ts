import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { countOf, eventsOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { shownIn } from '../support/disclosed';
import { OtherIssuer, type Person } from '../support/other-issuer';

const look = 'query Look($ids: [ID!]!) { auditActors(ids: $ids) { id name state firstSeenAt namedAt } }';
const erase = 'mutation Erase($id: ID!) { eraseActorName(id: $id) { id name state proposedBy erasedBy } }';
const day = 86_400_000;

describe('what staff are called', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  beforeEach(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  });
  afterEach(() => test.stop());

  const agent: Person = { roles: ['AGENT'], teams: ['cards'] };
  const privacy: Person = { roles: ['PRIVACY'], teams: [] };
  const tokenOf = (user: string, person: Person) => issuer.token(user, person, test.clock.now());
  /** The id of somebody, who asks for it. */
  const idOf = async (who: string | { readonly token: string }) =>
    (await test.as(who, '{ viewer { id } }')).data.viewer.id as string;
  const seen = async (user: string, claims: Person['claims'], person: Person = agent) =>
    idOf({ token: await tokenOf(user, { ...person, ...(claims ? { claims } : {}) }) });
  const names = async (ids: readonly string[], who: Parameters<TestApp['as']>[0] = 'ada') => {
    const { data, errors } = told(await test.as(who, look, { ids }));
    return data ? data.auditActors.map(({ name, state }: Record<string, unknown>) => [name, state]) : errors;
  };
  const erased = async (id: string, who: Parameters<TestApp['as']>[0] = 'pru') => {
    const { data, errors } = told(await test.as(who, erase, { id }));
    return errors.length > 0 ? errors : data.eraseActorName;
  };
  const otherOfficer = async (changes: Partial<Person> = {}) => ({ token: await tokenOf('paul', { ...privacy, ...changes }) });

  it('is looked up by their ids in the log, by auditors and privacy officers, and each look-up is an event', async () => {
    const [greta, ana, pip] = [await seen('greta', { name: 'Greta Zqgreta' }), await idOf('ana'), await idOf('pip')];
    for (const who of ['ada', 'pru']) {
      const events = await eventsOf(test, async () => {
        const { data, errors } = told(await test.as(who, look, { ids: [pip, greta, 'act_absent', 'system:sync', greta, ana] }));
        expect(errors).toEqual([]);
        expect(data.auditActors).toEqual([
          { id: pip, name: null, state: 'UNKNOWN', firstSeenAt: expect.any(String), namedAt: null },
          { id: greta, name: 'Greta Zqgreta', state: 'KNOWN', firstSeenAt: expect.any(String), namedAt: expect.any(String) },
          // Her tokens name her by nothing but her login.
          { id: ana, name: 'ana', state: 'KNOWN', firstSeenAt: expect.any(String), namedAt: expect.any(String) },
        ]);
      });
      const shown = events.filter(({ action }) => action === 'disclosure');
      expect(shown).toHaveLength(1);
      expect(shown[0]).toMatchObject({ detail: { objects: { Actor: [pip, greta, ana].sort() } } });
      expect(await shownIn(test, shown[0])).toContainEqual(['NamedActor.name', 'reveal', 3]);
    }
  });

  it('is on record as looked up also where nothing of it was selected', async () => {
    const greta = await seen('greta', { name: 'Greta' });
    const events = await eventsOf(test, () =>
      test.as('ada', 'query ($ids: [ID!]!) { auditActors(ids: $ids) { id } }', { ids: [greta] }),
    );
    const shown = events.find(({ action }) => action === 'disclosure');
    expect(await shownIn(test, shown)).toEqual([['Query.auditActors', 'reveal', 1]]);
    expect(shown).toMatchObject({ detail: { objects: { Actor: [greta] } } });
  });

  it('is told to nobody else, and not without a second factor', async () => {
    const greta = await seen('greta', { name: 'Greta' });
    for (const who of ['ana', 'sam', 'pia', 'oz'])
      expect(told(await test.as(who, look, { ids: [greta] }))).toEqual({
        data: null,
        errors: [['auditActors', 'DENIED', 'ROLE']],
      });
    for (const user of ['ada', 'pru']) {
      const token = await test.token(user, { mfa: false });
      expect(told(await test.as({ token }, look, { ids: [greta] }))).toEqual({
        data: null,
        errors: expect.arrayContaining([['auditActors', 'DENIED', 'MFA_REQUIRED']]),
      });
    }
  });

  it('is looked up for fifty at once', async () => {
    const ids = Array.from({ length: 51 }, (_, number) => `act_${number}`);
    expect(await names(ids.slice(1))).toEqual([]);
    expect(await names(ids)).toEqual([['auditActors', 'INVALID', 'ids']]);
  });

  it('stays what it was at first sight', async () => {
    const greta = await seen('greta', { name: 'Greta One' });
    test.clock.forward(60_000);
    expect(await seen('greta', { name: 'Greta Two' })).toBe(greta);
    expect(await names([greta])).toEqual([['Greta One', 'KNOWN']]);
  });

  it('is taken once a token says it of somebody who was known before, with an event that doesn’t say it', async () => {
    const nameless = { preferred_username: undefined };
    const greta = await seen('greta', nameless);
    expect(await names([greta])).toEqual([[null, 'UNKNOWN']]);
    const events = await eventsOf(test, () => seen('greta', { ...nameless, name: 'Greta Zqgreta' }));
    expect(events).toMatchObject([{ action: 'actor.name', subject: { type: 'Actor', id: greta }, detail: {} }]);
    await Promise.all([
      seen('greta', { name: 'Greta Zqgreta' }),
      seen('greta', { name: 'Greta Zqother', preferred_username: 'g' }),
    ]);
    expect(await names([greta])).toEqual([['Greta Zqgreta', 'KNOWN']]);
    expect(await countOf(test, 'actor_name', 'actor_id = ?', greta)).toBe(1);
  });

  it('stands nowhere in clear: not in the database, not in the log, not in a line of ours', async () => {
    const greta = await seen('greta', { name: 'Greta Zqgreta' });
    expect(await names([greta])).toEqual([['Greta Zqgreta', 'KNOWN']]);
    for (const table of ['actor', 'actor_name', 'audit_event', 'audit_note']) {
      const rows = await test.app.database.query(`SELECT * FROM ${table}`);
      const bytes = rows.flatMap((row) =>
        Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value))),
      );
      expect(bytes.join('\n')).not.toContain('Zqgreta');
    }
    expect(test.logLines.join('\n')).not.toContain('Zqgreta');
  });

  it.each([
    ['with marks that turn text around', 'A\u202Etergl\u2066x', 'A tergl x'],
    ['over several lines', ' Greta\n\tLind ', 'Greta Lind'],
    ['longer than a name is', 'x'.repeat(201), 'greta'],
    ['that is no text', { first: 'Greta' }, 'greta'],
    ['of blanks', ' \n ', 'greta'],
    ['of nothing that is seen', '\u200B\u2060\u3164\uFE0F', 'greta'],
    ['with what has no width', 'G\u200Br\u2060e\uFEFFt\u00ADa\u{E0041} L\u200Di\u200Cnd\uD800', 'Greta Lind'],
    ['that is spelled with joiners', 'مهدی‌زاده', 'مهدی‌زاده'],
    ['that is spelled with joiners elsewhere', 'ක්‍රිෂාන්', 'ක්‍රිෂාන්'],
    ['in another script', 'غادة', 'غادة'],
  ])('and a claim %s is read as what can be seen of it', async (_, name, expected) => {
    expect(await names([await seen('greta', { name })])).toEqual([[expected, 'KNOWN']]);
  });

  it('is erased by two privacy officers, and by nobody else', async () => {
    const greta = await seen('greta', { name: 'Greta' });
    test.clock.forward(366 * day);
    for (const who of ['ada', 'oz', 'sam', 'ana']) expect(await erased(greta, who)).toEqual([['', 'DENIED', 'ROLE']]);
    const weak = { token: await test.token('pru', { mfa: false }) };
    expect(await erased(greta, weak)).toEqual([['eraseActorName', 'DENIED', 'MFA_REQUIRED']]);
    const late = { token: await test.token('pru', { authenticatedAt: new Date(test.clock.now().getTime() - 16 * 60_000) }) };
    expect(await erased(greta, late)).toEqual([['eraseActorName', 'DENIED', 'RECENT_LOGIN_REQUIRED']]);

    const pru = await idOf('pru');
    const proposed = await eventsOf(test, async () =>
      expect(await erased(greta)).toEqual({ id: greta, name: 'Greta', state: 'PROPOSED', proposedBy: pru, erasedBy: null }),
    );
    expect(proposed.map(({ action }) => action)).toContain('actor.name-propose');
    const again = await eventsOf(test, async () =>
      expect(await erased(greta)).toEqual([['eraseActorName', 'DENIED', 'OWN_REQUEST']]),
    );
    expect(again.map(({ action }) => action)).toEqual(['denial']);
    // The same person under another subject.
    const twin = { token: await tokenOf('pru', { ...privacy, subject: 'pru-again' }) };
    expect(await erased(greta, twin)).toEqual([['eraseActorName', 'DENIED', 'OWN_REQUEST']]);
    // Somebody of whom nothing but a subject is known may be anybody.
    const nobody = { token: await tokenOf('nobody', { ...privacy, claims: { preferred_username: undefined } }) };
    expect(await erased(greta, nobody)).toEqual([['eraseActorName', 'DENIED', 'OWN_REQUEST']]);
    expect(await names([greta])).toEqual([['Greta', 'PROPOSED']]);

    const other = await otherOfficer();
    const done = await eventsOf(test, async () =>
      expect(await erased(greta, other)).toMatchObject({
        name: null,
        state: 'ERASED',
        proposedBy: pru,
        erasedBy: await idOf(other),
      }),
    );
    expect(done.filter(({ action }) => action === 'actor.name-erase')).toMatchObject([{ subject: { type: 'Actor', id: greta } }]);
    expect(await names([greta])).toEqual([[null, 'ERASED']]);
    const [key] = await test.app.database.query<{ wrapped: unknown; destroyed_at: unknown }>(
      'SELECT wrapped, destroyed_at FROM privacy_customer_key WHERE owner = ?',
      [greta.replace('act_', 'nam_')],
    );
    expect(key).toMatchObject({ wrapped: null, destroyed_at: expect.anything() });
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('stays erased, whoever asks again and whatever a token says', async () => {
    const greta = await seen('greta', { name: 'Greta' });
    test.clock.forward(366 * day);
    await erased(greta);
    await erased(greta, await otherOfficer());
    test.clock.forward(60_000);
    expect(await seen('greta', { name: 'Greta' })).toBe(greta);
    expect(await names([greta])).toEqual([[null, 'ERASED']]);
    const events = await eventsOf(test, async () =>
      expect(await erased(greta, await otherOfficer())).toMatchObject({ state: 'ERASED' }),
    );
    expect(events.filter(({ action }) => String(action).startsWith('actor.name'))).toEqual([]);
  });

  it('isn’t erased while the log has events of that person whose time isn’t over', async () => {
    const greta = await seen('greta', { name: 'Greta' });
    const [last] = await test.app.database.query<{ at: number }>('SELECT MAX(at) AS at FROM audit_event WHERE actor_id = ?', [
      greta,
    ]);
    const until = 'query ($ids: [ID!]!) { auditActors(ids: $ids) { erasableFrom } }';
    await test.as({ token: await tokenOf('greta', agent) }, '{ tickets(first: 1) { nodes { subject } } }');
    expect(last).toBeDefined();
    const { data } = await test.as('ada', until, { ids: [greta] });
    const { erasableFrom } = data.auditActors[0] as { erasableFrom: string };
    expect(new Date(erasableFrom).getTime()).toBe(test.clock.now().getTime() + 365 * day);
    test.clock.forward(365 * day - 1_000);
    const kept = [['eraseActorName', 'CONFLICT']];
    expect(await erased(greta)).toEqual(kept);
    test.clock.forward(1_000);
    expect(await erased(greta)).toMatchObject({ state: 'PROPOSED' });
    // They came back between the two.
    await test.as({ token: await tokenOf('greta', agent) }, '{ tickets(first: 1) { nodes { subject } } }');
    expect(await erased(greta, await otherOfficer())).toEqual(kept);
    expect(await names([greta])).toEqual([['Greta', 'PROPOSED']]);
  });

  it('isn’t erased by the person whose it is', async () => {
    const paul = await seen('paul', { name: 'Paul' }, privacy);
    test.clock.forward(366 * day);
    expect(await erased(paul, await otherOfficer())).toEqual([['eraseActorName', 'DENIED', 'OWN_REQUEST']]);
    const twin = await otherOfficer({ subject: 'paul-again' });
    expect(await erased(paul, twin)).toEqual([['eraseActorName', 'DENIED', 'OWN_REQUEST']]);
  });

  it('isn’t erased on a proposal that is more than a week old: that is a first one again', async () => {
    const greta = await seen('greta', { name: 'Greta' });
    test.clock.forward(366 * day);
    await erased(greta);
    test.clock.forward(8 * day);
    expect(await names([greta])).toEqual([['Greta', 'KNOWN']]);
    const other = await otherOfficer();
    expect(await erased(greta, other)).toMatchObject({ state: 'PROPOSED', proposedBy: await idOf(other) });
    expect(await erased(greta)).toMatchObject({ state: 'ERASED' });
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('is known to be another’s, gone or unerased by whoever holds rows against their events', async () => {
    const [greta, hugo] = [await seen('greta', { name: 'Greta' }), await seen('hugo', { name: 'Hugo' })];
    const found = async () => JSON.stringify((await rowsWithoutEvent(test.app.database)).findings);
    expect(await found()).toBe('[]');
    // One is called like the other: what is sealed doesn't open there, and doctor says so.
    await tamper(test.app.database, "UPDATE actor_name SET actor_id = 'act_else' WHERE actor_id = ?", [greta]);
    await tamper(test.app.database, 'UPDATE actor_name SET actor_id = ? WHERE actor_id = ?', [greta, hugo]);
    expect(await names([greta])).not.toContainEqual(['Hugo', expect.anything()]);
    expect(await found()).toContain('names of actors');
    await tamper(test.app.database, 'UPDATE actor_name SET actor_id = ? WHERE actor_id = ?', [hugo, greta]);
    await tamper(test.app.database, "UPDATE actor_name SET actor_id = ? WHERE actor_id = 'act_else'", [greta]);
    expect(await found()).toBe('[]');
    await tamper(
      test.app.database,
      'UPDATE actor_name SET erased_at = 1, erased_by_id = ?, name_sealed = NULL WHERE actor_id = ?',
      [hugo, greta],
    );
    expect(await found()).toContain(greta);
    await tamper(test.app.database, 'DELETE FROM actor_name WHERE actor_id = ?', [greta]);
    expect(await found()).toContain(greta);
  });
});
