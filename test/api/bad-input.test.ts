import { demoTickets } from '../../src/development/merchant/cast';
import { type GraphQLAnswer, TestApp } from '../support/app';

const oddTexts: readonly [string, string][] = [
  ['empty', ''],
  ['a blank', ' '],
  ['a zero byte', '\u0000'],
  ['a quote', "' OR '1'='1"],
  ['a comment', "1'; DROP TABLE helpdesk_ticket; --"],
  ['a wildcard', '%'],
  ['a backslash', '\\'],
  ['a lone surrogate', '\ud800'],
  ['right to left', '\u202e1001'],
  ['an emoji', '😀'],
  ['a path', '../../etc/passwd'],
  ['a template', '${7*7}{{7*7}}'],
  ['a prototype', '__proto__'],
  ['a long one', 'x'.repeat(10_000)],
  ['another kind of id', 'txn_01ARZ3NDEKTSV4RRFFQ69G5FAV'],
  ['an id in lower case', 'tkt_01arz3ndektsv4rrffq69g5fav'],
];

describe('bad input', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
    await app.as('sam', '{ viewer { id } }');
    await app.as('ana', 'query($r: String!) { ticketByReference(source: "demo", reference: $r) { id } }', {
      r: demoTickets.own.reference,
    });
  });
  afterAll(() => app.stop());

  /** An error of ours with nothing of what was sent, and nothing of the inside. */
  const expectCoded = ({ status, errors }: GraphQLAnswer, codes: readonly string[], sent?: string): void => {
    expect(status).toBe(200);
    expect(errors?.length).toBeGreaterThan(0);
    for (const { message, extensions } of errors ?? []) {
      expect(codes).toContain(extensions.code);
      const told = JSON.stringify([message, extensions]);
      expect(told).not.toMatch(/\bat .*:\d+|node_modules|SQLITE|ER_|SELECT |helpdesk_ticket/);
      if (sent && sent.length > 4) expect(told).not.toContain(sent.slice(0, 40));
    }
  };

  it.each(oddTexts)('an id that is %s is one that does not exist', async (_name, text) => {
    const absent = await app.as('ana', 'query($id: ID!) { ticket(id: $id) { id } }', { id: 'tkt_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    for (const field of ['ticket', 'customer', 'transaction']) {
      const answer = await app.as('ana', `query($id: ID!) { ${field}(id: $id) { id } }`, { id: text });
      expectCoded(answer, ['NOT_FOUND'], text);
      expect(answer.data).toEqual({ [field]: null });
      if (field === 'ticket') expect(answer).toEqual(absent);
    }
  });

  it.each(oddTexts)('a reference that is %s is refused or not found', async (_name, text) => {
    const answer = await app.as('ana', 'query($r: String!) { ticketByReference(source: "demo", reference: $r) { id } }', {
      r: text,
    });
    expectCoded(answer, ['NOT_FOUND', 'INVALID'], text);
  });

  it.each(oddTexts)('a source that is %s is refused with those there are', async (_name, text) => {
    const byReference = await app.as('ana', 'query($s: String!) { ticketByReference(source: $s, reference: "1001") { id } }', {
      s: text,
    });
    expectCoded(byReference, ['INVALID'], text);
    expect(byReference.errors?.[0]).toMatchObject({
      message: 'source: expected one of demo',
      extensions: { argument: 'source' },
    });
  });

  it.each(oddTexts)('a cursor that is %s is refused', async (_name, text) => {
    const answer = await app.as('ana', 'query($c: String!) { tickets(after: $c) { totalCount } }', { c: text });
    expectCoded(answer, ['INVALID'], text);
    expect(answer.errors?.[0]?.extensions.argument).toBe('after');
  });

  it('a cursor opens only for the person, the list, the filter and the order that it was made for', async () => {
    const page =
      'query($c: String, $o: TicketOrder, $f: TicketFilter) { tickets(first: 1, after: $c, orderBy: $o, filter: $f) { totalCount pageInfo { endCursor } } }';
    const { data } = await app.as('ana', page, {});
    const cursor = data.tickets.pageInfo.endCursor as string;
    expect((await app.as('ana', page, { c: cursor })).errors).toBeUndefined();
    expectCoded(await app.as('ben', page, { c: cursor }), ['INVALID'], cursor);
    expectCoded(await app.as('ana', page, { c: cursor, o: 'CREATED_AT' }), ['INVALID'], cursor);
    expectCoded(await app.as('ana', page, { c: cursor, f: { status: ['OPEN'] } }), ['INVALID'], cursor);
    const inTicket = `query($c: String!) { ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { messages(after: $c) { totalCount } } }`;
    expectCoded(await app.as('ana', inTicket, { c: cursor }), ['INVALID'], cursor);
    for (let at = 0; at < cursor.length; at += 5) {
      const forged = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      if (Buffer.from(forged, 'base64url').equals(Buffer.from(cursor, 'base64url'))) continue;
      expectCoded(await app.as('ana', page, { c: forged }), ['INVALID'], forged);
    }
  });

  it.each([0, -1, 101, 2 ** 31 - 1])('a page of %d is refused', async (first) => {
    for (const query of [
      'query($n: Int!) { tickets(first: $n) { totalCount } }',
      `query($n: Int!) { ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { messages(first: $n) { totalCount } } }`,
      `query($n: Int!) { ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { transactions(first: $n) { totalCount } } } }`,
    ]) {
      const answer = await app.as('ana', query, { n: first });
      expectCoded(answer, ['INVALID']);
      expect(['first', 'query']).toContain(answer.errors?.[0]?.extensions.argument);
    }
  });

  it.each<[string, object]>([
    ['an unknown field', { canary: 1 }],
    ['an unknown value', { status: ['CANARY'] }],
    ['a text for a list', { status: { canary: 1 } }],
    ['a time that is none', { updatedFrom: 'canary' }],
    ['a time without a day', { updatedFrom: '2026-02-31T00:00:00Z' }],
    ['a number for a text', { team: 5 }],
    ['a text for a flag', { assignedToMe: 'canary' }],
  ])('a filter with %s is refused by the name of its variable', async (_name, filter) => {
    const answer = await app.as('ana', 'query($f: TicketFilter) { tickets(filter: $f) { totalCount } }', { f: filter });
    expectCoded(answer, ['INVALID']);
    expect(JSON.stringify(answer.errors)).not.toMatch(/canary|CANARY/);
    expect(answer.errors?.[0]?.extensions.argument).toBe('$f');
  });

  it.each(oddTexts)('a filter by a text that is %s finds nothing or is refused', async (_name, text) => {
    const answer = await app.as('ana', 'query($f: TicketFilter) { tickets(filter: $f) { totalCount } }', { f: { team: text } });
    if (answer.errors) expectCoded(answer, ['INVALID'], text);
    else expect(answer.data.tickets.totalCount).toBe(0);
  });

  it.each([
    ['an amount below all integers', { amountAtLeast: -(2 ** 60) }],
    ['an amount that is no integer', { amountAtLeast: 1.5 }],
    ['an amount as a text', { amountAtLeast: 'canary' }],
    ['a currency that is none', { currency: 'canary' }],
    ['a currency in lower case', { currency: 'eur' }],
  ])('%s is refused', async (_name, filter) => {
    const query = `query($f: TransactionFilter) { ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { transactions(filter: $f) { totalCount } } } }`;
    const answer = await app.as('ana', query, { f: filter });
    expectCoded(answer, ['INVALID', 'DENIED']);
    expect(JSON.stringify(answer.errors)).not.toContain('canary');
  });

  it('a filter by a source that is empty is refused like any other that there is none of', async () => {
    const answer = await app.as('ana', 'query($f: TicketFilter) { tickets(filter: $f) { totalCount } }', { f: { source: '' } });
    expectCoded(answer, ['INVALID']);
  });

  it.each(oddTexts)('a mutation of an id that is %s changes nothing', async (_name, text) => {
    const before = (await app.events()).filter(({ action }) => action !== 'denial').length;
    for (const mutation of [
      'mutation($id: ID!) { endAssistance(id: $id) { id } }',
      'mutation($id: ID!) { approveAssistance(id: $id) { id } }',
      'mutation($id: ID!) { rejectAssistance(id: $id, reason: "long enough a reason") { id } }',
    ]) {
      const answer = await app.as('sam', mutation, { id: text });
      expect(answer.data).toBeNull();
      expect(answer.errors?.length).toBeGreaterThan(0);
      expect(JSON.stringify(answer.errors)).not.toMatch(/INTERNAL|SQL|ER_/);
    }
    expect((await app.events()).filter(({ action }) => action !== 'denial').length).toBe(before);
  });

  it('was never an error of the inside', () => {
    expect(app.logLines.filter((line) => line.includes('a request failed'))).toEqual([]);
  });
});
