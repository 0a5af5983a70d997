import { randomBytes } from 'node:crypto';
import {
  buildSchema,
  type GraphQLInputType,
  type GraphQLResolveInfo,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  printSchema,
} from 'graphql';
import { keyEncryptionOf } from '../../src/config/key-encryption';
import { demoTickets } from '../../src/development/merchant/cast';
import { servedGraph } from '../../src/features/schema';
import { guardTexts } from '../../src/graphql/guard-texts';
import { DataKeyring } from '../../src/privacy/customer-keys';
import { containsCardNumber } from '../../src/privacy/redaction';
import { open } from '../../src/privacy/sealing';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { OtherIssuer } from '../support/other-issuer';
import { card, helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments, staff } from '../support/scripted-sources';

/** A value of every argument of every mutation, with one text of it replaced. */
interface Attempt {
  readonly mutation: string;
  readonly place: string;
  readonly definitions: string;
  readonly given: string;
  readonly literals: string;
  readonly variables: Record<string, unknown>;
  /** Of the answer: nothing where it is a scalar. */
  readonly selection: string;
}

const placeholder = 'placeholder';
/** Which no person asks for. */
const ofServices = ['paymentDecision', 'recordStepUp'];
const { schema } = servedGraph();

/** The places of texts in a type: `reason` of an input. */
const placesOf = (type: GraphQLInputType, place: string): string[] => {
  if (isNonNullType(type) || isListType(type)) return placesOf(type.ofType, place);
  if (isInputObjectType(type))
    return Object.values(type.getFields()).flatMap(({ name, type: of }) => placesOf(of, `${place}.${name}`));
  return !isEnumType(type) && ['String', 'ID'].includes(type.name) ? [place] : [];
};

/** A value of the type with this text in one place. */
const filled = (type: GraphQLInputType, place: string, at: string, text: string): unknown => {
  if (isNonNullType(type)) return filled(type.ofType, place, at, text);
  if (isListType(type)) return [filled(type.ofType, place, at, text)];
  if (isInputObjectType(type))
    return Object.fromEntries(
      Object.values(type.getFields()).map(({ name, type: of }) => [name, filled(of, `${place}.${name}`, at, text)]),
    );
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (type.name === 'Boolean') return true;
  if (type.name === 'DateTime') return '2026-09-01T09:00:00Z';
  if (type.name === 'CurrencyCode') return 'EUR';
  return ['Int', 'SafeInt', 'Float'].includes(type.name) ? 1 : place === at ? text : placeholder;
};

const literalOf = (type: GraphQLInputType, value: unknown): string => {
  if (isNonNullType(type)) return literalOf(type.ofType, value);
  if (isListType(type)) return `[${(value as unknown[]).map((item) => literalOf(type.ofType, item)).join(', ')}]`;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    return `{ ${fields.map(({ name, type: of }) => `${name}: ${literalOf(of, (value as Record<string, unknown>)[name])}`).join(', ')} }`;
  }
  return isEnumType(type) ? String(value) : JSON.stringify(value);
};

const attempts = (text: string): Attempt[] =>
  Object.values(schema.getMutationType()?.getFields() ?? {}).flatMap(({ name: mutation, args, type: answer }) =>
    args
      .flatMap(({ name, type }) => placesOf(type, name))
      .map((place): Attempt => {
        const values = args.map(({ name, type }) => ({ name, type, value: filled(type, name, place, text) }));
        return {
          mutation,
          place,
          definitions: values.map(({ name, type }) => `$${name}: ${type}`).join(', '),
          given: values.map(({ name }) => `${name}: $${name}`).join(', '),
          literals: values.map(({ name, type, value }) => `${name}: ${literalOf(type, value)}`).join(', '),
          variables: Object.fromEntries(values.map(({ name, value }) => [name, value])),
          selection: isLeafType(getNamedType(answer)) ? '' : '{ __typename }',
        };
      }),
  );

describe('a text that somebody writes', () => {
  let test: TestApp;
  /** Of every role that may change something, so that nothing is refused for want of one. */
  let somebody: { readonly token: string };
  let service: { readonly token: string };
  const who = (mutation: string) => (ofServices.includes(mutation) ? service : somebody);
  beforeAll(async () => {
    const issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
    const roles = ['AGENT', 'SUPERVISOR', 'PAYMENTS', 'ADMIN', 'PRIVACY'] as const;
    somebody = { token: await issuer.token('sam', { roles, teams: ['cards'] }, test.clock.now()) };
    service = { token: await issuer.token('shop', { roles: ['SERVICE'], teams: [] }, test.clock.now()) };
  });
  afterAll(() => test.stop());

  const cardData = [
    'Caller reads 4242 4242 4242 4242 aloud',
    'Card expires 12/29 and the CVV is 987',
    'the security code on the back is 123',
    'valid until December 2029',
    'swiped: %B4000001234567899^DOE/JANE^2912101123400001230?',
    // As our own ids look, and as programs make keys.
    'pan_4242424242424242ABCDEFGHJK',
    '42424242-4242-4242-4242-424242424242',
  ];
  const isId = (place: string): boolean => /(?:Ids?|(?:^|\.)id)$/.test(place);

  it.each(cardData)(
    'is refused wherever a mutation takes one, as a literal and as a variable, and leaves nothing: %s',
    async (text) => {
      // Where an id is asked for, one of ours may have any digits.
      const tried = attempts(text).filter(({ place }) => !text.startsWith('pan_') || !isId(place));
      // All texts of all mutations, whatever is added to them.
      expect(tried.map(({ mutation, place }) => `${mutation} ${place}`)).toEqual(
        expect.arrayContaining([
          'beginAssistance input.reason',
          'requestCredentialUpdate input.reason',
          'requestCredentialUpdate input.idempotencyKey',
          'rejectCredentialUpdate reason',
        ]),
      );
      for (const each of [somebody, service]) await test.as(each, '{ viewer { roles } }');
      const before = await test.events();
      for (const { mutation, place, definitions, given, literals, variables, selection } of tried) {
        const refused = { data: null, errors: [[mutation, 'INVALID', place]] };
        const withVariables = `mutation(${definitions}) { ${mutation}(${given}) ${selection} }`;
        // The third time it is compiled.
        for (let time = 0; time < 3; time++)
          expect(told(await test.as(who(mutation), withVariables, variables))).toEqual(refused);
        const answer = await test.as(who(mutation), `mutation { ${mutation}(${literals}) ${selection} }`);
        expect(told(answer)).toEqual(refused);
        expect(JSON.stringify(answer)).not.toMatch(/4242|987|123|2029/);
      }
      expect(await test.events()).toEqual(before);
      expect(test.logLines.join('')).not.toMatch(/4242 4242|is 987|back is 123|December 2029|DOE/);
    },
  );

  it('is refused at once where it is longer than any text may be', async () => {
    const first = attempts('x'.repeat(4_001)).find(({ place }) => !isId(place));
    const { mutation, place, definitions, given, variables } = first as Attempt;
    const answer = await test.as(somebody, `mutation(${definitions}) { ${mutation}(${given}) { __typename } }`, variables);
    expect(told(answer)).toEqual({ data: null, errors: [[mutation, 'INVALID', place]] });
  });

  it('never stands in a leaf: an operation’s name is there as a keyed digest, the same for the same name', async () => {
    const names = ['c4242424242424242_CVV_123', 'c4242424242424242_CVV_123', 'Show', 'anaExampleCom'];
    const answers: unknown[] = [];
    for (const name of names) {
      const query = `query ${name} { ticketByReference(source: "demo", reference: "1001") { my_alias_of_it: customer { displayName } } }`;
      answers.push((await test.as('ana', query)).errors);
    }
    expect(answers).toEqual(names.map(() => undefined));
    const events = (await test.events('disclosure')) as {
      readonly detail: { readonly operation: string };
    }[];
    const operations = events.map(({ detail }) => detail.operation);
    expect(operations).toEqual(names.map(() => expect.stringMatching(/^opn_[a-z2-7]{32}$/)));
    expect(new Set(operations).size).toBe(3);
    const leaves = JSON.stringify(await test.events());
    expect(leaves).not.toMatch(/42424242|CVV_|"Show"|anaExample|my_alias/);
  });

  it('is taken without what turns its direction, and is refused where it hides card data with that', async () => {
    const request = `mutation($input: BeginAssistanceInput!) { beginAssistance(input: $input) { reason } }`;
    const ticketId = await ticketIdOf(test, demoTickets.own.reference);
    const input = {
      ticketId,
      purpose: 'PAYMENT_QUESTION',
      reason: 'asked \u202eby\u202c the \u2066cus\u00adtomer\u2069 ك\u200c',
    };
    expect(await test.as('sam', request, { input })).toEqual({
      status: 200,
      data: { beginAssistance: { reason: 'asked by the customer ك\u200c' } },
    });
    const hidden = { ...input, reason: '4242\u202e 4242\u2069 4242 \u202a4242' };
    expect(told(await test.as('sam', request, { input: hidden }))).toEqual({
      data: null,
      errors: [['beginAssistance', 'INVALID', 'input.reason']],
    });
  });

  const odd = ['half \ud83d of a pair, \udc00 twice', 'a \u0000 and \u001b[2K and \u0085', 'one \r\n line\u2028and\vmore'];

  it.each(odd)('reaches whoever takes it as one line of whole characters, whatever mutation it is for: %j', async (text) => {
    const served = buildSchema(printSchema(schema));
    let seen: unknown;
    for (const field of Object.values(served.getMutationType()?.getFields() ?? {}))
      field.resolve = (_, args) => {
        seen = args;
      };
    const fields = guardTexts(served).getMutationType()?.getFields() ?? {};
    for (const { mutation, place, variables } of attempts(text)) {
      seen = undefined;
      await fields[mutation]?.resolve?.(null, variables, {}, {} as GraphQLResolveInfo);
      const taken = place.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], seen);
      // What is no text but the name of something is as it was written: another one is absent.
      const [one] = Array.isArray(taken) ? taken : [taken];
      if (isId(place)) expect([place, /\p{Cs}/u.test(one)]).toEqual([place, false]);
      else expect([place, one]).toEqual([place, expect.stringMatching(/^[^\p{C}\p{Zl}\p{Zp}]{15,}$/u)]);
    }
  });

  it.each(odd)('breaks nothing where it is taken for a name: %j', async (text) => {
    const ticketId = await ticketIdOf(test, demoTickets.own.reference);
    await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { assistance { state } } }');
    const place = 'mutation($input: PlaceHoldInput!) { placeHold(input: $input) { id } }';
    const until = new Date(test.clock.now().getTime() + 3_600_000).toISOString();
    const input = {
      ticketId,
      effects: ['REVIEW'],
      until,
      reason: 'They say that it was not them',
      idempotencyKey: 'key-of-a-hold',
    };
    const of = async (given: Readonly<Record<string, unknown>>) =>
      told(await test.as('ana', place, { input: { ...input, ...given } })).errors;
    expect(await of({ transactionId: text })).toEqual([['placeHold', 'NOT_FOUND']]);
    expect(await of({ ticketId: text })).toEqual([['placeHold', 'NOT_FOUND']]);
    expect(await of({ customerIds: [text] })).toEqual([['placeHold', 'DENIED', 'ROLE']]);
    expect(await of({ idempotencyKey: text })).toEqual([['placeHold', 'INVALID', 'input.idempotencyKey']]);
  });

  it('says why on one line, and is refused where nobody can read it', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.own.reference);
    await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { assistance { state } } }');
    const report = (note: string) =>
      test.as('ana', 'mutation($input: ReportConcernInput!) { reportConcern(input: $input) { note } }', {
        input: { ticketId, note },
      });
    for (const note of ['\u2800'.repeat(20), '\u200c\n'.repeat(20), `${'\n'.repeat(20)}short`])
      expect(told(await report(note)).errors).toEqual([['reportConcern', 'INVALID', 'input.note']]);
    expect((await report('  The voice \r\n\r\n\tchanged\u2028amid \ud83dthe call\n')).data).toEqual({
      reportConcern: { note: 'The voice changed amid the call' },
    });
  });
});

describe('a text that a source holds', () => {
  const keyEncryption = { value: randomBytes(32).toString('base64') } as const;
  const number = '4242 4242 4242 4242';
  /** Everything at once, beside a word that is kept. */
  const poison = (kept: string) => `${kept} ${number} exp 12/29, CVV: 987`;
  const clean = (kept: string) => `${kept} [card number removed] exp [expiry date removed], CVV: [security code removed]`;

  it('is stored without card data wherever it stands, sealed or not', async () => {
    const helpdesk = new ScriptedHelpdesk('demo', [{ ...staff('ana'), displayName: poison('Ana') }, staff('sam')]);
    helpdesk.put(
      '1',
      {
        subject: poison('Subject'),
        team: 'cards',
        customer: helpdeskCustomer('quill', {
          displayName: poison('Quill'),
          email: `${number.replaceAll(' ', '')}@example.com`,
          phone: number,
        }),
      },
      [
        {
          reference: 'm1',
          author: { kind: 'CUSTOMER', displayName: poison('Quill') },
          channel: 'EMAIL',
          body: poison('Body'),
          attachments: [{ name: poison('File'), type: poison('application/pdf'), size: 1 }],
          createdAt: new Date('2026-08-20T10:00:00.000Z'),
        },
      ],
    );
    helpdesk.put('2', { team: poison('Queue') });
    const payments = new ScriptedPayments('demo-pay');
    const address = {
      line1: poison('Street'),
      line2: poison('Flat'),
      city: poison('Town'),
      postalCode: poison('Code'),
      country: 'IE',
    };
    payments.put(
      'pay-quill',
      {
        helpdeskReference: 'demo:quill',
        displayName: poison('Payer'),
        email: `${number.replaceAll(' ', '-')}@example.com`,
        phone: number,
      },
      [card('pm_one', { brand: poison('visa'), billingAddress: address })],
      [
        payment('ch_1', {
          paymentMethodReference: 'pm_one',
          orderReference: poison('Order'),
          orderDescription: poison('Blender'),
          declineCode: poison('declined'),
          declineAdvice: poison('retry'),
          riskSignals: [poison('signal')],
          dispute: { status: poison('open'), reason: poison('fraud'), openedAt: new Date('2026-08-21T10:00:00.000Z') },
        }),
      ],
    );
    const test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments }, config: { keyEncryption } });
    try {
      const ring = new DataKeyring(keyEncryptionOf({ keyEncryption }));
      const keys = (
        await test.app.database.query<{ id: string; owner: string; wrapped: Buffer }>(
          'SELECT id, owner, wrapped FROM privacy_customer_key',
        )
      ).map(({ id, owner, wrapped }) => ring.unwrap(id, wrapped, owner));
      const texts: string[] = [];
      const read = (table: string, column: string, row: string, value: unknown): void => {
        if (!Buffer.isBuffer(value)) texts.push(`${table}.${column}: ${String(value)}`);
        else if (column.endsWith('_sealed'))
          for (const key of keys) {
            try {
              texts.push(`${table}.${column}: ${open(key, { table, column, row }, value)}`);
            } catch {
              // Another one's key.
            }
          }
      };
      const stored = [
        'helpdesk_ticket',
        'helpdesk_message',
        'helpdesk_customer',
        'helpdesk_staff',
        'payment_customer',
        'payment_method',
      ];
      for (const table of [...stored, 'payment_transaction'])
        for (const row of await test.app.database.query<Record<string, unknown>>(`SELECT * FROM ${table}`))
          for (const [column, value] of Object.entries(row)) read(table, column, String(row.id), value);
      for (const [column, kept] of [
        ['helpdesk_ticket.subject_sealed', 'Subject'],
        ['helpdesk_message.body_sealed', 'Body'],
        ['helpdesk_customer.name_sealed', 'Quill'],
        ['helpdesk_staff.display_name', 'Ana'],
        ['helpdesk_ticket.team', 'Queue'],
        ['payment_customer.name_sealed', 'Payer'],
        ['payment_transaction.order_description_sealed', 'Blender'],
        ['payment_transaction.order_reference', 'Order'],
      ] as const)
        expect(texts).toContain(`${column}: ${clean(kept)}`);
      expect(texts).toContain(
        `helpdesk_message.attachments_sealed: ${JSON.stringify([{ name: clean('File'), type: clean('application/pdf'), size: 1 }])}`,
      );
      expect(texts).toContain('helpdesk_customer.email_sealed: [card number removed]@example.com');
      expect(texts.filter((text) => text.includes('removed')).length).toBeGreaterThan(15);
      const isLeft = (text: string): boolean =>
        !/(?:id|_at|_since|digest|revision|surrogate): /.test(text) &&
        (containsCardNumber(text) || /987|12\/29|4242 4242/.test(text));
      expect(texts.filter(isLeft)).toEqual([]);
    } finally {
      await test.stop();
    }
  });
});
