import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { ExposurePolicy } from '../../src/authz/policy/exposure';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { packed } from '../../src/features/exposure/packed';
import { recordPolicy } from '../../src/features/exposure/policy-in-force';
import { eventsOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';

const list = `query ($first: Int, $after: String) {
  policyVersions(first: $first, after: $after) {
    nodes { digest keptAt isInForce eventId leafIndex } pageInfo { hasNextPage endCursor } totalCount
  }
}`;
const diff = `query ($file: String, $version: ID) {
  policyDiff(file: $file, version: $version) {
    inForce digest problemCount problems { line path message } changeCount onlyOneNames
    changes { kind coordinate role assurance class from to effect sentence }
    disclosures { isComplete changed showingMore showingLess }
  }
}`;
const hour = 3_600_000;
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

let test: TestApp;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith() });
});
afterAll(() => test.stop());

const sql = (text: string, parameters: readonly unknown[] = []) => tamper(test.app.database, text, parameters);
const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
const policyOf = (text: string): ExposurePolicy => {
  const { policy } = test.app.services;
  const loaded = ExposurePolicy.load(text, policy.classification);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems[0]));
  return loaded.policy;
};
/** As another gateway on the same database does when it starts, an hour later. */
const comesIntoForce = async (policy: Parameters<typeof recordPolicy>[1]): Promise<string> => {
  test.clock.forward(hour);
  await recordPolicy(test.app.database, policy);
  await test.app.signingLog?.sequencer.turn();
  return policy.digest;
};
/** Events of policies that came into force meanwhile. */
const startsOf = async (work: () => Promise<unknown>) =>
  (await eventsOf(test, work)).filter(({ action }) => action === 'policy.in-force');
const versions = async (variables = {}) => {
  const { data, errors } = told(await test.as('pia', list, variables));
  expect(errors).toEqual([]);
  return data.policyVersions;
};
const compared = async (variables: object) => {
  const { data, errors } = told(await test.as('pia', diff, { ...variables }));
  expect(errors).toEqual([]);
  return data.policyDiff;
};
const refused = async (variables: object) => told(await test.as('pia', diff, { ...variables })).errors;
const softer = () =>
  policyWith(
    ['    phone: { AGENT: "mask:phone"', '    phone: { AGENT: reveal'],
    ['customersPerHour: 40', 'customersPerHour: 41'],
  );

describe('policies that were in force', () => {
  it('are kept with the event of their start, and compared as their files are', async () => {
    const first = test.app.services.policy;
    writeFileSync(test.app.config.policyFile, softer());
    test.clock.forward(hour);
    const left = await startsOf(() => test.restart());
    const now = test.app.services.policy;
    expect(left).toMatchObject([{ subject: { type: 'Policy', id: now.digest }, detail: { bytes: now.text.length } }]);
    await test.app.signingLog?.sequencer.turn();
    const { nodes, totalCount } = await versions();
    expect(nodes).toEqual([
      {
        digest: now.digest,
        keptAt: test.clock.now().toISOString(),
        isInForce: true,
        eventId: expect.stringMatching(/^evt_/),
        leafIndex: expect.any(Number),
      },
      expect.objectContaining({ digest: first.digest, isInForce: false }),
    ]);
    expect(totalCount).toBe(2);

    await test.as(
      'ana',
      `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { phone } } }`,
    );
    await test.app.signingLog?.sequencer.turn();
    const [version, file] = [await compared({ version: first.digest }), await compared({ file: policyWith() })];
    expect(version).toEqual(file);
    expect(version).toMatchObject({
      inForce: now.digest,
      digest: first.digest,
      problemCount: 0,
      changeCount: 2,
      onlyOneNames: 0,
      disclosures: { changed: 1, showingLess: 1 },
    });
    expect(await compared({ version: now.digest })).toMatchObject({ changeCount: 0, disclosures: { changed: 0 } });
    expect(test.app.services.policy.digest).toBe(now.digest);
  });

  it('are kept once each: one that comes back has another event and the same row, and so has one that starts twice at once', async () => {
    const [first] = (await versions({ first: 100 })).nodes.slice(-1);
    const policy = policyOf(policyWith());
    expect(policy.digest).toBe(first.digest);
    const back = await startsOf(() => comesIntoForce(policy));
    expect(back).toMatchObject([{ action: 'policy.in-force', subject: { id: first.digest } }]);
    expect((await versions({ first: 100 })).nodes).toContainEqual(first);
    const third = policyOf(policyWith(['customersPerHour: 40', 'customersPerHour: 42']));
    test.clock.forward(hour);
    const twice = await startsOf(() => Promise.all([1, 2].map(() => recordPolicy(test.app.database, third))));
    expect(twice).toHaveLength(1);
    expect(await startsOf(() => recordPolicy(test.app.database, third))).toEqual([]);
    // Whichever reads what between two statements of the other's.
    for (let round = 0; round < 20; round += 1) {
      test.clock.forward(hour);
      const text = JSON.stringify([1_000, round]);
      const another = { digest: digestOf(text), text };
      const atOnce = await startsOf(() => Promise.all([1, 2, 3].map(() => recordPolicy(test.app.database, another))));
      expect(atOnce).toEqual([expect.objectContaining({ subject: { type: 'Policy', id: another.digest } })]);
    }
    expect(await look()).toEqual([]);
  });

  it('are listed in pages, each reader with their own', async () => {
    for (const quota of [43, 44, 45])
      await comesIntoForce(policyOf(policyWith(['customersPerHour: 40', `customersPerHour: ${quota}`])));
    const { nodes: all, totalCount } = await versions({ first: 100 });
    expect(totalCount).toBe(all.length);
    const paged: string[] = [];
    let after: string | null = null;
    do {
      const { nodes, pageInfo } = await versions({ first: 2, after });
      paged.push(...nodes.map(({ digest }: { digest: string }) => digest));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      if (after !== null && paged.length === 2)
        expect(told(await test.as('ada', list, { first: 2, after })).errors).toEqual([['policyVersions', 'INVALID', 'after']]);
    } while (after !== null);
    expect(paged).toEqual(all.map(({ digest }: { digest: string }) => digest));
    const { data } = told(await test.as('ada', list, { first: 100 }));
    expect(data.policyVersions.nodes.length).toBe(all.length);
  });

  it('of another graph are compared by what both have', async () => {
    const text = JSON.parse(test.app.services.policy.text);
    const fields = text[7] as [string, unknown][];
    const [gone] = fields.splice(
      fields.findIndex(([coordinate]) => coordinate === 'Customer.phone'),
      1,
    ) as [[string, unknown]];
    fields.push(['Customer.shoeSize', gone[1]]);
    text[8].push(['Customer.shoeSize', ['PAYMENTS']]);
    const former = JSON.stringify(text);
    const digest = await comesIntoForce({ digest: digestOf(former), text: former });
    expect(await compared({ version: digest })).toMatchObject({
      problemCount: 0,
      changeCount: 0,
      onlyOneNames: 3,
      disclosures: { changed: 0 },
    });
  });

  it('that another release wrote in a form of its own are said to be so', async () => {
    const text = JSON.stringify([1_000, 'whatever']);
    const digest = await comesIntoForce({ digest: digestOf(text), text });
    const found = await compared({ version: digest });
    expect(found).toMatchObject({ digest: null, problemCount: 1, changes: [], disclosures: null });
    expect(found.problems).toEqual([{ line: null, path: '', message: expect.stringContaining('another') }]);
  });

  it('fit into their column whatever they decide', () => {
    let seed = 1;
    const next = (most: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % most;
    };
    const verdicts = ['reveal', 'omit', 'deny', 'mask:email', 'mask:phone', 'mask:last4', 'mask:hidden', 'mask:digest'];
    const text = JSON.parse(test.app.services.policy.text);
    for (const [, byRole] of text[7] as [string, string[][]][])
      for (const decided of byRole) decided.splice(1, 3, ...[1, 2, 3].map(() => verdicts[next(verdicts.length)] as string));
    expect(packed(JSON.stringify(text)).length).toBeLessThan(65_536);
  });
});

describe('what isn’t asked for as it may be', () => {
  it.each([
    ['neither a file nor a policy', {}],
    ['both', { file: 'version: 1', version: 'x' }],
    ['nulls', { file: null, version: null }],
  ])('is refused: %s', async (_what, variables) => {
    expect(await refused(variables)).toEqual([['policyDiff', 'INVALID', 'version']]);
  });

  it.each(['', 'x', '0'.repeat(64), 'f'.repeat(4_000), "' OR 1 = 1 --", 'policy'])('finds nothing: %#', async (version) => {
    expect(await refused({ version })).toEqual([['policyDiff', 'NOT_FOUND']]);
  });

  it('is one comparison in an operation', async () => {
    const [{ digest }] = (await versions()).nodes;
    const twice =
      'query ($version: ID) { a: policyDiff(version: $version) { digest } b: policyDiff(version: $version) { digest } }';
    expect(told(await test.as('pia', twice, { version: digest })).errors).toEqual([['b', 'INVALID', 'version']]);
  });

  it.each(['ana', 'sam', 'pru', 'pip', 'oz'])('is nothing to %s, and on record', async (who) => {
    const [{ digest }] = (await versions()).nodes;
    const left = await eventsOf(test, async () => {
      expect(told(await test.as(who, diff, { version: digest })).errors).toEqual([['policyDiff', 'DENIED', 'ROLE']]);
      expect(told(await test.as(who, list)).errors).toEqual([['policyVersions', 'DENIED', 'ROLE']]);
    });
    expect(left.filter(({ outcome }) => outcome === 'DENIED').map(({ action }) => action)).toEqual(['denial', 'denial']);
  });

  it('is nothing to somebody without a second factor', async () => {
    const token = await test.token('pia', { mfa: false });
    expect(told(await test.as({ token }, list)).errors).toEqual([['policyVersions', 'DENIED', 'MFA_REQUIRED']]);
  });
});

describe('a policy that somebody with the database altered', () => {
  let digest: string;
  beforeAll(async () => {
    digest = await comesIntoForce(policyOf(policyWith(['customersPerHour: 40', 'customersPerHour: 50'])));
  });
  /** Writes, looks, and puts back what was there. */
  const altered = async (statement: string, parameters: readonly unknown[], work: () => Promise<void>): Promise<void> => {
    await sql('CREATE TABLE set_aside AS SELECT * FROM policy_version');
    try {
      await sql(statement, parameters);
      await work();
    } finally {
      await sql('DELETE FROM policy_version');
      await sql('INSERT INTO policy_version SELECT * FROM set_aside');
      await sql('DROP TABLE set_aside');
    }
  };
  const other = () => test.app.services.policy.text.replace('"reveal"', '"deny"');

  it.each<[string, () => unknown]>([
    ['another policy’s', () => packed(other())],
    ['bytes that are no text', () => Buffer.from('not deflated')],
    ['nothing', () => Buffer.alloc(0)],
    ['longer than any policy’s', () => deflateRawSync(Buffer.alloc(4_000_000))],
  ])('is refused and reported: its text is %s', async (_what, text) => {
    await altered('UPDATE policy_version SET text = ? WHERE id = ?', [text(), digest], async () => {
      const before = test.logLines.length;
      expect(await refused({ version: digest })).toEqual([['policyDiff', 'CONFLICT']]);
      expect(test.logLines.slice(before).join()).toContain(`"policy":"${digest}"`);
      expect(await look()).toEqual([`1 policies that were in force that their events say otherwise of: ${digest} (text)`]);
    });
    expect(await look()).toEqual([]);
  });

  it('is none of ours where it has another time, another digest or no event, and doctor says so', async () => {
    const text = other();
    const slipped = digestOf(text);
    await altered('UPDATE policy_version SET kept_at = kept_at - 1 WHERE id = ?', [digest], async () => {
      expect(await refused({ version: digest })).toEqual([['policyDiff', 'NOT_FOUND']]);
      expect(await look()).toEqual([`1 policies that were in force that their events say otherwise of: ${digest} (keptAt)`]);
    });
    await altered(
      'INSERT INTO policy_version VALUES (?, ?, ?)',
      [slipped, packed(text), test.clock.now().getTime()],
      async () => {
        expect(await refused({ version: slipped })).toEqual([['policyDiff', 'NOT_FOUND']]);
        expect((await versions({ first: 100 })).nodes.map((each: { digest: string }) => each.digest)).not.toContain(slipped);
        expect(await look()).toEqual([`1 policies that were in force without an event of the log: ${slipped}`]);
      },
    );
    await altered('DELETE FROM policy_version WHERE id = ?', [digest], async () => {
      expect(await refused({ version: digest })).toEqual([['policyDiff', 'NOT_FOUND']]);
      expect(await look()).toEqual([`1 policies that were in force that the log has events of are gone: ${digest}`]);
    });
  });

  it('isn’t listed by a leaf that says something else', async () => {
    const of = "subject_type = 'Policy' AND subject_id = ?";
    const [{ leaf }] = (await test.app.database.query<{ leaf: Buffer }>(`SELECT leaf FROM audit_event WHERE ${of}`, [
      digest,
    ])) as [{ leaf: Buffer }];
    const forged = Buffer.from(leaf.toString('utf8').replace('"ordinal":0', '"ordinal":1'));
    await sql(`UPDATE audit_event SET leaf = ? WHERE ${of}`, [forged, digest]);
    try {
      expect(told(await test.as('pia', list)).errors).toEqual([['policyVersions', 'CONFLICT']]);
      expect(await refused({ version: digest })).toEqual([['policyDiff', 'CONFLICT']]);
    } finally {
      await sql(`UPDATE audit_event SET leaf = ? WHERE ${of}`, [leaf, digest]);
    }
  });

  it('came into force before texts were kept: nothing is missing then, and the next start keeps it', async () => {
    const policy = policyOf(policyWith(['customersPerHour: 40', 'customersPerHour: 60']));
    await comesIntoForce(policy);
    const of = "subject_type = 'Policy' AND subject_id = ?";
    const [{ leaf }] = (await test.app.database.query<{ leaf: Buffer }>(`SELECT leaf FROM audit_event WHERE ${of}`, [
      policy.digest,
    ])) as [{ leaf: Buffer }];
    const former = Buffer.from(leaf.toString('utf8').replace(/"detail":\{[^}]*\}/, '"detail":{}'));
    await sql(`UPDATE audit_event SET leaf = ? WHERE ${of}`, [former, policy.digest]);
    await sql('DELETE FROM policy_version WHERE id = ?', [policy.digest]);
    expect(await look()).toEqual([]);
    expect(await refused({ version: policy.digest })).toEqual([['policyDiff', 'NOT_FOUND']]);
    const left = await startsOf(() => comesIntoForce(policy));
    expect(left).toMatchObject([{ action: 'policy.in-force', subject: { id: policy.digest } }]);
    expect(await look()).toEqual([]);
    expect(await compared({ version: policy.digest })).toMatchObject({ digest: policy.digest, problemCount: 0 });
  });
});
