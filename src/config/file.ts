import { existsSync, readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { dpopSection } from '../authz/identity/dpop.section';
import { type IssuerConfiguration, issuersConfiguration } from '../authz/identity/issuer';
import { merchantSection, publicUrlSection, updatesSection } from '../features/credentials/updates.section';
import { type EmbedsSection, embedsSection } from '../features/embeds/embeds.section';
import { operationsSection } from '../features/operations/operations.section';
import { type SignInSection, signInSection } from '../features/sign-in/sign-in.section';
import { signalsSection } from '../features/signals/signals.section';
import { syncSection } from '../features/sources/sync.section';
import { webhooksSection } from '../features/webhooks/webhooks.section';
import { limitsSection } from '../graphql/limits.section';
import { type AuditSection, auditSection } from '../ledger/audit.section';
import { type SectionContext, sourceName } from '../section';
import { deliverySection } from '../upstream/delivery/delivery.section';
import { demoHelpdeskSection, demoPaymentsSection } from '../upstream/demo.section';
import { rtSection } from '../upstream/helpdesk/rt/rt.section';
import { stripeSection } from '../upstream/payments/stripe/stripe.section';
import { deliveryOutline, mostAliases } from './channels';
import { type ConfigProblem, expectedOf, pathText } from './problems';

/** People sign in at issuers whose tokens the gateway takes from a client that holds no key of theirs. */
const expectSignIn = (
  {
    signIn,
    identity,
  }: { readonly signIn?: SignInSection | undefined; readonly identity: { readonly issuers: readonly IssuerConfiguration[] } },
  context: z.core.$RefinementCtx,
): void =>
  signIn?.providers.forEach(({ issuer }, index) => {
    const trusted = identity.issuers.find((each) => each.issuer === issuer);
    const bound = trusted?.dpopRequired ?? false;
    const isBound = typeof bound === 'boolean' ? bound : bound.some((role) => role !== 'SERVICE');
    if (trusted && !isBound) return;
    context.addIssue({
      code: 'custom',
      path: ['signIn', 'providers', index, 'issuer'],
      message: trusted
        ? 'expected an issuer that asks no staff for tokens bound to a key (dpopRequired): a browser’s session has none'
        : 'expected one of identity.issuers, character by character',
      input: issuer,
    });
  });

/** Frames are of helpdesks that there are, each once, and of people who sign in with a browser. */
const expectEmbeds = (
  {
    signIn,
    sources,
    embeds,
  }: {
    readonly signIn?: SignInSection | undefined;
    readonly sources: { readonly helpdesk: readonly { readonly name: string }[] };
    readonly embeds: EmbedsSection;
  },
  context: z.core.$RefinementCtx,
): void => {
  const names = sources.helpdesk.map(({ name }) => name);
  const refuse = (path: readonly PropertyKey[], message: string) =>
    context.addIssue({ code: 'custom', path: ['embeds', ...path], message, input: embeds });
  embeds.forEach(({ source }, index) => {
    if (!names.includes(source)) refuse([index, 'source'], `expected the name of a helpdesk source: ${names.join(', ')}`);
    if (embeds.findIndex((other) => other.source === source) !== index) refuse([index, 'source'], 'expected each helpdesk once');
  });
  if (embeds.length > 0 && !signIn) refuse([], 'expected none without signIn: people sign in to what a frame shows');
};

/** The whole file. Each section's schema lives with the part that it configures. */
const fileSchema = (section: SectionContext) => {
  const sections = z.strictObject({
    sources: z.strictObject({
      helpdesk: z
        .array(z.discriminatedUnion('kind', [rtSection(section), demoHelpdeskSection]))
        .min(1, 'expected at least one helpdesk source'),
      payments: z
        .array(z.discriminatedUnion('kind', [stripeSection(section), demoPaymentsSection]))
        .min(1, 'expected at least one payments source'),
    }),
    identity: z
      .strictObject({ issuers: issuersConfiguration({ development: !section.production }), dpop: dpopSection(section) })
      .prefault({ issuers: [] }),
    sync: syncSection,
    limits: limitsSection,
    operations: operationsSection,
    updates: updatesSection,
    signals: signalsSection(section),
    webhooks: webhooksSection(section),
    signIn: signInSection(section).optional(),
    embeds: embedsSection(section),
    merchant: merchantSection.default({ name: 'Demo Shop' }),
    publicUrl: publicUrlSection(section).optional(),
    delivery: deliverySection(section).optional(),
    audit: auditSection(section),
  });
  return sections
    .superRefine(expectSignIn)
    .superRefine(expectEmbeds)
    .refine(
      ({ updates, delivery }) => delivery?.mail?.kind !== 'smtp' || delivery.mail.timeouts.whole < updates.leaseSeconds * 1_000,
      {
        path: ['delivery', 'mail', 'timeouts', 'whole'],
        error: 'expected less than updates.leaseSeconds: another process would send the same mail meanwhile',
      },
    );
};

export type FileConfig = z.output<ReturnType<typeof fileSchema>>;

/** What development has without a file. */
export const demoFile = (section: SectionContext): FileConfig => fileSchema(section).parse(demoSources);

const demoSources = {
  sources: { helpdesk: [{ kind: 'demo', name: 'demo' }], payments: [{ kind: 'demo', name: 'demo-pay', helpdesk: 'demo' }] },
};

/** What of a file can be judged by itself, whatever else is wrong with it. */
export interface Outline {
  readonly config: FileConfig | null;
  readonly usesDemo: boolean;
  readonly hasIssuers: boolean;
}
const unread: Outline = { config: null, usesDemo: false, hasIssuers: true };

const outlineSchema = z.object({
  sources: z
    .object({ helpdesk: z.array(z.unknown()).catch([]), payments: z.array(z.unknown()).catch([]) })
    .catch({ helpdesk: [], payments: [] }),
  identity: z.object({ issuers: z.array(z.unknown()).catch([]) }).catch({ issuers: [] }),
});
const namedSource = z.object({ name: z.string().catch(''), kind: z.string().catch('') }).catch({ name: '', kind: '' });

/** Parses the YAML of the configuration file. Problems come with their line. */
export const readFile = (file: string, section: SectionContext, problems: ConfigProblem[]): Outline => {
  const lines = new LineCounter();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    problems.push({ in: file, at: '(the whole)', expected: 'expected a readable file' });
    return unread;
  }
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  for (const error of document.errors) {
    problems.push({
      in: file,
      at: '(syntax)',
      line: lines.linePos(error.pos[0]).line,
      expected: `expected YAML (${error.code})`,
    });
  }
  if (document.errors.length > 0) return unread;
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: mostAliases });
  } catch {
    problems.push({ in: file, at: '(the whole)', expected: 'expected anchors before their aliases, and few of them' });
    return unread;
  }
  const parsed = fileSchema(section).safeParse(content);
  const { sources, identity } = outlineSchema
    .catch({ sources: { helpdesk: [], payments: [] }, identity: { issuers: [] } })
    .parse(content);
  const all = [...sources.helpdesk, ...sources.payments].map((source) => namedSource.parse(source));
  const outline = { usesDemo: all.some(({ kind }) => kind === 'demo'), hasIssuers: identity.issuers.length > 0 };
  // Zod compares the sources only where nothing else is wrong with them.
  const issues = [
    ...crossProblems(sources),
    ...signalProblems(content, sources),
    ...(section.production ? deliveryProblems(content) : []),
  ];
  if (parsed.success && issues.length === 0) return { config: parsed.data, ...outline };
  issues.unshift(...(parsed.error?.issues ?? []).map((issue) => ({ path: issue.path, expected: expectedOf(issue) })));
  for (const issue of issues) {
    let node: unknown = null;
    for (let length = issue.path.length; length > 0 && !node; length -= 1)
      node = document.getIn(issue.path.slice(0, length), true);
    const offset = isScalar(node) || isMap(node) ? node.range?.[0] : undefined;
    problems.push({
      in: file,
      at: pathText(issue.path),
      ...(offset === undefined ? {} : { line: lines.linePos(offset).line }),
      expected: issue.expected,
    });
  }
  return { config: null, ...outline };
};

interface PlacedProblem {
  readonly path: readonly PropertyKey[];
  readonly expected: string;
}

/** What production needs to reach customers, and what it must not take for that. */
const deliveryProblems = (content: unknown): PlacedProblem[] => {
  const { merchant, publicUrl, delivery = {} } = deliveryOutline.safeParse(content).data ?? {};
  const problems: PlacedProblem[] = [];
  for (const channel of ['mail', 'sms'])
    if (namedSource.parse(delivery[channel]).kind === 'files')
      problems.push({
        path: ['delivery', channel, 'kind'],
        expected: 'expected a channel that sends: in production nobody reads files',
      });
  if (delivery.mail === undefined) return problems;
  if (merchant === undefined)
    problems.push({ path: ['merchant'], expected: 'expected in production with mail: the name that customers know' });
  if (publicUrl === undefined)
    problems.push({ path: ['publicUrl'], expected: 'expected in production with mail: the address that links lead to' });
  return problems;
};

/** What sources must be among each other. */
const crossProblems = (sources: {
  readonly helpdesk: readonly unknown[];
  readonly payments: readonly unknown[];
}): PlacedProblem[] => {
  const placed = (['helpdesk', 'payments'] as const).flatMap((side) =>
    sources[side].map((source, index) => ({ path: ['sources', side, index] as const, ...namedSource.parse(source) })),
  );
  const names = placed.map(({ name }) => name);
  const helpdesks = placed.filter(({ path }) => path[1] === 'helpdesk').map(({ name }) => name);
  const problems: PlacedProblem[] = [];
  placed.forEach(({ path, name, kind }, index) => {
    if (name !== '' && names.indexOf(name) !== index)
      problems.push({ path: [...path, 'name'], expected: 'expected a name that no other source has' });
    const source = sources[path[1]][path[2]];
    const helpdesk = z.object({ helpdesk: z.string() }).safeParse(source).data?.helpdesk;
    if (path[1] === 'payments' && kind === 'demo' && helpdesk !== undefined && !helpdesks.includes(helpdesk))
      problems.push({
        path: [...path, 'helpdesk'],
        expected: `expected the name of a helpdesk source: ${helpdesks.filter((each) => sourceName.safeParse(each).success).join(', ')}`,
      });
  });
  return problems;
};

const signalOutline = z.object({ signals: z.object({ sources: z.array(z.unknown()) }) });
const namingSource = z.object({ name: z.unknown(), helpdesk: z.unknown(), payments: z.unknown() }).partial();

/** What senders of signals must be among each other and the sources: names tell signals apart. */
const signalProblems = (
  content: unknown,
  sources: { readonly helpdesk: readonly unknown[]; readonly payments: readonly unknown[] },
): PlacedProblem[] => {
  const senders = signalOutline.safeParse(content).data?.signals.sources.map((each) => namingSource.safeParse(each).data) ?? [];
  const namesOf = (side: 'helpdesk' | 'payments') => sources[side].map((source) => namedSource.parse(source).name);
  const taken = [...namesOf('helpdesk'), ...namesOf('payments')];
  return senders.flatMap((sender, index) => {
    const path = ['signals', 'sources', index];
    const problems: PlacedProblem[] = [];
    if (taken.includes(String(sender?.name)) || senders.findIndex((other) => other?.name === sender?.name) !== index)
      problems.push({ path: [...path, 'name'], expected: 'expected a name that no other source has' });
    for (const side of ['helpdesk', 'payments'] as const)
      if (sender?.[side] !== undefined && !namesOf(side).includes(String(sender[side])))
        problems.push({ path: [...path, side], expected: `expected the name of a ${side} source` });
    return problems;
  });
};

/** The part `audit` of the file, whatever else stands in it or is missing around it. */
export const auditOfFile = (
  file: string,
  section: Pick<SectionContext, 'production'>,
  problems: ConfigProblem[],
): AuditSection => {
  const nothing = auditSection(section).parse({});
  if (!existsSync(file)) return nothing;
  const document = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: false });
  const content = document.errors.length > 0 ? null : (document.toJS({ maxAliasCount: mostAliases }) as unknown);
  const part = z.object({ audit: auditSection(section) }).safeParse(content);
  if (part.success) return part.data.audit;
  for (const issue of part.error.issues) problems.push({ in: file, at: pathText(issue.path), expected: expectedOf(issue) });
  return nothing;
};
