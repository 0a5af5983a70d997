import {
  type FieldNode,
  getNamedType,
  isCompositeType,
  isObjectType,
  Kind,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { linkAssurances, roles } from '../../src/authz/actor';
import { isMaskName, masks } from '../../src/authz/policy/mask';
import { demoTickets } from '../../src/development/merchant/cast';
import { affectedBy } from '../../src/features/exposure/affected';
import { panel } from '../../src/features/exposure/preview.ticket';
import { describeGraph } from '../../src/features/schema';
import { eventsOf, policyWith, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';

const preview = `query ($role: Role!, $mfa: Boolean, $assurance: LinkAssurance) {
  policyPreview(role: $role, mfa: $mfa, assurance: $assurance) {
    role mfa link policy fields { path coordinate class link verdict value reason remedy decidedBy line }
  }
}`;
const diff = `query ($file: String!) {
  policyDiff(file: $file) {
    inForce digest problemCount problems { line path message } changeCount
    changes { kind coordinate role assurance class before after from to effect sentence }
    disclosures { since isComplete examined changed showingMore showingLess }
  }
}`;
/** Where a line of the policy file that ships begins so, from 1. */
const lineOf = (beginning: string): number =>
  policyWith()
    .split('\n')
    .findIndex((line) => line.startsWith(beginning)) + 1;
interface Previewed {
  readonly path: string;
  readonly coordinate: string;
  readonly link: string;
  readonly verdict: string;
  readonly value: string | null;
  readonly reason: string | null;
}

let test: TestApp;
beforeAll(async () => {
  test = await TestApp.start();
});
afterAll(() => test.stop());

describe('the panel of somebody else, on a ticket that is made up', () => {
  const panelOf = async (role: string, mfa: boolean, assurance: string): Promise<readonly Previewed[]> => {
    const { data, errors } = told(await test.as('pia', preview, { role, mfa, assurance }));
    expect(errors).toEqual([]);
    return data.policyPreview.fields;
  };
  const of = (fields: readonly Previewed[], path: string) => fields.find((field) => field.path === path);

  it('is answered as theirs would be: masked, left out and denied by the policy in force, with the line that says so', async () => {
    const { data } = told(await test.as('pia', preview, { role: 'AGENT', mfa: true, assurance: 'MATCHED' }));
    expect(data.policyPreview).toMatchObject({
      role: 'AGENT',
      mfa: true,
      link: 'MATCHED',
      policy: test.app.services.policy.digest,
    });
    const { fields } = data.policyPreview;
    expect(of(fields, 'ticket.customer.email')).toEqual({
      path: 'ticket.customer.email',
      coordinate: 'Customer.email',
      class: 'CREDENTIAL',
      link: 'MATCHED',
      verdict: 'mask:email',
      value: 'j•••@e•••.com',
      reason: null,
      remedy: null,
      decidedBy: 'fields.Customer.email.AGENT',
      line: expect.any(Number),
    });
    expect(of(fields, 'ticket.customer.paymentMethods.0.last4')).toMatchObject({ verdict: 'mask:hidden', value: '•••' });
    expect(of(fields, 'ticket.customer.paymentMethods.0.expiryYear')).toMatchObject({ verdict: 'omit', value: null });
    expect(of(fields, 'ticket.customer.transactions.nodes.0.risk.score')).toMatchObject({
      verdict: 'deny',
      value: null,
      reason: 'ROLE',
    });
    // A contact within a text is masked as its own field is.
    expect(of(fields, 'ticket.customer.transactions.nodes.0.order.description')?.value).toBe(
      'One lamp, to be sent to j•••@e•••.com',
    );
  });

  it('shows nothing policed without a second factor, and nothing to a role that works with no tickets', async () => {
    const without = await panelOf('SUPERVISOR', false, 'VERIFIED');
    expect(of(without, 'ticket.customer')).toMatchObject({ verdict: 'deny', value: null, reason: 'MFA_REQUIRED' });
    expect(of(without, 'ticket.reference')).toMatchObject({ verdict: 'reveal', value: '1001' });
    const others = await panelOf('PAYMENTS', true, 'VERIFIED');
    expect(of(others, 'ticket')).toMatchObject({ verdict: 'deny', value: null, reason: 'ROLE' });
    expect(others.some(({ path }) => path.startsWith('ticket.'))).toBe(false);
  });

  it('says where payments are missing for want of a link, as whoever assists is told', async () => {
    const unlinked = await panelOf('AGENT', true, 'NONE');
    expect(of(unlinked, 'ticket.customer.link')).toMatchObject({ verdict: 'reveal', value: 'NONE' });
    for (const path of ['ticket.customer.paymentMethods', 'ticket.customer.transactions'])
      expect(of(unlinked, path)).toMatchObject({ verdict: 'omit', value: null, reason: 'LINK' });
  });

  it('has, for every role, second factor and link, a value wherever its verdict shows one, masked as that mask does', async () => {
    for (const role of roles)
      for (const mfa of [true, false])
        for (const assurance of linkAssurances)
          for (const { path, verdict, value, reason } of await panelOf(role, mfa, assurance)) {
            const isShown = verdict === 'reveal' || verdict.startsWith('mask:');
            expect([role, mfa, assurance, path, value !== null]).toEqual([role, mfa, assurance, path, isShown]);
            expect([path, reason !== null]).toEqual([path, verdict === 'deny' || reason === 'LINK']);
            const mask = verdict.slice('mask:'.length);
            if (isMaskName(mask) && mask !== 'digest')
              expect([path, value]).toEqual([path, expect.stringMatching(/•|generic|^(?:[\p{L}\p{N}]\.\s?)+$/u)]);
          }
    expect(Object.keys(masks).length).toBeGreaterThan(3);
  });

  it.each([true, false])(
    'is denied what the same question about a real ticket is denied, with a second factor: %s',
    async (mfa) => {
      const [question = ''] = panel;
      const ticketId = await ticketIdOf(test, demoTickets.own.reference);
      const token = await test.token('ana', { mfa });
      const real = await test.as({ token }, question.replace('tkt_example', ticketId));
      const denials = (real.errors ?? []).map(({ extensions }) => `${extensions.rule} ${extensions.reason}`);
      const previewed = (await panelOf('AGENT', mfa, 'VERIFIED')).filter(
        ({ path, verdict }) => /^ticket/.test(path) && verdict === 'deny',
      );
      expect(real.data.ticket.customer === null).toBe(!mfa);
      // The real one has neither changes of methods nor questions, so that nothing of those is reached.
      const reached = previewed.filter(({ path }) => !/^ticket\.(?:credentialUpdates|recognitions)\./.test(path));
      expect([...new Set(denials)].sort()).toEqual(
        [...new Set(reached.map(({ coordinate, reason }) => `${coordinate} ${reason}`))].sort(),
      );
      expect(denials.length).toBeGreaterThan(0);
    },
  );

  it('has every value of each type that it shows', () => {
    const { schema } = describeGraph();
    const selected = new Map<string, Set<string>>();
    const info = new TypeInfo(schema);
    visit(
      parse(panel.join('\n')),
      visitWithTypeInfo(info, {
        Field: (node: FieldNode) => {
          const parent = info.getParentType();
          if (!parent || parent === schema.getQueryType()) return;
          const names = selected.get(parent.name) ?? new Set();
          selected.set(parent.name, names.add(node.name.value));
        },
      }),
    );
    const missing = [...selected].flatMap(([name, names]) => {
      const type = schema.getType(name);
      if (!isObjectType(type) || name.endsWith('Connection')) return [];
      return Object.values(type.getFields())
        .filter((field) => !isCompositeType(getNamedType(field.type)) && !names.has(field.name))
        .map((field) => `${name}.${field.name}`);
    });
    expect(missing).toEqual([]);
    expect(selected.size).toBeGreaterThan(25);
    expect(parse(panel.join('\n')).definitions.every(({ kind }) => kind === Kind.OPERATION_DEFINITION)).toBe(true);
  });

  it('asks no database and no source, tells of nobody, and is no disclosure', async () => {
    await panelOf('AGENT', true, 'VERIFIED');
    const upstream = jest.spyOn(test.helpdesk, 'fetchTicket');
    const left = await eventsOf(test, async () => {
      const statements = test.statements.length;
      await test.app.services.policyPreviews().panelOf({ role: 'SUPERVISOR', mfa: true, link: 'VERIFIED' });
      expect(test.statements.slice(statements)).toEqual([]);
      await panelOf('AGENT', true, 'VERIFIED');
    });
    expect(left).toEqual([]);
    expect(upstream).not.toHaveBeenCalled();
    upstream.mockRestore();
  });

  it('is of ids that nobody has, and leads to nothing that is stored', async () => {
    const shown = JSON.stringify(await panelOf('SUPERVISOR', true, 'VERIFIED'));
    expect(shown.match(/[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{26}/g)).toBeNull();
    const found = await test.as('ana', '{ ticket(id: "tkt_example") { id } customer(id: "cus_example") { id } }');
    expect(told(found).errors.map(([, code]) => code)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  });

  it.each(['ana', 'sam', 'pru', 'pip'])('is nothing to %s', async (who) => {
    const { data, errors } = told(await test.as(who, preview, { role: 'AGENT' }));
    expect([data?.policyPreview ?? null, errors]).toEqual([null, [['policyPreview', 'DENIED', 'ROLE']]]);
  });
});

describe('coverage and verdicts', () => {
  it('say the line, the entry and the mask of each verdict', async () => {
    const asked = await test.as(
      'pia',
      '{ exposure(type: "Customer", first: 60) { coordinate verdicts { role assurance verdict mask decidedBy line } } }',
    );
    const { data, errors } = told(asked);
    expect(errors).toEqual([]);
    const email = data.exposure.find(({ coordinate }: { coordinate: string }) => coordinate === 'Customer.email');
    expect(email.verdicts).toContainEqual({
      role: 'SUPERVISOR',
      assurance: 'MATCHED',
      verdict: 'mask:email',
      mask: masks.email.description,
      decidedBy: 'fields.Customer.email.SUPERVISOR',
      line: expect.any(Number),
    });
  });

  it('are asked of the whole graph at once, with their lines', async () => {
    const { data, errors } = told(
      await test.as('pia', '{ exposure(first: 640) { coordinate class verdicts { role assurance verdict line } } }'),
    );
    expect(errors).toEqual([]);
    expect(data.exposure.length).toBe(test.app.services.policy.classification.fields.size);
    for (const first of [0, -1, 801])
      expect(told(await test.as('pia', `{ exposure(first: ${first}) { coordinate } }`)).errors).toEqual([
        ['exposure', 'INVALID', 'first'],
      ]);
  });

  it('are those of a session without a second factor where that is asked', async () => {
    const of = async (mfa: boolean) =>
      told(
        await test.as(
          'pia',
          `{ exposure(type: "Address", first: 60, mfa: ${mfa}) { coordinate verdicts { role assurance verdict } } }`,
        ),
      ).data.exposure.find(({ coordinate }: { coordinate: string }) => coordinate === 'Address.city').verdicts;
    expect(await of(true)).toContainEqual({ role: 'AGENT', assurance: 'VERIFIED', verdict: 'reveal' });
    expect(await of(false)).toContainEqual({ role: 'AGENT', assurance: 'VERIFIED', verdict: 'deny' });
  });

  it('explain one without a second factor, and under a link; a ticket has its own', async () => {
    const explain = (args: string) =>
      test.as('pia', `{ explainAccess(field: "Customer.phone", ${args}) { mfa assurance verdict lift } }`);
    expect(told(await explain('role: AGENT, mfa: false, assurance: MATCHED')).data.explainAccess).toEqual({
      mfa: false,
      assurance: 'MATCHED',
      verdict: 'deny',
      lift: expect.stringContaining('second factor'),
    });
    expect(told(await explain('assurance: MATCHED, ticketId: "tkt_absent"')).errors).toEqual([
      ['explainAccess', 'INVALID', 'assurance'],
    ]);
  });

  it('add up to the graph', async () => {
    const { data, errors } = told(
      await test.as(
        'oz',
        '{ policyCoverage { digest fields types policed filters sorts classes { class count } roles { role reveal mask omit deny } } }',
      ),
    );
    expect(errors).toEqual([]);
    const { policyCoverage: covered } = data;
    expect(covered.fields).toBe(test.app.services.policy.classification.fields.size);
    expect(covered.digest).toBe(test.app.services.policy.digest);
    expect(covered.classes.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(covered.fields);
    expect(covered.roles.map(({ role }: { role: string }) => role)).toEqual(roles);
    for (const { reveal, mask, omit, deny } of covered.roles)
      expect(reveal + mask + omit + deny).toBeGreaterThanOrEqual(covered.fields);
  });
});

describe('a policy held against the one in force', () => {
  const compared = async (file: string) => {
    const { data, errors } = told(await test.as('pia', diff, { file }));
    expect(errors).toEqual([]);
    return data.policyDiff;
  };
  const harder = () => policyWith(['    phone: { AGENT: "mask:phone"', '    phone: { AGENT: deny']);

  it('says in words what it changes, and comes into force by nothing', async () => {
    const inForce = test.app.services.policy.digest;
    await test.as('ana', `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { subject } }`);
    await test.app.signingLog?.sequencer.turn();
    const left = await eventsOf(test, async () => {
      const found = await compared(harder());
      expect(found).toMatchObject({ inForce, problems: [], problemCount: 0, changeCount: 1 });
      expect(found.digest).not.toBe(inForce);
      expect(found.changes).toEqual([
        {
          kind: 'FIELD',
          coordinate: 'Customer.phone',
          role: 'AGENT',
          assurance: null,
          class: 'PERSONAL',
          before: 'mask:phone',
          after: 'deny',
          from: ['mask:phone'],
          to: ['deny'],
          effect: 'RESTRICTS',
          sentence: expect.stringContaining('AGENT is now denied Customer.phone'),
        },
      ]);
    });
    // Who counts in the log is in the log; the file is nowhere.
    expect(left.map(({ action }) => action).filter((action) => action !== 'plan.register')).toEqual(['disclosure']);
    expect(JSON.stringify(left)).not.toContain('customersPerHour');
    expect(test.app.services.policy.digest).toBe(inForce);
    expect(test.logLines.join()).not.toContain('customersPerHour');
  });

  it('counts the disclosures that it would have changed, and those of nobody else', async () => {
    const open = `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { phone displayName } } }`;
    const other = `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { displayName } } }`;
    await test.app.signingLog?.sequencer.turn();
    const before = (await compared(harder())).disclosures.changed;
    for (const query of [open, open, other]) expect(told(await test.as('ana', query)).errors).toEqual([]);
    await test.app.signingLog?.sequencer.turn();
    const { disclosures } = await compared(harder());
    expect(disclosures).toMatchObject({ isComplete: true, changed: before + 2, showingMore: 0, showingLess: before + 2 });
    expect(disclosures.examined).toBeGreaterThanOrEqual(3);
    expect(Date.parse(disclosures.since)).toBe(test.clock.now().getTime() - 30 * 86_400_000);

    const wider = await compared(policyWith(['    phone: { AGENT: "mask:phone"', '    phone: { AGENT: reveal']));
    expect(wider.disclosures).toMatchObject({ changed: before + 2, showingMore: before + 2, showingLess: 0 });
    // Ana is no supervisor: what that role sees changes nothing of hers.
    const supervisors = await compared(policyWith(['SUPERVISOR: "mask:phone"', 'SUPERVISOR: reveal']));
    expect([supervisors.changeCount, supervisors.disclosures.changed]).toEqual([1, 0]);
    const same = await compared(policyWith(['version: 1', '# a comment changes nothing\nversion: 1']));
    expect(same).toMatchObject({ changeCount: 0, digest: same.inForce, disclosures: { changed: 0 } });
  });

  it('says so where there is more than it looks at, and since when it looked at all', async () => {
    const { database, services, clock } = test.app;
    const policies = { before: services.policy, after: services.policy };
    const [now, past] = [clock(), clock().getTime() - 86_400_000];
    const some = await affectedBy(database, policies, now, { disclosures: 1, milliseconds: 60_000 });
    expect(some).toMatchObject({ isComplete: false, changed: 0 });
    expect(some.examined).toBeGreaterThan(0);
    expect(some.since.getTime()).toBeGreaterThan(past);
    const none = await affectedBy(database, policies, now, { disclosures: 20_000, milliseconds: 0 });
    expect(none).toMatchObject({ isComplete: false, examined: 0, since: now });
  });

  it('counts no disclosure that is older than thirty days', async () => {
    const open = `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { region } } }`;
    const file = policyWith(['    region: { AGENT: reveal', '    region: { AGENT: omit']);
    await test.app.signingLog?.sequencer.turn();
    const before = (await compared(file)).disclosures.changed;
    await test.as('ana', open);
    await test.app.signingLog?.sequencer.turn();
    expect((await compared(file)).disclosures.changed).toBe(before + 1);
    test.clock.forward(31 * 86_400_000);
    expect((await compared(file)).disclosures).toMatchObject({ changed: 0, isComplete: true });
  });

  it.each([
    ['no YAML', '{ a: [', 1, /./],
    ['an alias', 'version: 1\nscope: &a { AGENT: [own] }\nfields: *a', 3, /aliases are not accepted/],
    [
      'ten levels of aliases',
      Array.from({ length: 10 }, (_, at) => `k${at}: ${at === 0 ? '&a0 [x, x]' : `&a${at} [*a${at - 1}, *a${at - 1}]`}`).join(
        '\n',
      ),
      2,
      /aliases/,
    ],
    ['a key twice', 'version: 1\nversion: 1', 2, /twice/],
    [
      'an unknown verdict',
      policyWith(['    phone: { AGENT: "mask:phone"', '    phone: { AGENT: "mask:everything"']),
      lineOf('    phone: { AGENT'),
      /no mask "everything"/,
    ],
    ['more than is read', `# ${'x'.repeat(300)}\n`.repeat(300), null, /longer than the 65536 characters/],
    ['more lines than are read', '#\n'.repeat(2_001), 2_001, /more than the 2000 lines/],
    ['a line that is too long', `version: 1\n# ${'x'.repeat(400)}`, 2, /longer than the 400 characters of a line/],
    [
      'a map of more keys than are read',
      `{${Array.from({ length: 2_100 }, (_, at) => `k${at}`).join(',\n')}}`,
      2_001,
      /commas|lines/,
    ],
    ['brackets without end', `${'['.repeat(390)}\n`.repeat(100), 1, /./],
    ['nothing', '', null, /./],
    ['something that hides', 'version: 1\n"\u202e\u0007field": x', null, /./],
  ])('tells the problems of %s with their lines, and nothing else', async (_what, file, line, message) => {
    const begun = performance.now();
    const found = await compared(file);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(found).toMatchObject({ digest: null, changes: [], changeCount: 0, disclosures: null });
    expect(found.problemCount).toBeGreaterThanOrEqual(found.problems.length);
    expect(found.problems.length).toBeLessThanOrEqual(100);
    const told = found.problems as { line: number | null; message: string; path: string }[];
    expect(told.filter((each) => each.line === line || line === null).some((each) => message.test(each.message))).toBe(true);
    for (const each of told) {
      expect(each.message.length).toBeLessThanOrEqual(300);
      expect(`${each.path}${each.message}`).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    }
  });

  it.each(['ana', 'sam', 'pru', 'pip', 'oz'])('is nothing to %s', async (who) => {
    const { data, errors } = told(await test.as(who, diff, { file: 'version: 1' }));
    expect([data?.policyDiff ?? null, errors]).toEqual([null, [['policyDiff', 'DENIED', 'ROLE']]]);
  });

  it('is nothing to somebody without a second factor, who counts in no log', async () => {
    const token = await test.token('pia', { mfa: false });
    expect(told(await test.as({ token }, diff, { file: 'version: 1' })).errors).toEqual([
      ['policyDiff', 'DENIED', 'MFA_REQUIRED'],
    ]);
  });

  it('is done for a few at once: the others are told to wait', async () => {
    const many = Array.from({ length: 12 }, () => test.as('pia', diff, { file: harder() }));
    const codes = (await Promise.all(many)).map((answer) => told(answer).errors[0]?.[1] ?? 'ok');
    expect(codes).toContain('ok');
    expect(codes.every((code) => code === 'ok' || code === 'RATE_LIMITED')).toBe(true);
    const twice = 'query ($file: String!) { a: policyDiff(file: $file) { digest } b: policyDiff(file: $file) { digest } }';
    expect(told(await test.as('pia', twice, { file: harder() })).errors).toEqual([['b', 'INVALID', 'file']]);
  });
});
