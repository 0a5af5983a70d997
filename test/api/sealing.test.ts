import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { ticketIdOf, told } from '../support/answers';
import { engine } from '../support/database';
import { sampleTexts, sampleTicket, startSample } from '../support/sample';
import { card, helpdeskCustomer } from '../support/scripted-sources';

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : entry.isFile() ? [path] : [];
  });

/** A text as it may stand in a file: as it is, in hexadecimal, or in base64 at any of the three offsets. */
const formsOf = (text: string): Buffer[] => {
  const bytes = Buffer.from(text, 'utf8');
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
      // The first and last character also depend on what stands around.
      .slice(offset === 0 ? 0 : offset + 1, -1),
  );
  return [text, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64].map((form) => Buffer.from(form, 'utf8'));
};

const context = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    reference subject
    customer {
      displayName phone
      paymentMethods { last4 billingAddress { city } }
      transactions(first: 3) { nodes { reference order { description } } }
    }
    messages { nodes { body } }
  }
}`;

describe('what is sealed', () => {
  let sample: Awaited<ReturnType<typeof startSample>>;
  beforeEach(async () => {
    sample = await startSample();
  });
  afterEach(() => sample.test.stop());
  const writer = () => Reflect.get(sample.test.app.database, 'writer') as DataSource;

  it('stands in no file of the database, in whatever form, and not in the log', async () => {
    const { test, helpdesk } = sample;
    const pasted = '4242424242424242';
    const reason = 'Zqreason: the caller could not pay';
    helpdesk.put(sampleTicket, {}, [
      {
        reference: 'm1',
        author: { kind: 'CUSTOMER', displayName: sampleTexts.name },
        channel: 'EMAIL',
        body: sampleTexts.body,
        createdAt: new Date('2026-08-20T10:00:00.000Z'),
      },
      {
        reference: 'm2',
        author: { kind: 'CUSTOMER', displayName: sampleTexts.name },
        channel: 'EMAIL',
        body: `Zqpasted ${pasted}`,
        createdAt: new Date('2026-08-21T10:00:00.000Z'),
      },
    ]);
    await test.app.sources.syncAll();
    const begun = await test.as(
      'sam',
      'mutation ($id: ID!, $reason: String!) { beginAssistance(input: { ticketId: $id, purpose: OTHER, reason: $reason }) { reason } }',
      { id: await ticketIdOf(test, sampleTicket), reason },
    );
    expect(begun.data.beginAssistance.reason).toBe(reason);
    const { data } = await test.as('ana', context, { reference: sampleTicket });
    // It is there, and opens for who may see it.
    expect(data.ticketByReference).toMatchObject({ subject: sampleTexts.subject, customer: { displayName: sampleTexts.name } });
    expect(data.ticketByReference.customer.transactions.nodes).toEqual(
      [3, 2, 1].map((number) => ({ reference: `ch_${number}`, order: { description: `${sampleTexts.order} ${number}` } })),
    );
    expect(data.ticketByReference.messages.nodes.map(({ body }: { body: string }) => body)).toEqual([
      sampleTexts.body,
      'Zqpasted [card number removed]',
    ]);

    const secrets: Record<string, string> = { ...sampleTexts, reason, pasted, payer: 'pay-quill' };
    const log = test.logLines.join('');
    expect(Object.entries(secrets).filter(([, text]) => log.includes(text))).toEqual([]);

    // A server that the tests don't own keeps its files to itself.
    if (engine === 'mariadb' && !process.env.MARIADB_DATA_FOLDER) return;
    if (engine === 'mariadb') {
      const runner = writer().createQueryRunner();
      const tables = (await runner.query('SHOW TABLES')) as Record<string, string>[];
      // Writes every page of these tables to its file before it returns.
      await runner.query(`FLUSH TABLES ${tables.flatMap((row) => Object.values(row)).join(', ')} FOR EXPORT`);
      await runner.query('UNLOCK TABLES');
      await runner.release();
    }
    const folder = engine === 'mariadb' ? (process.env.MARIADB_DATA_FOLDER as string) : test.dataFolder;
    const names = filesUnder(folder).filter((file) => statSync(file).size > 0);
    const clear = { ticket: sampleTicket, digits: '0005', staff: 'Staff ana', transaction: 'ch_2' };
    const found = new Set<string>();
    const seenClear = new Set<string>();
    for (const file of names) {
      let content: Buffer;
      try {
        content = readFileSync(file);
      } catch (error) {
        // Other tests' databases on the same server come and go.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        throw error;
      }
      for (const [name, text] of Object.entries(secrets))
        if (formsOf(text).some((form) => content.includes(form))) found.add(`${name} in ${file.slice(folder.length)}`);
      for (const [name, text] of Object.entries(clear)) if (content.includes(text)) seenClear.add(name);
    }
    expect([...found]).toEqual([]);
    // The search finds what isn't sealed, so it would have found the rest.
    expect([...seenClear].sort()).toEqual(Object.keys(clear).sort());
  });

  const moves: readonly [string, (write: DataSource) => Promise<unknown>, string][] = [
    [
      'from another message of the ticket',
      async (write) => {
        const [first, second] = (await write.query(
          "SELECT id, body_sealed FROM helpdesk_message WHERE reference IN ('x0', 'x1') ORDER BY reference",
        )) as {
          id: string;
          body_sealed: Buffer;
        }[];
        await write.query('UPDATE helpdesk_message SET body_sealed = ? WHERE id = ?', [second?.body_sealed, first?.id]);
      },
      'ticketByReference.messages.nodes.0.body',
    ],
    [
      'from another column of the row',
      (write) => write.query("UPDATE helpdesk_customer SET name_sealed = phone_sealed WHERE reference = 'quill'"),
      'ticketByReference.customer.displayName',
    ],
    [
      'from another customer',
      async (write) => {
        const [other] = (await write.query("SELECT name_sealed FROM helpdesk_customer WHERE reference = 'other'")) as {
          name_sealed: Buffer;
        }[];
        await write.query("UPDATE helpdesk_customer SET name_sealed = ? WHERE reference = 'quill'", [other?.name_sealed]);
      },
      'ticketByReference.customer.displayName',
    ],
    [
      'from another payment method',
      async (write) => {
        const [other] = (await write.query("SELECT billing_address_sealed FROM payment_method WHERE last4 = '7777'")) as {
          billing_address_sealed: Buffer;
        }[];
        await write.query("UPDATE payment_method SET billing_address_sealed = ? WHERE last4 = '0005'", [
          other?.billing_address_sealed,
        ]);
      },
      'ticketByReference.customer.paymentMethods.1.billingAddress',
    ],
    [
      'from another payment of the customer',
      async (write) => {
        const [other] = (await write.query(
          "SELECT order_description_sealed FROM payment_transaction WHERE reference = 'ch_1'",
        )) as { order_description_sealed: Buffer }[];
        await write.query("UPDATE payment_transaction SET order_description_sealed = ? WHERE reference = 'ch_3'", [
          other?.order_description_sealed,
        ]);
      },
      'ticketByReference.customer.transactions.nodes.0.order.description',
    ],
    [
      'with one bit changed',
      async (write) => {
        const [row] = (await write.query('SELECT id, subject_sealed FROM helpdesk_ticket WHERE reference = ?', [
          sampleTicket,
        ])) as {
          id: string;
          subject_sealed: Buffer;
        }[];
        const altered = Buffer.from(row?.subject_sealed ?? []);
        altered[20] = (altered[20] ?? 0) ^ 1;
        await write.query('UPDATE helpdesk_ticket SET subject_sealed = ? WHERE id = ?', [altered, row?.id]);
      },
      'ticketByReference.subject',
    ],
  ];

  it.each(moves)('and put %s doesn’t open: an error of ours, without content, and the rest is shown', async (_, move, path) => {
    const { test, helpdesk, payments } = sample;
    helpdesk.put('2', { customer: helpdeskCustomer('other', { displayName: 'Zqother Person' }) });
    helpdesk.put(sampleTicket, {}, [
      ...['first', 'second'].map((body, index) => ({
        reference: `x${index}`,
        author: { kind: 'SYSTEM' as const },
        channel: 'EMAIL' as const,
        body: `Zq${body} text`,
        createdAt: new Date(Date.UTC(2026, 7, 1, index)),
      })),
    ]);
    payments.put('pay-other', { helpdeskReference: 'demo:other' }, [
      card('pm_other', {
        last4: '7777',
        billingAddress: { line1: 'Zqelsewhere', line2: null, city: 'Zqfar', postalCode: null, country: 'IE' },
      }),
    ]);
    await test.app.sources.syncAll();
    const intact = told(await test.as('ana', context, { reference: sampleTicket }));
    expect(intact.errors).toEqual([]);
    await move(writer());
    const answer = await test.as('ana', context, { reference: sampleTicket });
    expect(told(answer).errors).toEqual([[path, 'INTERNAL']]);
    const at = path.split('.').reduce((value, step) => value?.[step], answer.data);
    expect(at).toBeNull();
    // All else is as it was.
    const without = (data: unknown) => {
      const copy = structuredClone(data);
      const steps = path.split('.');
      const last = steps.pop() as string;
      const parent = steps.reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], copy);
      Object.assign(parent as object, { [last]: null });
      return copy;
    };
    expect(answer.data).toEqual(without(intact.data));
    expect(JSON.stringify(answer)).not.toMatch(/Zqother|Zqelsewhere|Zqfar/);
    const log = test.logLines.join('');
    expect(log).toContain('SealBroken');
    expect(log).not.toMatch(/Zq/);
  });

  it('under a key that was put in another’s place doesn’t open either', async () => {
    const write = writer();
    const keys = (await write.query('SELECT id, owner, wrapped FROM privacy_customer_key')) as {
      id: string;
      owner: string;
      wrapped: Buffer;
    }[];
    const customers = keys.find(({ owner }) => owner.startsWith('cus_'));
    const payers = keys.find(({ owner }) => owner.startsWith('pcu_'));
    // As after a restart: no key is in memory.
    Reflect.get(Reflect.get(sample.test.keys, 'ring'), 'recent').clear();
    await write.query('UPDATE privacy_customer_key SET wrapped = ? WHERE id = ?', [payers?.wrapped, customers?.id]);
    const answer = await sample.test.as('ana', context, { reference: sampleTicket });
    expect(JSON.stringify(answer)).not.toMatch(/Zq(?!REF)/);
    expect(new Set(told(answer).errors.map(([, code]) => code))).toEqual(new Set(['INTERNAL']));
  });
});
