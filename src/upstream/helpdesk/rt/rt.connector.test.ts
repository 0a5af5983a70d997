import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SourceUnavailable } from '../../source-unavailable';
import type { TicketBatch } from '../helpdesk.port';
import { RtHelpdesk, type RtHelpdeskOptions } from './rt.connector';

/*
 * A small RT-shaped server. The shapes, and the ways in which RT surprises, are those of Request Tracker 5.0.3: ids as
 * numbers in one place and as text in the next, the user's name as id where nothing was expanded, `total: null`, pages
 * from which withheld rows are missing, errors with status 200.
 */
interface Row {
  readonly id: number;
  readonly object: 'RT::Ticket' | 'RT::User';
  readonly of: number;
  readonly type: string;
  readonly by: string;
  readonly field?: string;
  readonly old?: string;
  readonly new?: string;
  /** This account may not see it: it takes its place in a page and is left out of it. */
  readonly withheld?: boolean;
}

const users: Record<string, { id: number; privileged: 0 | 1; mail: string }> = {
  RT_System: { id: 1, privileged: 0, mail: '' },
  Nobody: { id: 6, privileged: 0, mail: '' },
  ana: { id: 39, privileged: 1, mail: 'ana@rt.example' },
  ben: { id: 41, privileged: 1, mail: 'Ben@rt.example' },
  billing: { id: 43, privileged: 1, mail: 'billing@rt.example' },
  // a login name that looks like an id: ana's
  '39': { id: 70, privileged: 0, mail: 'thirtynine@customers.example' },
  'vera@customers.example': { id: 53, privileged: 0, mail: 'vera@customers.example' },
  'victim@customers.example': { id: 54, privileged: 0, mail: 'victim@customers.example' },
};

/** A part of a message as RT keeps it; a message of a transaction that has none is one of plain text. */
interface Part {
  readonly id: number;
  /** The transaction. */
  readonly of: number;
  /** 0 for the message itself. */
  readonly parent: number;
  readonly type: string;
  readonly name?: string;
  readonly headers?: string;
  readonly content?: string;
}

class RtShaped {
  rows: Row[] = [];
  parts: Part[] = [];
  requestors = new Map<number, string[]>();
  owners = new Map<number, string>();
  subjects = new Map<number, string>();
  mayModify = true;
  link = new Map<string, string[]>();
  requests: {
    method: string | undefined;
    path: string;
    query: string;
    body: string;
    authorization: string | undefined;
    type: string | undefined;
    /** The columns that were asked for. */
    fields: readonly string[];
  }[] = [];
  /** Runs before an answer; what it returns is sent instead. */
  before: (path: string, query: string) => { status?: number; body: string } | 'hang' | null = () => null;
  url = '';
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  reset(): void {
    this.rows = [];
    this.parts = [];
    this.requestors = new Map([[1, ['vera@customers.example']]]);
    this.owners = new Map();
    this.subjects = new Map();
    this.mayModify = true;
    this.link = new Map();
    this.requests = [];
    this.before = () => null;
    this.add({ type: 'Create', by: 'vera@customers.example' }, 100);
  }

  add(row: Partial<Row> & Pick<Row, 'type' | 'by'>, id?: number): number {
    const next = id ?? Math.max(0, ...this.rows.map((each) => each.id)) + 1;
    this.rows.push({ object: 'RT::Ticket', of: 1, ...row, id: next });
    return next;
  }

  private attachments(): Part[] {
    const simple = this.rows
      .filter(({ id, type }) => (type === 'Create' || type === 'Correspond') && this.parts.every(({ of }) => of !== id))
      .map(({ id }): Part => {
        const headers = 'Subject: x\nX-RT-Interface: Email';
        return { id: 1000 + id, of: id, parent: 0, type: 'text/plain', headers, content: `text of ${id}` };
      });
    return [...simple, ...this.parts].sort((a, b) => a.id - b.id);
  }

  private person(name: string, index = 0) {
    const user = users[name];
    if (user === undefined) throw new Error(`no ${name}`);
    return {
      type: 'user',
      id: index % 2 === 0 ? user.id : String(user.id),
      Name: name,
      RealName: name === '39' ? '' : `${name} Example`,
      EmailAddress: user.mail,
      _url: `${this.url}/REST/2.0/user/${name}`,
    };
  }

  private transaction = (row: Row, index: number) => ({
    type: 'transaction',
    id: index % 2 === 0 ? row.id : String(row.id),
    ObjectType: row.object,
    ObjectId: String(row.of),
    Type: row.type,
    Field: row.field ?? '',
    OldValue: row.old ?? '',
    NewValue: row.new ?? null,
    Created: '2026-11-20T12:34:13Z',
    Creator: this.person(row.by, index),
  });

  ticket(id: number) {
    return {
      type: 'ticket',
      id: String(id),
      Type: 'ticket',
      Subject: 'A question',
      Status: 'open',
      Created: '2026-11-20T12:34:13Z',
      LastUpdated: '2026-11-20T12:34:14Z',
      Queue: { type: 'queue', id: '3', Name: 'Cards' },
      Owner: this.person(this.owners.get(id) ?? 'Nobody'),
      Creator: this.person(this.rows.find((row) => row.of === id && row.type === 'Create')?.by ?? 'ana'),
      Requestor: (this.requestors.get(id) ?? []).map((name, index) => ({
        ...this.person(name, index),
        Country: '',
        Creator: '',
        CustomFields: [{ type: 'customfield', id: '3', name: 'Payment Customer', values: this.link.get(name) ?? [] }],
      })),
    };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    const path = url.pathname.replace('/REST/2.0', '');
    const query = url.searchParams.get('query') ?? '';
    const body = Buffer.concat(chunks).toString();
    const { method, headers } = request;
    const fields = url.searchParams.get('fields')?.split(',') ?? [];
    this.requests.push({
      method,
      path,
      query,
      body,
      authorization: headers.authorization,
      type: headers['content-type'],
      fields,
    });
    const instead = this.before(path, query);
    if (instead === 'hang') return;
    if (instead !== null) {
      response.writeHead(instead.status ?? 200, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' });
      response.end(instead.body);
      return;
    }
    if (path === '/ticket' && method === 'POST') {
      const id = Math.max(...this.rows.map((row) => row.of)) + 1;
      this.add({ type: 'Create', by: 'billing', of: id });
      this.requestors.set(id, []);
      this.subjects.set(id, (JSON.parse(body) as { Subject: string }).Subject);
      response.writeHead(201, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify({ type: 'ticket', id: String(id), _url: `${this.url}/REST/2.0/ticket/${id}` }));
      return;
    }
    const changed = /^\/ticket\/(\d+)$/.exec(path);
    if (changed !== null && method === 'PUT') {
      const { Requestor } = JSON.parse(body) as { Requestor: string };
      const name = Object.keys(users).find((each) => String(users[each]?.id) === Requestor);
      if (this.mayModify) this.requestors.set(Number(changed[1]), name === undefined ? [] : [name]);
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify([this.mayModify ? `Added ${name} as Requestor for this ticket` : 'Permission Denied']));
      return;
    }
    const commented = /^\/ticket\/(\d+)\/comment$/.exec(path);
    if (commented !== null && this.rows.some((row) => row.object === 'RT::Ticket' && row.of === Number(commented[1]))) {
      this.add({ type: 'Comment', by: 'ana', of: Number(commented[1]) });
      response.writeHead(201, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(['Comments added']));
      return;
    }
    const found = this.find(path, query, body, url.searchParams);
    response.writeHead(found === null ? 404 : 200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(found ?? { message: 'Not Found' }));
  }

  private find(path: string, query: string, body: string, parameters: URLSearchParams): unknown {
    const perPage = Number(parameters.get('per_page') ?? 20);
    const page = Number(parameters.get('page') ?? 1);
    const descending = parameters.get('order') === 'DESC';
    const collection = <Item>(all: readonly Item[], show: (item: Item, index: number) => unknown, seen = (_: Item) => true) => {
      const raw = (descending ? [...all].reverse() : all).slice((page - 1) * perPage, page * perPage);
      const items = raw.filter(seen).map(show);
      return { items, count: items.length, total: null, pages: null, page, per_page: perPage };
    };
    const rows = (wanted: (row: Row) => boolean) =>
      collection(
        this.rows.filter(wanted).sort((a, b) => a.id - b.id),
        this.transaction,
        (row) => row.withheld !== true,
      );
    const above = Number(/\bid > (\d+)/.exec(query)?.[1] ?? 0);
    const tickets = [...new Set(this.rows.filter((row) => row.object === 'RT::Ticket').map((row) => row.of))].sort(
      (a, b) => a - b,
    );

    const history = /^\/ticket\/(\d+)\/history$/.exec(path);
    if (history !== null) {
      const after = (JSON.parse(body) as { field: string; value: number }[]).find(({ field }) => field === 'id')?.value ?? 0;
      return rows((row) => row.object === 'RT::Ticket' && row.of === Number(history[1]) && row.id > after);
    }
    if (path === '/transactions' && query.includes('OR ( ( ObjectId')) {
      const [, tail] = /AND id > (\d+) AND \( Type/.exec(query) ?? [];
      const ofUsers = [...(query.split(' OR ( ( ObjectId')[1] ?? '').matchAll(/(?:ObjectId)? = '(\d+)'/g)].map(([, id]) =>
        Number(id),
      );
      const ofTicket = Number(/ObjectId = '(\d+)'/.exec(query)?.[1]);
      return rows((row) =>
        row.object === 'RT::Ticket'
          ? row.of === ofTicket && row.id > Number(tail) && row.id > above
          : ofUsers.includes(row.of) && row.id > above,
      );
    }
    if (path === '/transactions') {
      const object = query.includes("ObjectType = 'RT::User'") ? 'RT::User' : 'RT::Ticket';
      if (query.includes('Creator = ')) {
        const by = Number(/Creator = (\d+)/.exec(query)?.[1]);
        return rows((row) => row.type === 'Correspond' && users[row.by]?.id === by);
      }
      return rows((row) => row.object === object && row.id > above);
    }
    if (path === '/tickets') {
      const one = /^id = (\d+)/.exec(query)?.[1];
      const requestor = Number(/Requestor\.id = (\d+)/.exec(query)?.[1]);
      const owner = Number(/Owner\.id = (\d+)/.exec(query)?.[1]);
      const titled = /Subject LIKE '([^']*)'/.exec(query)?.[1];
      const wanted = tickets.filter(
        (id) =>
          (titled === undefined || this.subjects.get(id)?.includes(titled) === true) &&
          (one === undefined ? id > above : id === Number(one)) &&
          (Number.isNaN(requestor) || (this.requestors.get(id) ?? []).some((name) => users[name]?.id === requestor)) &&
          (Number.isNaN(owner) || users[this.owners.get(id) ?? '']?.id === owner),
      );
      return collection(wanted, (id) => this.ticket(id));
    }
    if (path === '/attachments') {
      const conditions = JSON.parse(body) as { field: string; operator?: string; value: number }[];
      const fields = parameters.get('fields')?.split(',') ?? [];
      const valuesOf = (name: string) => conditions.filter(({ field, operator }) => field === name && operator === undefined);
      const types = conditions.filter(({ field }) => field === 'ContentType').map(({ value }) => String(value));
      const isAbove = (name: string, value: number) =>
        conditions.every(({ field, operator, value: bound }) => field !== name || operator !== '>' || value > bound);
      const isOneOf = (name: string, value: number) =>
        valuesOf(name).length === 0 || valuesOf(name).some((condition) => condition.value === value);
      const found = this.attachments().filter(
        ({ id, of, parent, type }) =>
          isOneOf('id', id) &&
          isAbove('id', id) &&
          isOneOf('TransactionId', of) &&
          isOneOf('Parent', parent) &&
          (types.length === 0 || types.includes(type)) &&
          isAbove('Parent', parent),
      );
      // RT looks the parent of each up, and falls over the first one that has none
      if (fields.includes('Parent') && found.some(({ parent }) => parent === 0)) return null;
      return collection(found, ({ id, of, parent, type, name = '', headers = '', content = '' }, index) => ({
        type: 'attachment',
        id: index % 2 === 0 ? String(id) : id,
        ...(fields.includes('TransactionId') ? { TransactionId: index % 2 === 0 ? of : String(of) } : {}),
        ...(fields.includes('ContentType') ? { ContentType: type, Filename: name, Headers: headers } : {}),
        ...(fields.includes('ContentLength') ? { ContentLength: String(content.length) } : {}),
        ...(fields.includes('Content') ? { Content: content } : {}),
        ...(fields.includes('Parent') ? { Parent: { type: 'attachment', id: String(parent), _url: 'x' } } : {}),
      }));
    }
    const id = /^\/user\/(\d+)$/.exec(path)?.[1];
    const user = Object.entries(users).find(([, each]) => String(each.id) === id);
    if (user !== undefined) {
      return {
        Name: user[0],
        Privileged: user[1].privileged,
        _hyperlinks: [
          { ref: 'self', type: 'user', id: user[1].id, _url: 'x' },
          { ref: 'customfield', type: 'customfield', id: '3', name: 'Payment Customer' },
          { ref: 'history', _url: 'x' },
        ],
      };
    }
    if (path === '/customfields') return collection([3], () => ({ id: 3, Name: 'Payment Customer', LookupType: 'RT::User' }));
    if (path === '/users') return collection(['billing'], (name) => ({ ...this.person(name) }));
    if (path === '/rt') return { Version: '5.0.3' };
    return null;
  }
}

const rt = new RtShaped();
beforeAll(() => rt.start());
afterAll(() => rt.stop());
beforeEach(() => rt.reset());

let now = new Date('2026-11-20T13:00:00Z');
const token = 'secret-token-canary';
const connector = (options: Partial<RtHelpdeskOptions> = {}): RtHelpdesk =>
  new RtHelpdesk({
    source: 'rt',
    url: rt.url,
    token,
    windowDays: 30,
    clock: () => now,
    resilience: { retries: 0 },
    ...options,
  });

const run = async (batches: AsyncIterable<TicketBatch>): Promise<{ references: string[]; cursor: string }> => {
  const all: TicketBatch[] = [];
  for await (const batch of batches) all.push(batch);
  const last = all[all.length - 1];
  expect(last?.complete).toBe(true);
  expect(all.slice(0, -1).every(({ complete }) => !complete)).toBe(true);
  return { references: all.flatMap(({ tickets }) => tickets.map(({ ticket }) => ticket.reference)), cursor: last?.cursor ?? '' };
};

describe('one ticket', () => {
  test('numbers and texts of one id are the same, and a name that looks like an id is nobody’s', async () => {
    rt.requestors.set(1, ['39', 'vera@customers.example']);
    rt.owners.set(1, 'ben');
    rt.add({ type: 'Set', field: 'Owner', old: '6', new: '41', by: 'ana' });
    rt.add({ type: 'SetWatcher', field: 'Owner', old: '6', new: '41', by: 'ana' });
    rt.add({ type: 'Correspond', by: '39' });
    const snapshot = await connector().fetchTicket('1');
    expect(snapshot?.ticket).toMatchObject({
      assignee: '41',
      assignedBy: '39',
      createdByStaff: null,
      customerSetBy: [],
      revision: 103,
    });
    // the customer's name is "39", which is ana's id; the customer's id is 70
    expect(snapshot?.ticket.customer).toMatchObject({
      reference: '70',
      email: 'thirtynine@customers.example',
      displayName: null,
    });
    expect(snapshot?.messages.map(({ author }) => author)).toEqual([
      { kind: 'CUSTOMER', displayName: 'vera@customers.example Example' },
      { kind: 'CUSTOMER', displayName: null },
    ]);
    // Whoever else takes part isn't whom the ticket is about.
    expect(snapshot?.messages.map(({ isByCustomer }) => isByCustomer)).toEqual([false, true]);
    expect(snapshot?.staff.map(({ reference, email }) => [reference, email])).toEqual([
      ['41', 'ben@rt.example'],
      ['39', 'ana@rt.example'],
    ]);
    expect(snapshot?.asOf).toEqual(now);
  });

  test('an unexpanded reference, whose id is a name, is refused rather than taken for a number', async () => {
    rt.before = (path) =>
      path === '/ticket/1/history'
        ? {
            body: JSON.stringify({
              items: [
                {
                  type: 'transaction',
                  id: 100,
                  ObjectType: 'RT::Ticket',
                  ObjectId: '1',
                  Type: 'Create',
                  Created: '2026-11-20T12:34:13Z',
                  Creator: { type: 'user', id: '39', _url: 'x' },
                },
              ],
              total: null,
              per_page: 100,
            }),
          }
        : null;
    await expect(connector().fetchTicket('1')).rejects.toMatchObject({ why: 'malformed' });
  });

  test('it costs five requests, each with the token and none with it in the address', async () => {
    await connector().fetchTicket('1');
    expect(rt.requests.map(({ path }) => path).sort()).toEqual([
      '/attachments',
      '/ticket/1/history',
      '/tickets',
      '/transactions',
      '/user/53',
    ]);
    expect(new Set(rt.requests.map(({ authorization }) => authorization))).toEqual(new Set([`token ${token}`]));
    expect(rt.requests.some(({ path, query }) => `${path}${query}`.includes(token))).toBe(false);
  });

  test('an agent who re-addresses the ticket while it is read is named with it', async () => {
    rt.before = (path) => {
      if (path === '/tickets') {
        rt.before = () => null;
        rt.requestors.set(1, ['victim@customers.example']);
        rt.add({ type: 'AddWatcher', field: 'Requestor', new: '54', by: 'ana' });
        rt.add({ type: 'DelWatcher', field: 'Requestor', old: '53', by: 'ana' });
      }
      return null;
    };
    const { ticket } = (await connector().fetchTicket('1')) ?? {};
    expect(ticket).toMatchObject({ customerSetBy: ['39'], customer: { reference: '54' } });
    // what the record holds may be newer than its revision, never older
    expect(ticket?.revision).toBe(100);
  });

  test('an owner who is given the ticket while it is read is reported with the revision of before', async () => {
    rt.before = (path) => {
      if (path === '/ticket/1/history') {
        rt.before = (next) => {
          if (next === '/tickets') {
            rt.before = () => null;
            rt.owners.set(1, 'ben');
            rt.add({ type: 'Set', field: 'Owner', old: '6', new: '41', by: 'ana' });
          }
          return null;
        };
      }
      return null;
    };
    expect((await connector().fetchTicket('1'))?.ticket).toMatchObject({ assignee: '41', assignedBy: '39', revision: 100 });
  });

  test('a merge in mid-reading starts the reading again', async () => {
    let merged = false;
    rt.before = (path) => {
      if (path === '/tickets' && !merged) {
        merged = true;
        rt.add({ type: 'AddLink', field: 'MergedInto', new: 'fsck.com-rt://rt.example/ticket/1', by: 'ben' });
      }
      return null;
    };
    expect((await connector().fetchTicket('1'))?.ticket).toMatchObject({ customerSetBy: ['41'], revision: 101 });
  });

  test('another ticket’s answer is never taken for this one’s', async () => {
    rt.add({ type: 'Create', by: 'ana', of: 2 });
    rt.before = (path, query) =>
      path === '/tickets' && query.startsWith('id = 1')
        ? { body: JSON.stringify({ items: [rt.ticket(2)], total: null, per_page: 100 }) }
        : null;
    await expect(connector().fetchTicket('1')).rejects.toMatchObject({ why: 'malformed' });
  });

  test('who edits the customer’s address is named; a customer who edits it alone is left without', async () => {
    rt.add({ object: 'RT::User', of: 53, type: 'Set', field: 'EmailAddress', old: 'a@x.example', new: 'b@x.example', by: 'ana' });
    expect((await connector().fetchTicket('1'))?.ticket).toMatchObject({
      customerSetBy: ['39'],
      customer: { email: 'vera@customers.example' },
    });
    rt.add({
      object: 'RT::User',
      of: 53,
      type: 'Set',
      field: 'EmailAddress',
      by: 'vera@customers.example',
      new: 'victim@x.example',
    });
    expect((await connector().fetchTicket('1'))?.ticket).toMatchObject({ customerSetBy: ['39'], customer: { email: null } });
  });

  test('texts that are too long together are read in portions', async () => {
    const texts = Array.from({ length: 7 }, (_none, index) => `${index}`.repeat(900_000));
    rt.parts = [
      { id: 2000, of: 100, parent: 0, type: 'multipart/mixed' },
      ...texts.map((content, index) => ({ id: 2001 + index, of: 100, parent: 2000, type: 'text/plain', content })),
    ];
    const [message] = (await connector().fetchTicket('1'))?.messages ?? [];
    expect(message).toMatchObject({ isCut: true, body: expect.stringMatching(/^0+\n\n\[This message is longer/) });
    expect(rt.requests.filter(({ path }) => path === '/attachments')).toHaveLength(5);
  });

  test('a message is read by the tree of its parts, and nothing of its files but what they are called', async () => {
    const disposition = 'Content-Type: image/png;\n name="a.png"\nContent-Disposition: attachment;\n filename="a.png"\n';
    rt.parts = [
      { id: 2000, of: 100, parent: 0, type: 'multipart/mixed', headers: 'Subject: x\nX-RT-Interface: Email\n' },
      { id: 2001, of: 100, parent: 2000, type: 'multipart/alternative' },
      { id: 2002, of: 100, parent: 2001, type: 'text/plain', content: ' ' },
      { id: 2003, of: 100, parent: 2001, type: 'multipart/related', headers: 'Content-Type: multipart/related; start="<r@x>"' },
      { id: 2004, of: 100, parent: 2003, type: 'text/html', headers: 'Content-ID: <f@x>', content: '<p>its frame</p>' },
      { id: 2005, of: 100, parent: 2003, type: 'text/html', headers: 'Content-ID:\n <r@x>', content: '<p>My card</p>' },
      {
        id: 2006,
        of: 100,
        parent: 2000,
        type: 'text/plain',
        name: 'b.txt',
        headers: 'Content-Disposition: Inline;\n filename=b.txt',
        content: 'is lost',
      },
      { id: 2007, of: 100, parent: 2000, type: 'image/png', name: 'a\u202e.png', headers: disposition, content: '12345678' },
      {
        id: 2008,
        of: 100,
        parent: 2000,
        type: 'message/rfc822',
        headers: "Content-Disposition: attachment; filename*=utf-8''alt%C3%AB.eml",
      },
      { id: 2009, of: 100, parent: 2008, type: 'text/plain', content: 'another’s letter' },
    ];
    const snapshot = await connector().fetchTicket('1');
    expect(snapshot?.messages).toEqual([
      expect.objectContaining({
        channel: 'EMAIL',
        body: 'My card\n\nis lost',
        isCut: false,
        attachments: [
          { name: null, type: 'text/html', size: 16 },
          { name: 'a.png', type: 'image/png', size: 8 },
          { name: 'altë.eml', type: 'message/rfc822', size: 16 },
        ],
      }),
    ]);
    expect(snapshot?.ticket.channel).toBe('EMAIL');
    // what is asked for by its number is what may be the text
    const asked = rt.requests.filter(({ fields }) => fields.join() === 'id,Content');
    expect(asked.flatMap(({ body }) => (JSON.parse(body) as { value: number }[]).map(({ value }) => value))).toEqual([
      2002, 2005, 2006,
    ]);
  });

  test('messages that are too long together are read in portions', async () => {
    const huge = `{"items":"${'x'.repeat(25 * 1024 * 1024)}"}`;
    let first = true;
    rt.before = (path) => {
      if (path !== '/attachments' || !first) return null;
      first = false;
      return { body: huge };
    };
    expect((await connector().fetchTicket('1'))?.messages.map(({ body }) => body)).toEqual(['text of 100']);
  });

  test('a message that nobody wrote anything in is one', async () => {
    rt.parts = [{ id: 2000, of: 100, parent: 0, type: 'application/pdf', name: 'a.pdf', content: '1234' }];
    expect((await connector().fetchTicket('1'))?.messages).toMatchObject([
      { body: '', isCut: false, attachments: [{ name: 'a.pdf', type: 'application/pdf', size: 4 }] },
    ]);
  });

  test.each(['0', '01', '1.0', '-1', '1 OR 1=1', '', ' 1', '1/history', '9'.repeat(20)])(
    '%j is no ticket’s number',
    async (reference) => {
      expect(await connector().fetchTicket(reference)).toBeNull();
      expect(rt.requests).toEqual([]);
    },
  );
});

describe('the link field', () => {
  const linked = { customerField: { name: 'Payment Customer', writers: ['billing'] } };
  const wrote = (by: string, value: string) => {
    rt.link.set('vera@customers.example', value === '' ? [] : [value]);
    rt.add({ object: 'RT::User', of: 53, type: 'CustomField', field: '3', new: value, by });
  };
  const reference = async (options: Partial<RtHelpdeskOptions> = linked) =>
    (await connector(options).fetchTicket('1'))?.ticket.customer?.protectedPaymentReference;

  test('its value comes as long as the last to write it was one of its writers', async () => {
    wrote('billing', 'cus_vera');
    expect(await reference()).toBe('cus_vera');
    wrote('ana', 'cus_victim');
    expect(await reference()).toBeNull();
    wrote('billing', 'cus_vera');
    expect(await reference()).toBe('cus_vera');
    expect(await reference({ customerField: { name: 'Payment Customer', writers: [] } })).toBeNull();
    expect(await reference({})).toBeNull();
  });

  test.each([
    ['whose writing nobody recorded', () => rt.link.set('vera@customers.example', ['cus_vera'])],
    [
      'that differs from what was recorded',
      () => {
        wrote('billing', 'cus_vera');
        rt.link.set('vera@customers.example', ['cus_victim']);
      },
    ],
    [
      'beside another',
      () => {
        wrote('billing', 'cus_vera');
        rt.link.set('vera@customers.example', ['cus_vera', 'cus_victim']);
      },
    ],
    ['that is no reference', () => wrote('billing', 'cus vera')],
  ])('a value %s does not count', async (_, arrange) => {
    arrange();
    expect(await reference()).toBeNull();
  });

  test('a value that an agent writes while the ticket is read does not count', async () => {
    wrote('billing', 'cus_vera');
    const helpdesk = connector(linked);
    await helpdesk.checkLinkField?.();
    rt.before = (path) => {
      if (path === '/tickets') {
        rt.before = () => null;
        wrote('ana', 'cus_victim');
      }
      return null;
    };
    expect((await helpdesk.fetchTicket('1'))?.ticket.customer?.protectedPaymentReference).toBeNull();
  });

  test('names that would leave the query’s quotes are refused at once', () => {
    for (const name of ["x' OR 'a' = 'a", 'x\\', 'a"b', '', 'a\nb']) {
      expect(() => connector({ customerField: { name: 'Payment Customer', writers: [name] } })).toThrow(TypeError);
      expect(() => connector({ queues: [name] })).toThrow(TypeError);
    }
  });
});

describe('polling', () => {
  const start = async (helpdesk = connector()) => {
    const { cursor } = await run(helpdesk.backfill(new Date(0), null));
    return (await run(helpdesk.poll(cursor))).cursor;
  };

  test('a page from which withheld rows are missing, even all of them, is not the end', async () => {
    const cursor = await start();
    for (let rows = 0; rows < 150; rows += 1) rt.add({ type: 'Set', by: 'ana', of: 7, withheld: true });
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 2 });
    for (let rows = 0; rows < 60; rows += 1) rt.add({ type: 'Set', by: 'ana', of: 7, withheld: true });
    for (let rows = 0; rows < 90; rows += 1) rt.add({ type: 'Correspond', by: 'ana', of: 3 });
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 4 });
    // a ticket whose changes lie on two pages comes twice
    expect([...new Set((await run(connector().poll(cursor))).references)].sort()).toEqual(['2', '3', '4']);
  });

  test('a transaction that commits after ones with higher ids is seen, and nothing is seen twice', async () => {
    const cursor = await start();
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 2 }, 205);
    const first = await run(connector().poll(cursor));
    expect(first.references).toEqual(['2']);
    now = new Date(now.getTime() + 60_000);
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 3 }, 203);
    const second = await run(connector().poll(first.cursor));
    expect(second.references).toEqual(['3']);
    expect((await run(connector().poll(second.cursor))).references).toEqual([]);
  });

  test('the overlap ends: later polls ask only for what is new', async () => {
    const cursor = await start();
    rt.add({ type: 'Set', by: 'ana' }, 300);
    const first = await run(connector().poll(cursor));
    now = new Date(now.getTime() + 121_000);
    const second = await run(connector().poll(first.cursor));
    now = new Date(now.getTime() + 121_000);
    rt.requests = [];
    await run(connector().poll(second.cursor));
    expect(rt.requests[0]?.query).toContain('id > 300 ');
  });

  test('a ticket that RT can’t show intelligibly holds nobody else up and is reported', async () => {
    const cursor = await start();
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 2 });
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 3 });
    rt.before = (path) => (path === '/ticket/2/history' ? { body: '["No permission to view ticket 2"]' } : null);
    const skipped: string[] = [];
    const helpdesk = connector({ onSkipped: (reference) => skipped.push(reference) });
    expect((await run(helpdesk.poll(cursor))).references).toEqual(['3']);
    expect(skipped).toEqual(['2']);
  });

  test('an outage in mid-run is thrown, and the run resumes without a loss', async () => {
    const cursor = await start();
    rt.add({ type: 'Create', by: 'vera@customers.example', of: 2 });
    rt.before = (path) => (path === '/tickets' ? { status: 503, body: 'down' } : null);
    await expect(run(connector().poll(cursor))).rejects.toMatchObject({ why: 'fault', status: 503 });
    rt.before = () => null;
    expect((await run(connector().poll(cursor))).references).toEqual(['2']);
  });

  test('a customer’s changed address brings their tickets', async () => {
    const cursor = await start();
    rt.add({ object: 'RT::User', of: 53, type: 'Set', field: 'EmailAddress', by: 'ana' });
    expect((await run(connector().poll(cursor))).references).toEqual(['1']);
  });

  test('an answer in another order, or to another question, is refused', async () => {
    const cursor = await start();
    for (const ids of [[301, 300], [300, 300], [1]]) {
      rt.before = (path) =>
        path === '/transactions'
          ? { body: JSON.stringify({ items: ids.map((id) => ({ id, ObjectId: 1, Type: 'Set', Field: '' })), per_page: 100 }) }
          : null;
      await expect(run(connector().poll(cursor))).rejects.toMatchObject({ why: 'malformed' });
    }
  });

  test.each(['', 'x', 'e30', Buffer.from('{"kind":"poll","tickets":{"floor":-1}}').toString('base64url')])(
    'the cursor %j is nobody’s',
    async (cursor) => {
      await expect(run(connector().poll(cursor))).rejects.toThrow(TypeError);
    },
  );
});

describe('a note', () => {
  test('is one comment in plain text, under the token, and is never read back as a message', async () => {
    const helpdesk = connector();
    const before = await helpdesk.fetchTicket('1');
    rt.requests = [];
    expect(await helpdesk.addNote('1', 'The card was replaced.\u0007\r\nBy the customer.')).toBe(true);
    expect(rt.requests).toEqual([
      {
        method: 'POST',
        path: '/ticket/1/comment',
        query: '',
        fields: [],
        body: JSON.stringify({ Content: 'The card was replaced. \nBy the customer.', ContentType: 'text/plain' }),
        authorization: `token ${token}`,
        type: 'application/json',
      },
    ]);
    const after = await helpdesk.fetchTicket('1');
    expect(after?.messages).toEqual(before?.messages);
  });

  test.each(['', '0', '-1', '1/comment', '../user/1', '1?x', '1 '])('to %j is not even sent', async (reference) => {
    expect(await connector().addNote(reference, 'x')).toBe(false);
    expect(rt.requests).toEqual([]);
  });

  test.each([
    ['there is no such ticket', null],
    ['the account may not write there', { status: 400, body: JSON.stringify({ message: 'Permission Denied' }) }],
    ['the account is kept out altogether', { status: 403, body: JSON.stringify({ message: 'Forbidden' }) }],
  ])('is not written where %s', async (_, answer) => {
    rt.before = () => answer;
    expect(await connector().addNote('77', 'x')).toBe(false);
  });

  test.each([
    [500, 'fault'],
    [502, 'fault'],
    [429, 'rate-limited'],
    [401, 'unauthorized'],
    [302, 'malformed'],
    [422, 'malformed'],
  ])('that is answered by %i is sent once and no more', async (status, why) => {
    rt.before = () => ({ status, body: '{"message":"note-canary"}' });
    const failed = connector({ resilience: { retries: 3 } }).addNote('1', 'note-canary');
    const error = await failed.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'SourceUnavailable', why, status });
    expect(`${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('note-canary');
    expect(rt.requests).toHaveLength(1);
  });

  test('whose answer doesn’t come in time is sent once and no more', async () => {
    rt.before = () => 'hang';
    const hasty = connector({ resilience: { retries: 3, attemptTimeout: 60 } });
    await expect(hasty.addNote('1', 'x')).rejects.toMatchObject({ why: 'timeout' });
    expect(rt.requests).toHaveLength(1);
  });
});

describe('a ticket that the gateway opens', () => {
  const draft = {
    customerReference: '53',
    queue: 'Cards',
    subject: 'A look at recent payments',
    body: 'Look at this.\u0007\r\nAlert: alr_1',
    idempotencyKey: 'out_01J',
  };
  const posted = () => rt.requests.filter(({ path, method }) => path === '/ticket' && method === 'POST');
  const put = () => rt.requests.filter(({ method }) => method === 'PUT');

  test('is made without a requestor, whom RT would mail it, and theirs then; and is found by its key', async () => {
    const helpdesk = connector();
    expect(await helpdesk.openedTicket(draft)).toBeNull();
    expect(await helpdesk.openTicket(draft)).toBe('2');
    expect(
      [...posted(), ...put()].map(({ method, path, body, authorization, type }) => [
        `${method} ${path}`,
        JSON.parse(body),
        authorization,
        type,
      ]),
    ).toEqual([
      [
        'POST /ticket',
        {
          Queue: 'Cards',
          Subject: 'A look at recent payments [out_01J]',
          Content: 'Look at this. \nAlert: alr_1',
          ContentType: 'text/plain',
        },
        `token ${token}`,
        'application/json',
      ],
      ['PUT /ticket/2', { Requestor: '53' }, `token ${token}`, 'application/json'],
    ]);
    rt.requests = [];
    expect(await helpdesk.openedTicket(draft)).toBe('2');
    expect(await helpdesk.openedTicket({ ...draft, idempotencyKey: 'out_01K' })).toBeNull();
    expect(await helpdesk.openedTicket({ ...draft, customerReference: '54' })).toBeNull();
    expect(rt.requests.map(({ query }) => query)).toEqual([
      "Queue = 'Cards' AND Subject LIKE '[out_01J]' AND Requestor.id = 53",
      "Queue = 'Cards' AND Subject LIKE '[out_01K]' AND Requestor.id = 53",
      "Queue = 'Cards' AND Subject LIKE '[out_01J]' AND Requestor.id = 54",
    ]);
  });

  test('that lacks its requestor yet isn’t there, and is gone on with where it is asked for again', async () => {
    rt.before = (path) => (path === '/ticket/2' ? { status: 502, body: '' } : null);
    await expect(connector().openTicket(draft)).rejects.toMatchObject({ why: 'fault' });
    expect(await connector().openedTicket(draft)).toBeNull();
    rt.before = () => null;
    expect(await connector().openTicket(draft)).toBe('2');
    expect(posted()).toHaveLength(1);
    expect(put()).toHaveLength(2);
    expect(await connector().openTicket(draft)).toBe('2');
    expect([posted().length, put().length]).toEqual([1, 2]);
  });

  test('that somebody made another’s meanwhile stays theirs, and isn’t this customer’s', async () => {
    rt.mayModify = false;
    expect(await connector().openTicket(draft)).toBeNull();
    rt.requestors.set(2, ['victim@customers.example']);
    rt.mayModify = true;
    expect(await connector().openTicket(draft)).toBeNull();
    expect(rt.requestors.get(2)).toEqual(['victim@customers.example']);
  });

  test.each([
    ['a requestor of no ticket', '54'],
    ['nobody', '999'],
    ['staff', '39'],
    ['no number', '53 OR id > 0'],
    ['nothing', ''],
  ])('for %s is not even asked for', async (_, customerReference) => {
    rt.requestors.set(1, ['vera@customers.example', 'ana']);
    expect(await connector().openTicket({ ...draft, customerReference })).toBeNull();
    expect(posted()).toEqual([]);
  });

  test.each([
    ["a quote in the queue's name", { queue: "Cards' OR id > 0" }],
    ['a quote in the key', { idempotencyKey: "out_' OR id > 0" }],
    ['no key', { idempotencyKey: '' }],
    ['a key that is too long', { idempotencyKey: 'k'.repeat(65) }],
  ])('is not looked for with %s', async (_, given) => {
    await expect(connector().openedTicket({ ...draft, ...given })).rejects.toThrow(TypeError);
    expect(rt.requests).toEqual([]);
  });

  test('has a subject as long as RT takes, its key whole', async () => {
    await connector().openTicket({ ...draft, subject: 'x'.repeat(500), idempotencyKey: 'k'.repeat(64) });
    const { Subject } = JSON.parse(posted()[0]?.body ?? '{}') as { Subject: string };
    expect(Subject).toMatch(/^x+ \[k{64}\]$/);
    expect(Subject).toHaveLength(200);
  });

  test.each([400, 403, 404])('that is answered by %i is none', async (status) => {
    rt.before = (path) => (path === '/ticket' ? { status, body: JSON.stringify({ message: 'Permission Denied' }) } : null);
    expect(await connector().openTicket(draft)).toBeNull();
    expect(posted()).toHaveLength(1);
  });

  test.each([
    [500, 'fault', ''],
    [429, 'rate-limited', ''],
    [401, 'unauthorized', ''],
    [302, 'malformed', ''],
    [201, 'malformed', '{"id": "1 <x>"}'],
    [201, 'malformed', '{"id'],
  ])('that is answered by %i (%s) is asked for once, and may be there', async (status, why, body) => {
    rt.before = (path) => (path === '/ticket' ? { status, body } : null);
    await expect(connector({ resilience: { retries: 3 } }).openTicket(draft)).rejects.toMatchObject({
      name: 'SourceUnavailable',
      why,
    });
    expect(posted()).toHaveLength(1);
  });
});

describe('faults', () => {
  const said = { message: 'Could not load ticket of vera@customers.example' };
  test.each([
    ['an error with status 200', { body: JSON.stringify(said) }, 'malformed'],
    ['a list of sentences', { body: JSON.stringify(['User vera@customers.example: Permission Denied']) }, 'malformed'],
    ['half an answer', { body: '{"items": [{"id": 1, "vera@cust' }, 'malformed'],
    ['HTML', { body: '<html>vera@customers.example</html>' }, 'malformed'],
    ['nothing', { body: '' }, 'malformed'],
    ['a redirect to the login page', { status: 302, body: '' }, 'malformed'],
    ['a refusal of the query', { status: 400, body: JSON.stringify(said) }, 'malformed'],
    ['a refusal of the token', { status: 401, body: JSON.stringify(said) }, 'unauthorized'],
    ['a refusal of the pace', { status: 429, body: JSON.stringify(said) }, 'rate-limited'],
    ['a fault', { status: 500, body: JSON.stringify(said) }, 'fault'],
    ['a request of its own', { status: 403, body: JSON.stringify(said) }, 'unauthorized'],
  ])('%s is told without what was said', async (_, answer, why) => {
    rt.before = () => answer;
    const error = await connector()
      .fetchTicket('1')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SourceUnavailable);
    expect(error).toMatchObject({ why, source: 'rt' });
    for (const canary of ['vera', token]) {
      expect(`${JSON.stringify(error)} ${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain(canary);
    }
  });

  test('an answer that doesn’t come in time is a timeout', async () => {
    rt.before = () => 'hang';
    await expect(connector({ resilience: { retries: 0, attemptTimeout: 60 } }).fetchTicket('1')).rejects.toMatchObject({
      why: 'timeout',
    });
  });

  test('a passing fault is tried again, an answer that makes no sense is not', async () => {
    let faults = 2;
    rt.before = () => (faults-- > 0 ? { status: 502, body: '' } : null);
    expect((await connector({ resilience: { retries: 2 } }).fetchTicket('1'))?.ticket.reference).toBe('1');
    rt.requests = [];
    rt.before = () => ({ body: '[]' });
    await expect(connector({ resilience: { retries: 2 } }).fetchTicket('1')).rejects.toMatchObject({ why: 'malformed' });
    expect(rt.requests).toHaveLength(1);
  });

  test('the circuit opens after repeated faults and spares RT', async () => {
    rt.before = () => ({ status: 500, body: '' });
    const helpdesk = connector({ resilience: { retries: 0, breakAfter: 3, breakFor: 60_000 } });
    const whys: string[] = [];
    for (let tries = 0; tries < 5; tries += 1) {
      await helpdesk.ping().catch((error: SourceUnavailable) => whys.push(error.why));
    }
    expect(whys).toEqual(['fault', 'fault', 'fault', 'circuit-open', 'circuit-open']);
    expect(rt.requests).toHaveLength(3);
  });
});
