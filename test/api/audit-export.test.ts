import { setImmediate } from 'node:timers/promises';
import { verifierKeyOf } from '../../src/audit/note';
import { type VerifyOptions, verifyExport } from '../../src/audit/verify';
import { signersOf } from '../../src/ledger/checkpoints';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { eventsOf } from '../support/answers';
import type { TestApp } from '../support/app';
import { record } from '../support/audit-log';
import { sampleTicket, startSample } from '../support/sample';

const context = `{ ticketByReference(source: "demo", reference: "${sampleTicket}") { subject customer { displayName } } }`;

let test: TestApp;
const turn = () => test.app.signingLog?.sequencer.turn();
const keys = () => {
  const { origin, signingKey } = test.app.config.audit;
  return signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey)).map(verifierKeyOf);
};
const readOf = (bytes: Buffer) => {
  let at = 0;
  return (into: Uint8Array): number => {
    const copied = bytes.copy(into, 0, at);
    at += copied;
    return copied;
  };
};
const verify = (bytes: Buffer, options: Partial<VerifyOptions> = {}) =>
  verifyExport(readOf(bytes), { keys: keys(), strict: true, ...options });

const get = async (who: string | { token: string }, url: string, headers: Record<string, string> = {}) => {
  const token = typeof who === 'string' ? await test.token(who) : who.token;
  return test.server.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}`, ...headers } });
};
/** The address that a selection is redirected to. */
const ticketFor = async (query: string, who = 'ada') => {
  const answer = await get(who, `/audit/export${query}`);
  expect([answer.statusCode, answer.body]).toEqual([307, '']);
  return String(answer.headers.location);
};
const customerId = async () => {
  const [row] = await test.app.database.query<{ customer_id: string }>('SELECT customer_id FROM assistance LIMIT 1');
  return row?.customer_id ?? '';
};
const codeOf = (body: string) =>
  (JSON.parse(body) as { errors: { extensions: Record<string, unknown> }[] }).errors[0]?.extensions;

beforeAll(async () => {
  ({ test } = await startSample());
  for (let round = 0; round < 3; round += 1) {
    await test.as('ana', context);
    test.clock.forward(3_600_000);
    await turn();
  }
});
afterAll(() => test.stop());

describe('the log as a download', () => {
  it('is what its reader can check without the log, all of it', async () => {
    const answer = await get('ada', await ticketFor(''));
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const verdict = verify(answer.rawPayload);
    const [placed] = await test.app.database.query<{ n: number }>('SELECT COUNT(*) AS n FROM audit_leaf');
    expect(verdict).toMatchObject({ ok: true, problem: null, withheld: 0, leaves: Number(placed?.n), unanchored: true });
  });

  it('goes on where it broke off, with the same bytes, whatever was recorded meanwhile', async () => {
    const address = await ticketFor('?since=2&since=5');
    const whole = await get('ada', address);
    await test.as('ana', context);
    await turn();
    for (const start of [1, 77, whole.rawPayload.length - 1]) {
      const rest = await get('ada', address, { range: `bytes=${start}-`, 'if-range': String(whole.headers.etag) });
      expect([rest.statusCode, rest.headers['content-range']]).toEqual([
        206,
        `bytes ${start}-${whole.rawPayload.length - 1}/${whole.rawPayload.length}`,
      ]);
      expect(rest.rawPayload.equals(whole.rawPayload.subarray(start))).toBe(true);
    }
    const other = await get('ada', address, { range: 'bytes=7-', 'if-range': '"another"' });
    expect([other.statusCode, other.rawPayload.equals(whole.rawPayload)]).toEqual([200, true]);
    const beyond = await get('ada', address, { range: `bytes=${whole.rawPayload.length}-` });
    expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, `bytes */${whole.rawPayload.length}`]);
  });

  it.each([
    ['bytes=5-9', [206, 5, 9]],
    ['Bytes=0-0', [206, 0, 0]],
    ['bytes=7-99999999999999999999999999', [206, 7, -1]],
    [`bytes=${'9'.repeat(400)}-`, [416, 0, 0]],
    ['bytes=99999999-99999999', [416, 0, 0]],
    ['bytes=0-', [200, 0, -1]],
    ['bytes=9-5', [200, 0, -1]],
    ['bytes=-5', [200, 0, -1]],
    ['bytes=0-1,4-5', [200, 0, -1]],
    ['bytes=5-,', [200, 0, -1]],
    ['bytes=+5-', [200, 0, -1]],
    ['bytes=5.0-', [200, 0, -1]],
    ['bytes=0x5-', [200, 0, -1]],
    ['bytes =5-', [200, 0, -1]],
    ['leaves=5-', [200, 0, -1]],
    ['5-', [200, 0, -1]],
    ['', [200, 0, -1]],
  ] as const)('of the range %j is what RFC 9110 says', async (range, [status, first, last]) => {
    const address = await ticketFor('');
    const whole = (await get('ada', address)).rawPayload;
    const answer = await get('ada', address, { range });
    const end = last < 0 ? whole.length - 1 : last;
    const expected = { 206: `bytes ${first}-${end}/${whole.length}`, 416: `bytes */${whole.length}`, 200: undefined }[status];
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([status, expected]);
    if (status === 416) expect(answer.rawPayload).toHaveLength(0);
    else expect(answer.rawPayload.equals(whole.subarray(first, end + 1))).toBe(true);
    // Asked of somebody else, or of what was never made, a range is as little as the whole.
    expect((await get('ana', address, { range })).statusCode).toBe(403);
    expect((await get('ada', `${address.slice(0, -4)}AAAA`, { range })).statusCode).toBe(404);
  });

  it.each(['W/', ''])('goes on only under the very same tag: %j', async (weak) => {
    const address = await ticketFor('');
    const whole = await get('ada', address);
    const tag = String(whole.headers.etag);
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    const answer = await get('ada', address, { range: 'bytes=9-', 'if-range': `${weak}${tag}` });
    expect(answer.statusCode).toBe(weak === '' ? 206 : 200);
    const dated = await get('ada', address, { range: 'bytes=9-', 'if-range': 'Tue, 01 Sep 2026 10:00:00 GMT' });
    expect([dated.statusCode, dated.headers.etag]).toEqual([200, tag]);
  });

  it('is of a span of time, half-open, and still tied to its checkpoint', async () => {
    const answer = await get('ada', await ticketFor('?from=2026-09-01T10:00:00Z&to=2026-09-01T11:00:00Z'));
    const verdict = verify(answer.rawPayload);
    const times = answer.body
      .split('\n')
      .flatMap((line) => (line.startsWith('{"index"') ? [(JSON.parse(line) as { leaf: { at: string } }).leaf.at] : []));
    expect(verdict).toMatchObject({ ok: true, withheld: 0, leaves: times.length });
    expect(times.length).toBeGreaterThan(0);
    expect(new Set(times)).toEqual(new Set(['2026-09-01T10:00:00.000Z']));
  });

  it('about one customer hides nothing: every other leaf stands in it as its hash', async () => {
    const id = await customerId();
    const answer = await get('ada', await ticketFor(`?customer=${id}`));
    const verdict = verify(answer.rawPayload);
    const [about] = await test.app.database.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM audit_customer c JOIN audit_leaf l ON l.event_id = c.event_id WHERE c.customer_id = ?',
      [id],
    );
    expect(verdict.ok).toBe(true);
    expect(verdict.leaves - verdict.withheld).toBe(Number(about?.n));
    expect(answer.body).not.toContain(id);
  });

  it('comes as CSV with the manifest that it is checked by', async () => {
    const csv = await get('ada', await ticketFor('?format=csv'));
    expect([csv.statusCode, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    const [, manifest] = /^<([^>]+)>; rel="describedby"$/.exec(String(csv.headers.link)) ?? [];
    const ndjson = await get('ada', manifest ?? '');
    expect(verify(ndjson.rawPayload, { csv: readOf(csv.rawPayload) })).toMatchObject({ ok: true, problem: null });
    const changed = Buffer.from(csv.body.replace('"disclosure"', '"denial"'), 'utf8');
    expect(verify(ndjson.rawPayload, { csv: readOf(changed) })).toMatchObject({ ok: false, problem: { kind: 'ROW' } });
  });

  it('is in the log itself, before its first byte, with whose data it has', async () => {
    const address = await ticketFor(`?customer=${await customerId()}`);
    const events = await eventsOf(test, () => get('ada', address));
    expect(events).toHaveLength(1);
    const [taken] = events;
    expect(taken).toMatchObject({ actor: { roles: ['AUDITOR'] }, subject: { type: 'AuditExport', id: 'ndjson' } });
    expect(taken?.customers).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
  });

  it('is for auditors with a second factor, and a ticket for whom it was made', async () => {
    const address = await ticketFor('');
    const weak = await test.token('ada', { mfa: false });
    const before = (await test.events('denial')).length;
    for (const [who, reason] of [
      ['ana', 'ROLE'],
      ['oz', 'ROLE'],
      [{ token: weak }, 'MFA_REQUIRED'],
    ] as const) {
      for (const url of ['/audit/export', address]) {
        const answer = await get(who, url);
        expect([answer.statusCode, codeOf(answer.body)]).toEqual([403, expect.objectContaining({ code: 'DENIED', reason })]);
      }
    }
    expect((await test.events('denial')).length).toBeGreaterThan(before);
    expect((await test.server.inject({ method: 'GET', url: '/audit/export' })).statusCode).toBe(401);
    for (const url of [
      '/audit/exports',
      '/audit/exports?ticket=',
      `${address.slice(0, -4)}AAAA`,
      '/audit/exports?ticket=a&ticket=b',
    ])
      expect([url, (await get('ada', url)).statusCode]).toEqual([url, 404]);
  });

  it.each([
    ['?format=xml', 'format'],
    ['?from=yesterday', 'from'],
    ['?from=2026-02-30T00:00:00Z', 'from'],
    ['?to=2026-11-31T00:00:00Z', 'to'],
    ['?from=2026-09-02T00:00:00Z&to=2026-09-01T00:00:00Z', 'before'],
    ['?since=many', 'since'],
    ['?since=0', 'since'],
    ['?since=99999999', 'since'],
    ['?until=2026-09-02T00:00:00Z', 'query'],
  ])('of %s is refused with what is expected', async (query, argument) => {
    const answer = await get('ada', `/audit/export${query}`);
    expect([answer.statusCode, codeOf(answer.body)]).toEqual([400, expect.objectContaining({ code: 'INVALID', argument })]);
  });

  it('of a customer whom nobody knows is NOT_FOUND', async () => {
    expect((await get('ada', '/audit/export?customer=cus_absent')).statusCode).toBe(404);
  });
});

describe('a download that broke off', () => {
  const perRound = 500;
  /** Leaves with their bytes that were read meanwhile. */
  const leavesReadBy = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const { database } = test.app;
    const read = database.read.bind(database);
    let count = 0;
    const reads: Promise<unknown>[] = [];
    const spy = jest.spyOn(database, 'read').mockImplementation(async (...of: Parameters<typeof read>) => {
      const reading = read(...of);
      reads.push(reading);
      const rows = await reading;
      count += rows.filter((row) => 'leafIndex' in (row as object) && 'leaf' in (row as object)).length;
      return rows as never;
    });
    try {
      const done = await work();
      // Whoever broke it off may have left one behind, and the next.
      for (let seen = -1; seen < reads.length; ) {
        seen = reads.length;
        await Promise.all(reads);
        await setImmediate();
      }
      return [done, count];
    } finally {
      spy.mockRestore();
    }
  };
  /** As much of it as `most` bytes take, in whole chunks; then the connection is gone. */
  const begin = async (address: string, most: number): Promise<Buffer> => {
    const answer = await test.server.inject({
      method: 'GET',
      url: address,
      headers: { authorization: `Bearer ${await test.token('ada')}` },
      payloadAsStream: true,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.stream()) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes >= most) break;
    }
    // As it is told of a socket.
    answer.raw.res.emit('close');
    return Buffer.concat(chunks);
  };

  beforeAll(async () => {
    for (let round = 0; round < 8; round += 1) await record(test.app.database, perRound);
    while ((await test.app.database.query('SELECT event_id FROM audit_pending LIMIT 1')).length > 0) await turn();
  });

  it.each([
    ['', async () => ''],
    ['of one customer', async () => `&customer=${await customerId()}`],
    ['of a span', async () => '&from=2026-09-01T09:30:00Z'],
    ['in CSV', async () => '&format=csv'],
  ])('%s is gone on with from there: only what is left is read', async (_what, select) => {
    const selection = await select();
    const [whole, all] = await leavesReadBy(async () => get('ada', await ticketFor(`?since=2${selection}`)));
    const length = whole.rawPayload.length;
    // With another proof: nobody wrote this one before.
    const address = await ticketFor(`?since=7${selection}`);
    const [received, first] = await leavesReadBy(() => begin(address, length * 0.6));
    expect(received.length).toBeLessThan(length * 0.9);
    const [rest, left] = await leavesReadBy(() => get('ada', address, { range: `bytes=${received.length}-` }));
    expect(rest.statusCode).toBe(206);
    expect([first > all / 2, left < all / 2]).toEqual([true, true]);
    const file = Buffer.concat([received, rest.rawPayload]);
    expect(file.equals((await get('ada', address)).rawPayload)).toBe(true);
    if (selection !== '&format=csv') expect(verify(file)).toMatchObject({ problem: null, header: { to: expect.any(Number) } });
    // Its length is known by now.
    const [last, few] = await leavesReadBy(() => get('ada', address, { range: `bytes=${file.length - 1}-` }));
    expect([last.statusCode, last.rawPayload.equals(file.subarray(-1))]).toEqual([206, true]);
    expect(few).toBeLessThanOrEqual(64);
    const [beyond, none] = await leavesReadBy(() => get('ada', address, { range: `bytes=${file.length}-` }));
    expect([beyond.statusCode, none]).toEqual([416, 0]);
  });

  it('by a gateway that didn’t write it is made from the beginning, with the same bytes', async () => {
    const address = await ticketFor('?since=9');
    const received = await begin(address, 100_000);
    (Reflect.get(test.app.services.auditDownloads, 'progresses') as Map<string, unknown>).clear();
    const rest = await get('ada', address, { range: `bytes=${received.length}-` });
    const file = Buffer.concat([received, rest.rawPayload]);
    expect([rest.statusCode, verify(file).problem]).toEqual([206, null]);
  });
});
