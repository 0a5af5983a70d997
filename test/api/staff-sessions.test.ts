import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { Documented } from '../../src/http/documented';
import { Metrics } from '../../src/http/metrics';
import { Subscriptions } from '../../src/http/subscriptions';
import { raised, raiseOn } from '../support/alerts';
import { ticketIdOf } from '../support/answers';
import { TestApp } from '../support/app';
import { KeyHolder } from '../support/key-holder';
import { rulesWithModes } from '../support/rules-file';
import { everything } from '../support/subscribers';

const minute = 60_000;

/** From where a session is used. */
interface Place {
  readonly device?: string;
  readonly key?: KeyHolder;
  readonly address?: string;
}
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe('from where staff use their sessions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-sessions-'));
  let test: TestApp;
  const begin = async (mode: string) => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'session-moved': mode }));
    test = await TestApp.start({ config: { rulesFile } });
  };
  afterEach(async () => {
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await test.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A request in a session, from a device and an address; the code that it is refused with, if it is. */
  const use = async (sessionId: string, from: Place = {}, who = 'ana') => {
    const { device, key, address = '203.0.113.7' } = from;
    const named = { ...(device === undefined ? {} : { device }), ...(key === undefined ? {} : { boundTo: key.thumbprint }) };
    const token = await test.token(who, { sessionId, ...named });
    const url = `${test.app.publicUrl}/graphql`;
    const dpop = await key?.prove({ token, address: url, at: test.clock.now() });
    const response = await test.server.inject({
      method: 'POST',
      url: '/graphql',
      remoteAddress: address,
      headers: {
        authorization: `${key ? 'DPoP' : 'Bearer'} ${token}`,
        'content-type': 'application/json',
        ...(dpop === undefined ? {} : { dpop }),
      },
      payload: JSON.stringify({ query: '{ viewer { id } }' }),
    });
    return (response.json() as { errors?: { extensions: { code: string } }[] }).errors?.[0]?.extensions.code ?? null;
  };
  /** Everything that was seen is stored, judged and in force. */
  const settle = async () => {
    await test.app.sessionUses.store();
    await test.app.signals.service.turn();
    await test.app.actors.restoreRevocations();
  };
  const moves = async (sessionId: string, places: readonly Place[]) => {
    for (const place of places) {
      expect(await use(sessionId, place)).toBeNull();
      test.clock.forward(minute);
    }
    await settle();
  };
  const signals = () =>
    test.app.database.query<Record<string, string | null>>(
      "SELECT source, staff, device, ip, session_digest FROM risk_signal WHERE type = 'staff.session' ORDER BY occurred_at, event_id",
    );
  const verdicts = async () =>
    (await test.events('rule.verdict'))
      .map(({ detail }) => detail as Record<string, unknown>)
      .filter(({ rule }) => rule === 'session-moved');

  it('a session that goes from one device to another and back is ended, for each of its tokens, with its event', async () => {
    await begin('ON');
    expect(await use('other', { device: 'laptop' })).toBeNull();
    await moves('taken', [{ device: 'laptop' }, { device: 'thief' }, { device: 'laptop' }]);
    const [verdict, ...more] = await verdicts();
    expect(more).toEqual([]);
    expect(verdict).toMatchObject({ rule: 'session-moved', mode: 'ON', effects: ['end-session'], done: ['end-session'] });
    const [ended, ...others] = await test.events('session.revoke');
    expect(others).toEqual([]);
    expect(ended?.detail).toMatchObject({ rule: 'session-moved', restsOn: verdict?.signals });
    // Whatever its identity provider gives it from now on.
    for (const device of ['laptop', 'thief', 'third']) expect(await use('taken', { device })).toBe('UNAUTHENTICATED');
    test.clock.forward(60 * minute);
    expect(await use('taken', { device: 'thief' })).toBe('UNAUTHENTICATED');
    expect(await use('other', { device: 'laptop' })).toBeNull();
    expect(await use('new', { device: 'laptop' })).toBeNull();
    expect(await use('of ben', { device: 'laptop' }, 'ben')).toBeNull();
  });

  it('a session that goes from one key to another and back is ended as well, and no key is stored or logged', async () => {
    await begin('ON');
    const [own, stolen] = [await KeyHolder.make(), await KeyHolder.make('EdDSA')];
    await moves('other', [{ key: own }, { key: own, address: '198.51.100.4' }, { key: own }]);
    expect(await verdicts()).toEqual([]);
    await moves('taken', [{ key: own }, { key: stolen }, { key: own }]);
    expect(await verdicts()).toMatchObject([{ rule: 'session-moved', effects: ['end-session'], done: ['end-session'] }]);
    expect(await test.events('session.revoke')).toHaveLength(1);
    for (const key of [own, stolen]) expect(await use('taken', { key })).toBe('UNAUTHENTICATED');
    expect(await use('taken')).toBe('UNAUTHENTICATED');
    expect(await use('other', { key: own })).toBeNull();
    const stored = await test.app.database.query<{ key_digest: string }>(
      "SELECT DISTINCT key_digest FROM risk_signal WHERE type = 'staff.session' AND key_digest LIKE 'sub_%'",
    );
    expect(stored).toHaveLength(2);
    const all = JSON.stringify([await test.app.database.query('SELECT * FROM risk_signal'), await test.events(), test.logLines]);
    for (const { thumbprint, publicJwk } of [own, stolen])
      for (const clear of [thumbprint, publicJwk.x as string]) expect(all).not.toContain(clear);
  });

  it('a token that was taken along without its key moves nothing', async () => {
    await begin('ON');
    const [own, thief] = [await KeyHolder.make(), await KeyHolder.make()];
    expect(await use('s', { key: own })).toBeNull();
    const token = await test.token('ana', { sessionId: 's', boundTo: own.thumbprint });
    const address = `${test.app.publicUrl}/graphql`;
    for (let tries = 0; tries < 3; tries += 1) {
      test.clock.forward(minute);
      const dpop = await thief.prove({ token, address, at: test.clock.now() });
      const response = await test.server.inject({
        method: 'POST',
        url: '/graphql',
        headers: { authorization: `DPoP ${token}`, dpop, 'content-type': 'application/json' },
        payload: JSON.stringify({ query: '{ viewer { id } }' }),
      });
      expect(response.statusCode).toBe(401);
      expect(await use('s', { key: own })).toBeNull();
    }
    await settle();
    expect(await verdicts()).toEqual([]);
    expect(await use('s', { key: own })).toBeNull();
  });

  it('a second session of theirs that moves is ended too, and one that is ended is ended once', async () => {
    await begin('ON');
    await moves('first', [{ device: 'a' }, { device: 'b' }, { device: 'a' }]);
    await moves('second', [{ device: 'a' }, { device: 'b' }, { device: 'a' }]);
    await settle();
    expect(await test.events('session.revoke')).toHaveLength(2);
    expect(await use('second', { device: 'a' })).toBe('UNAUTHENTICATED');
  });

  it('what is open in a session that is ended ends with it, and nothing arrives any more', async () => {
    await begin('ON');
    const { reference } = demoTickets.own;
    const ticketId = await ticketIdOf(test, reference);
    const subscriptions = new Subscriptions(test.app, new Documented(test.app), new Metrics());
    const listen = async (sessionId: string) => {
      const token = await test.token('ana', { sessionId, device: 'a' });
      await test.as({ token }, `{ ticketByReference(source: "demo", reference: "${reference}") { subject } }`);
      const body = { query: everything, variables: { ticketId } };
      const arrival = await test.app.actors.arrive({ authorization: `Bearer ${token}` });
      const told = await subscriptions.subscribe({ arrival, body });
      if ('refusal' in told) throw new Error(JSON.stringify(told.refusal));
      const kinds: unknown[] = [];
      const done = (async () => {
        for await (const { data } of told.events)
          kinds.push((data as { alerts?: { kind: string } } | null)?.alerts?.kind ?? null);
      })();
      return { kinds, done, end: () => told.events.return() };
    };
    const [taken, other] = [await listen('taken'), await listen('other')];
    expect(raised(await raiseOn(test, reference, { subject: 'before' }))).toMatch(/^alr_/);
    for (let looks = 0; looks < 100 && !(taken.kinds.length === 1 && other.kinds.length === 1); looks += 1) await pause(50);
    expect([taken.kinds, other.kinds]).toEqual([['RAISED'], ['RAISED']]);
    await moves('taken', [{ device: 'a' }, { device: 'b' }, { device: 'a' }]);
    expect(await test.events('session.revoke')).toHaveLength(1);
    expect(raised(await raiseOn(test, reference, { subject: 'after' }))).toMatch(/^alr_/);
    for (let looks = 0; looks < 100 && other.kinds.length < 2; looks += 1) await pause(50);
    expect(other.kinds).toEqual(['RAISED', 'RAISED']);
    await taken.done;
    expect(taken.kinds.filter((kind) => kind !== null)).toEqual(['RAISED']);
    await other.end();
    await other.done;
  });

  it('in a process that starts afterwards it is ended as well', async () => {
    await begin('ON');
    await moves('taken', [{ device: 'a' }, { device: 'b' }, { device: 'a' }]);
    await test.restart();
    expect(await use('taken', { device: 'a' })).toBe('UNAUTHENTICATED');
    expect(await use('new', { device: 'a' })).toBeNull();
  });

  it.each([
    [
      'two devices with a session each',
      async () => {
        for (const device of ['laptop', 'telephone', 'laptop', 'telephone']) await moves(`on the ${device}`, [{ device }]);
      },
    ],
    [
      'a telephone that changes networks',
      () =>
        moves(
          's',
          ['203.0.113.7', '198.51.100.4', '203.0.113.9'].map((address) => ({ device: 'telephone', address })),
        ),
    ],
    [
      'two tabs with a session and a key each',
      async () => {
        const keys = [await KeyHolder.make(), await KeyHolder.make()] as const;
        for (const index of [0, 1, 0, 1] as const) await moves(`tab ${index}`, [{ key: keys[index] }]);
      },
    ],
    [
      'somebody who has another key from now on',
      async () => {
        const [key, next] = [await KeyHolder.make(), await KeyHolder.make()];
        await moves('s', [{ key }, { key: next }, { key: next }]);
      },
    ],
    ['somebody who moves to another device and stays', () => moves('s', [{ device: 'a' }, { device: 'b' }, { device: 'b' }])],
    [
      'addresses of one network',
      () =>
        moves(
          's',
          ['203.0.113.7', '203.0.113.200', '203.0.113.7'].map((address) => ({ address })),
        ),
    ],
    [
      'addresses of one network of IPv6',
      () =>
        moves(
          's',
          ['2001:db8:7:1::1', '2001:db8:7:ffff::2', '2001:db8:7:1::1'].map((address) => ({ address })),
        ),
    ],
  ])('%s: nothing is found', async (_, work) => {
    await begin('ON');
    await work();
    expect(await verdicts()).toEqual([]);
    expect(await test.events('session.revoke')).toEqual([]);
  });

  it('where only networks tell, it is said and nobody is signed out', async () => {
    await begin('ON');
    await moves(
      's',
      ['203.0.113.7', '198.51.100.4', '203.0.113.7'].map((address) => ({ address })),
    );
    expect(await verdicts()).toMatchObject([{ rule: 'session-moved', effects: ['alert'], done: [] }]);
    expect(await test.events('session.revoke')).toEqual([]);
    expect(await use('s')).toBeNull();
  });

  it('in the shadow it is said and nobody is signed out', async () => {
    await begin('SHADOW');
    await moves('s', [{ device: 'a' }, { device: 'b' }, { device: 'a' }]);
    expect(await verdicts()).toMatchObject([{ mode: 'SHADOW', effects: ['end-session'], done: [] }]);
    expect(await use('s', { device: 'a' })).toBeNull();
  });

  it('is stored by digests, once within five minutes for a place, and not at all for services or where no rule reads it', async () => {
    await begin('SHADOW');
    for (let count = 0; count < 5; count += 1) await use('canary-session', { device: 'canary-device' });
    const service = await test.app.development!.issuer.issue('pip', { device: 'canary-device' });
    await test.as({ token: service }, '{ viewer { id } }');
    await settle();
    const [stored, ...more] = await signals();
    expect(more).toEqual([]);
    expect(stored).toEqual({
      source: 'counterfoil',
      staff: expect.stringMatching(/^act_/),
      device: expect.stringMatching(/^dev_/),
      ip: expect.stringMatching(/^sub_/),
      session_digest: expect.any(String),
    });
    const all = JSON.stringify([
      await test.app.database.query('SELECT * FROM risk_signal'),
      await test.events('signal.receive'),
      test.logLines,
    ]);
    for (const clear of ['canary-session', 'canary-device', '203.0.113']) expect(all).not.toContain(clear);
    test.clock.forward(5 * minute);
    await use('canary-session', { device: 'canary-device' });
    await settle();
    expect(await signals()).toHaveLength(2);
    await test.stop();
    await begin('OFF');
    await use('s', { device: 'a' });
    await settle();
    expect(await signals()).toEqual([]);
  });

  it('of a session that goes to and fro all the time few signals are kept', async () => {
    await begin('SHADOW');
    for (let count = 0; count < 40; count += 1) await use('s', { device: `d${count % 2}` });
    await settle();
    expect(await signals()).toHaveLength(12);
  });
});
