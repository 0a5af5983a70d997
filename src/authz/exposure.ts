import { createHash } from 'node:crypto';
import { type DenialReason, denialRemedies, Failure } from '../failure';
import { type AccessClass, accessClassKey, type LinkAssurance, linkAssurances, type Role, roles } from './actor';
import { type Ceiling, type Classification, type ClassifiedField, ceiling } from './classification';
import {
  type AssistancePolicy,
  type PolicyProblem,
  parseExposureFile,
  type ScopePolicy,
  type VerdictEntry,
} from './exposure.file';
import { type ConfiguredChannels, canonicalUpdates, unmetStrengths, updateChanges } from './exposure.updates';
import { isMaskName, type MaskName, type MaskTools, maskNamed, maskNames, maskValue } from './mask';
import type { UpdatePolicy } from './update-policy';

/** What happens to one field for one class of access. */
export type Verdict =
  | { readonly kind: 'reveal' }
  | { readonly kind: 'mask'; readonly mask: MaskName }
  /** Null, without an error. */
  | { readonly kind: 'omit' }
  /** Null, with an error that says why. */
  | { readonly kind: 'deny'; readonly reason: DenialReason };

export type Verdicts = Readonly<Record<LinkAssurance, Verdict>>;

/** As in the file: `reveal`, `mask:email`, `omit`, `deny`. */
export const verdictText = (verdict: Verdict): string => (verdict.kind === 'mask' ? `mask:${verdict.mask}` : verdict.kind);

/**
 * What a field's value becomes under its verdict.
 * @throws Failure `DENIED` under `deny`.
 */
export const applyVerdict = (verdict: Verdict, coordinate: string, value: unknown, tools: MaskTools): unknown => {
  switch (verdict.kind) {
    case 'reveal':
      return value;
    case 'mask':
      return maskValue(verdict.mask, value, tools);
    case 'omit':
      return null;
    case 'deny':
      throw Failure.denied(verdict.reason, coordinate);
  }
};

export interface ExposureOptions {
  /** Staff without a second factor see no policed field. True unless said otherwise; never false in production. */
  readonly mfaRequired?: boolean;
  /** A strength that needs a channel which isn't there is a problem of the policy. All of them are there unless said otherwise. */
  readonly channels?: ConfiguredChannels;
}

/** The entry of the file that decides a field for a role. */
export interface DecidingEntry {
  /** Dotted path in the file, `fields.Customer.email.AGENT`. */
  readonly path: string;
  readonly line: number | null;
}

interface RoleEntry extends DecidingEntry {
  readonly verdicts: Verdicts;
}

interface PolicyContents {
  readonly classification: Classification;
  readonly fields: ReadonlyMap<string, ReadonlyMap<Role, RoleEntry>>;
  readonly filters: ReadonlyMap<string, ReadonlySet<Role>>;
  readonly sorts: ReadonlyMap<string, ReadonlySet<Role>>;
  readonly assistance: AssistancePolicy;
  readonly scope: ScopePolicy;
  readonly updates: UpdatePolicy;
}

export type LoadedPolicy =
  | { readonly ok: true; readonly policy: ExposurePolicy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

const reveal: Verdict = { kind: 'reveal' };
const omit: Verdict = { kind: 'omit' };
const denied = (reason: DenialReason): Verdict => ({ kind: 'deny', reason });
const always = (verdict: Verdict): Verdicts => ({ VERIFIED: verdict, MATCHED: verdict, NONE: verdict });
const deniedByRole = always(denied('ROLE'));
const deniedWithoutMfa = always(denied('MFA_REQUIRED'));

/** Order of permissiveness: reveal > mask, clearer masks first > omit > deny. */
const permissiveness = (verdict: Verdict): number => {
  if (verdict.kind === 'reveal') return 1000;
  if (verdict.kind === 'mask') return 2 + maskNamed(verdict.mask).shows;
  return verdict.kind === 'omit' ? 1 : 0;
};
const ceilings: Record<Ceiling, number> = { reveal: 1000, mask: 999, deny: 0 };

const accepted = `expected reveal, omit, deny or mask:<how> with one of ${maskNames.join(', ')}`;

const readVerdict = (text: string): Verdict | string => {
  if (text === 'reveal') return reveal;
  if (text === 'omit') return omit;
  // The one reason that a file can give: what else denies is decided elsewhere and named there.
  if (text === 'deny') return denied('ROLE');
  const [, name] = /^mask:(.*)$/.exec(text) ?? [];
  if (name === undefined) return `"${text}" is no verdict; ${accepted}`;
  return isMaskName(name) ? { kind: 'mask', mask: name } : `there is no mask "${name}"; ${accepted}`;
};

const isRole = (name: string): name is Role => (roles as readonly string[]).includes(name);

/** Loads a policy and collects everything that is wrong with it. */
class PolicyReader {
  readonly problems: PolicyProblem[] = [];

  constructor(
    private readonly file: ReturnType<typeof parseExposureFile>,
    private readonly classification: Classification,
  ) {
    this.problems.push(...file.problems);
  }

  private report(path: readonly string[], message: string): void {
    this.problems.push({ path: path.join('.'), line: this.file.lineOf(path), message });
  }

  /** Names and verdicts of the file, each looked at once, however many fields and roles they cover. */
  checkNames(): void {
    const typeNames = new Set([...this.classification.fields.values()].map((field) => field.typeName));
    for (const [type, byField] of this.file.fields) {
      if (this.classification.interfaces.has(type)) {
        this.report(['fields', type], 'is an interface; name its fields at the types that implement it, where they are decided');
        continue;
      }
      if (!typeNames.has(type)) {
        this.report(['fields', type], 'is no type of the schema');
        continue;
      }
      for (const [field, byRole] of byField) {
        if (field !== '*' && !this.classification.fields.has(`${type}.${field}`)) {
          this.report(['fields', type, field], `${type} has no such field`);
        }
        for (const [role, entry] of byRole) {
          const path = ['fields', type, field, role];
          if (role !== '*' && !isRole(role)) this.report(path, `is no role; expected ${roles.join(', ')} or '*'`);
          if (typeof entry === 'string') this.checkVerdict(path, entry);
          else for (const assurance of linkAssurances) this.checkVerdict([...path, assurance], entry[assurance]);
        }
      }
    }
  }

  private checkVerdict(path: readonly string[], text: string): void {
    const verdict = readVerdict(text);
    if (typeof verdict === 'string') this.report(path, verdict);
  }

  fields(): Map<string, ReadonlyMap<Role, RoleEntry>> {
    const table = new Map<string, ReadonlyMap<Role, RoleEntry>>();
    for (const field of this.classification.fields.values()) table.set(field.coordinate, this.field(field));
    return table;
  }

  private field(field: ClassifiedField): ReadonlyMap<Role, RoleEntry> {
    const decided = new Map<Role, RoleEntry>();
    const byField = this.file.fields.get(field.typeName);
    const own = byField?.get(field.fieldName);
    const path = ['fields', field.typeName, own ? field.fieldName : '*'];
    const byRole = own ?? byField?.get('*');
    if (!byRole) {
      this.report(['fields', field.typeName, field.fieldName], 'has no verdict; a field that is not named can be read by nobody');
      return decided;
    }
    if (!own && field.policed) {
      this.report(path, `would cover ${field.coordinate}, which is ${field.class}: a policed field must be named`);
      return decided;
    }
    const missing = roles.filter((role) => !byRole.has(role) && !byRole.has('*'));
    if (missing.length > 0) this.report(path, `${field.coordinate} has no verdict for ${missing.join(', ')}; name them or '*'`);
    const concerns = new Map<string, { path: readonly string[]; roles: Role[] }>();
    for (const role of roles) {
      const key = byRole.has(role) ? role : '*';
      const entry = byRole.get(key);
      const verdicts = entry === undefined ? undefined : this.verdicts(entry);
      if (entry === undefined || !verdicts) continue;
      const entryPath = [...path, key];
      decided.set(role, { verdicts, path: entryPath.join('.'), line: this.file.lineOf(entryPath) });
      for (const concern of this.concerns(field, role, entry, verdicts)) {
        const found = concerns.get(`${key} ${concern}`) ?? { path: entryPath, roles: [] };
        found.roles.push(role);
        concerns.set(`${key} ${concern}`, found);
      }
    }
    for (const [key, concern] of concerns) {
      this.report(concern.path, `${field.coordinate} for ${concern.roles.join(', ')}: ${key.slice(key.indexOf(' ') + 1)}`);
    }
    return decided;
  }

  private verdicts(entry: VerdictEntry): Verdicts | undefined {
    if (typeof entry === 'string') {
      const verdict = readVerdict(entry);
      return typeof verdict === 'string' ? undefined : always(verdict);
    }
    const [verified, matched, none] = [readVerdict(entry.VERIFIED), readVerdict(entry.MATCHED), readVerdict(entry.NONE)];
    if (typeof verified === 'string' || typeof matched === 'string' || typeof none === 'string') return undefined;
    return { VERIFIED: verified, MATCHED: matched, NONE: none };
  }

  private concerns(field: ClassifiedField, role: Role, entry: VerdictEntry, verdicts: Verdicts): Set<string> {
    const found = new Set<string>();
    if (typeof entry !== 'string' && !field.nullable) {
      found.add('a field that is never null has one verdict for all links, reveal or deny');
    }
    if (typeof entry !== 'string' && field.root !== null)
      found.add('an operation begins without a link: one verdict for all links');
    for (const assurance of linkAssurances) {
      const verdict = verdicts[assurance];
      const most = ceiling(field.classes[assurance], role);
      if (permissiveness(verdict) > ceilings[most]) {
        const links = typeof entry === 'string' && field.classes[assurance] === field.class ? '' : ` on ${assurance} links`;
        found.add(`${verdictText(verdict)} is above the ceiling of ${field.classes[assurance]}${links}: at most ${most}`);
      }
      if (verdict.kind === 'omit' && !field.nullable) found.add('omit needs a field that may be null; expected reveal or deny');
      if (verdict.kind === 'omit' && field.root === 'mutation')
        found.add('a mutation is revealed or denied, never left out silently');
      if (verdict.kind === 'mask' && !(field.leaf && maskNamed(verdict.mask).fits.includes(field.namedType))) {
        const fits = maskNamed(verdict.mask).fits.join(' or ');
        found.add(`mask:${verdict.mask} fits ${fits}, not ${field.namedType}; expected reveal, omit or deny`);
      }
    }
    return found;
  }

  /** Filters or sorts: what the schema offers and what the file names must be the same coordinates. */
  argument(name: 'filters' | 'sorts'): Map<string, ReadonlySet<Role>> {
    const offered = name === 'filters' ? this.classification.filterable : this.classification.sortable;
    const listed = this.file[name];
    const verb = name === 'filters' ? 'filter' : 'sort';
    for (const coordinate of offered) {
      if (!listed.has(coordinate))
        this.report([name, coordinate], `missing: the schema can ${verb} by it; name the roles that may`);
    }
    for (const [coordinate, allowed] of listed) {
      if (!offered.has(coordinate)) this.report([name, coordinate], `nothing in the schema can ${verb} by it`);
      const field = this.classification.fields.get(coordinate);
      if (!field) continue;
      // Whoever may narrow or order by a value learns it, however it is masked when shown.
      const above = allowed.filter((role) => linkAssurances.some((each) => ceiling(field.classes[each], role) !== 'reveal'));
      if (above.length > 0) {
        this.report([name, coordinate], `${above.join(', ')} may never see ${coordinate} in clear and so can't ${verb} by it`);
      }
    }
    return new Map([...listed].map(([coordinate, allowed]) => [coordinate, new Set(allowed)]));
  }

  /** Every strength that the section `updates` asks for must be within a customer's reach. */
  checkStrengths(channels: ConfiguredChannels): void {
    if (!this.file.updates) return;
    for (const { path, message } of unmetStrengths(this.file.updates, channels)) this.report(path, message);
  }
}

/** Sorted keys and sorted sets, so that the same policy has the same text however its file is written. */
const canonicalText = (contents: PolicyContents): string => {
  const byRole = (decided: ReadonlyMap<Role, RoleEntry>) =>
    roles.map((role) => {
      const verdicts = decided.get(role)?.verdicts;
      return [role, ...linkAssurances.map((each) => (verdicts ? verdictText(verdicts[each]) : 'deny'))];
    });
  const sorted = <Value>(map: ReadonlyMap<string, Value>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const { assistance, scope, updates } = contents;
  return JSON.stringify([
    2,
    [...new Set(assistance.automatic)].sort(),
    assistance.lifetimeMinutes,
    assistance.quota.customersPerHour,
    [...new Set(assistance.onRequest.approvalFor)].sort(),
    assistance.onRequest.lifetimeMinutes,
    roles.map((role) => [role, [...new Set(scope[role] ?? [])].sort()]),
    sorted(contents.fields).map(([coordinate, decided]) => [coordinate, byRole(decided)]),
    sorted(contents.filters).map(([coordinate, allowed]) => [coordinate, [...allowed].sort()]),
    sorted(contents.sorts).map(([coordinate, allowed]) => [coordinate, [...allowed].sort()]),
    canonicalUpdates(updates),
  ]);
};

/** A service has no second factor; whoever also has a person's role is a person. */
const exemptFromMfa = (access: AccessClass): boolean =>
  access.roles.length > 0 && access.roles.every((role) => role === 'SERVICE');

interface Decision {
  readonly verdict: Verdict;
  readonly role: Role;
  readonly entry: DecidingEntry;
}

/** The verdicts of one exposure file over one schema, complete for every field and role. Immutable. */
export class ExposurePolicy {
  readonly assistance: AssistancePolicy;
  readonly scope: ScopePolicy;
  readonly updates: UpdatePolicy;
  /** SHA-256 (hexadecimal) of what the policy means; comments, order and formatting don't change it. */
  readonly digest: string;
  readonly mfaRequired: boolean;
  readonly classification: Classification;
  private readonly tables = new Map<string, ReadonlyMap<string, Verdicts>>();

  private constructor(
    private readonly contents: PolicyContents,
    options: ExposureOptions,
  ) {
    this.assistance = contents.assistance;
    this.scope = contents.scope;
    this.updates = contents.updates;
    this.classification = contents.classification;
    this.mfaRequired = options.mfaRequired ?? true;
    this.digest = createHash('sha256').update(canonicalText(contents)).digest('hex');
  }

  /** Reads a policy; either it is complete and below every ceiling, or all its problems are returned. */
  static load(text: string, classification: Classification, options: ExposureOptions = {}): LoadedPolicy {
    const file = parseExposureFile(text);
    const reader = new PolicyReader(file, classification);
    const unreadable = file.problems.length > 0 && file.fields.size === 0;
    // Where nothing could be read, every field would be reported as missing and bury the one real mistake.
    if (!unreadable) reader.checkNames();
    const fields = unreadable ? new Map() : reader.fields();
    const filters = unreadable ? new Map() : reader.argument('filters');
    const sorts = unreadable ? new Map() : reader.argument('sorts');
    reader.checkStrengths(options.channels ?? { mail: true, sms: true });
    const { assistance, scope, updates } = file;
    if (reader.problems.length > 0 || !assistance || !scope || !updates) {
      return { ok: false, problems: reader.problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
    }
    return {
      ok: true,
      policy: new ExposurePolicy({ classification, fields, filters, sorts, assistance, scope, updates }, options),
    };
  }

  /** Verdicts by coordinate for one class of access; computed once each, there are finitely many. Absent means denied. */
  verdictTable(access: AccessClass): ReadonlyMap<string, Verdicts> {
    const key = accessClassKey({ roles: [...new Set(access.roles)], mfa: access.mfa });
    const known = this.tables.get(key);
    if (known) return known;
    const table = new Map<string, Verdicts>();
    for (const coordinate of this.contents.fields.keys()) table.set(coordinate, this.decideAll(coordinate, access));
    this.tables.set(key, table);
    return table;
  }

  /** The verdicts for one field, a `Type.field` of an object type. A coordinate that the policy doesn't know is denied. */
  verdicts(coordinate: string, access: AccessClass): Verdicts {
    return this.verdictTable(access).get(coordinate) ?? deniedByRole;
  }

  private decideAll(coordinate: string, access: AccessClass): Verdicts {
    const verdicts: Verdicts = {
      VERIFIED: this.decide(coordinate, access, 'VERIFIED')?.verdict ?? denied('ROLE'),
      MATCHED: this.decide(coordinate, access, 'MATCHED')?.verdict ?? denied('ROLE'),
      NONE: this.decide(coordinate, access, 'NONE')?.verdict ?? denied('ROLE'),
    };
    // Where the roles show nothing anyway, a second factor would lift nothing, and saying so would send people in circles.
    const shows = linkAssurances.some((each) => permissiveness(verdicts[each]) > permissiveness(omit));
    return shows && this.lacksMfa(coordinate, access) ? deniedWithoutMfa : verdicts;
  }

  /** The most permissive of the actor's roles. */
  private decide(coordinate: string, access: AccessClass, assurance: LinkAssurance): Decision | undefined {
    const decided = this.contents.fields.get(coordinate);
    let best: Decision | undefined;
    for (const role of access.roles) {
      const entry = decided?.get(role);
      if (!entry) continue;
      const verdict = entry.verdicts[assurance];
      if (!best || permissiveness(verdict) > permissiveness(best.verdict)) best = { verdict, role, entry };
    }
    return best;
  }

  /** The entry of the file that decides, and the role it is for; undefined where no role of the actor has one. */
  decidedBy(coordinate: string, access: AccessClass, assurance: LinkAssurance): Omit<Decision, 'verdict'> | undefined {
    const decision = this.decide(coordinate, access, assurance);
    return decision && { role: decision.role, entry: { path: decision.entry.path, line: decision.entry.line } };
  }

  private lacksMfa(coordinate: string, access: AccessClass): boolean {
    const policed = this.classification.fields.get(coordinate)?.policed ?? true;
    return this.mfaRequired && policed && !access.mfa && !exemptFromMfa(access);
  }

  private argumentDenial(
    lists: ReadonlyMap<string, ReadonlySet<Role>>,
    coordinate: string,
    access: AccessClass,
    reason: DenialReason,
  ): DenialReason | null {
    if (!access.roles.some((role) => lists.get(coordinate)?.has(role) === true)) return reason;
    return this.lacksMfa(coordinate, access) ? 'MFA_REQUIRED' : null;
  }

  /** Why the actor may not narrow by a field; null if it may. Independent of whether it may read the field. */
  filterDenial(coordinate: string, access: AccessClass): DenialReason | null {
    return this.argumentDenial(this.contents.filters, coordinate, access, 'NOT_FILTERABLE');
  }

  /** Why the actor may not order by a field; null if it may. */
  sortDenial(coordinate: string, access: AccessClass): DenialReason | null {
    return this.argumentDenial(this.contents.sorts, coordinate, access, 'NOT_SORTABLE');
  }

  mayFilter(coordinate: string, access: AccessClass): boolean {
    return this.filterDenial(coordinate, access) === null;
  }

  maySort(coordinate: string, access: AccessClass): boolean {
    return this.sortDenial(coordinate, access) === null;
  }

  /** Coordinates that the policy decides, with the verdict text of each role and assurance; for reports. */
  *entries(): Generator<{ coordinate: string; role: Role; verdicts: Verdicts; entry: DecidingEntry }> {
    for (const [coordinate, decided] of this.contents.fields) {
      for (const [role, entry] of decided) {
        yield { coordinate, role, verdicts: entry.verdicts, entry: { path: entry.path, line: entry.line } };
      }
    }
  }

  /** Who may filter or sort by what. */
  argumentRoles(kind: 'filters' | 'sorts'): ReadonlyMap<string, ReadonlySet<Role>> {
    return this.contents[kind];
  }
}

/** Why a field looks as it does to somebody. */
export interface Explanation {
  readonly coordinate: string;
  readonly assurance: LinkAssurance;
  readonly class: string;
  readonly verdict: Verdict;
  /** The role whose entry decided, and where it stands; null where no role has a say. */
  readonly decidedBy: (DecidingEntry & { readonly role: Role }) | null;
  readonly ceiling: Ceiling;
  /** One sentence: what would show more, or that nothing can. */
  readonly lift: string;
}

/**
 * Would this access see this field under this assurance, and why. A role stands for somebody with it and a second factor.
 * @throws Failure `INVALID` for a coordinate that isn't a field of an object type.
 */
export const explain = (
  policy: ExposurePolicy,
  coordinate: string,
  who: AccessClass | Role,
  assurance: LinkAssurance,
): Explanation => {
  const field = policy.classification.fields.get(coordinate);
  if (!field) throw Failure.invalid('field', 'expected Type.field of an object type in the schema');
  const access: AccessClass = typeof who === 'string' ? { roles: [who], mfa: true } : who;
  const verdict = policy.verdicts(coordinate, access)[assurance];
  const by = policy.decidedBy(coordinate, access, assurance);
  const fieldClass = field.classes[assurance];
  const most = access.roles
    .map((role) => ceiling(fieldClass, role))
    .reduce<Ceiling>((best, each) => (ceilings[each] > ceilings[best] ? each : best), 'deny');
  const lift = (): string => {
    if (verdict.kind === 'reveal') return 'Nothing is withheld.';
    if (verdict.kind === 'deny' && verdict.reason === 'MFA_REQUIRED') return denialRemedies.MFA_REQUIRED;
    if (!by) return 'A role that the policy names.';
    if (verdict.kind === most) return `Nothing: ${by.role} never gets more than ${most} of a ${fieldClass} field.`;
    return `The payments team may change ${by.entry.path} in schema/exposure.yaml, up to ${most}.`;
  };
  return {
    coordinate,
    assurance,
    class: fieldClass,
    verdict,
    decidedBy: by ? { role: by.role, ...by.entry } : null,
    ceiling: most,
    lift: lift(),
  };
};

/** One thing that a new policy does otherwise than the old one. */
export interface PolicyChange {
  /** `Type.field`, or the path of a setting such as `assistance.lifetimeMinutes`. */
  readonly coordinate: string;
  readonly role: Role | null;
  /** Null: under every assurance alike. */
  readonly assurance: LinkAssurance | null;
  readonly before: string;
  readonly after: string;
  readonly effect: 'exposes' | 'restricts' | 'changes';
  readonly sentence: string;
}

const shown = (verdict: Verdict | undefined): number =>
  verdict === undefined || verdict.kind === 'omit' ? 0 : permissiveness(verdict);

const effectOf = (before: number, after: number): PolicyChange['effect'] => {
  if (after === before) return 'changes';
  return after > before ? 'exposes' : 'restricts';
};

const was = (verdict: Verdict | undefined): string => {
  if (!verdict) return 'was not in the graph';
  const words = { reveal: 'was in clear', omit: 'was left out', deny: 'was denied' };
  return verdict.kind === 'mask' ? `was masked, ${verdictText(verdict)}` : words[verdict.kind];
};

const sees = (role: Role, coordinate: string, verdict: Verdict | undefined, on: string): string => {
  if (!verdict) return `${coordinate} is no longer in the graph for ${role}${on}`;
  switch (verdict.kind) {
    case 'reveal':
      return `${role} now sees ${coordinate} in clear${on}`;
    case 'mask':
      return `${role} now sees ${coordinate} masked (${verdictText(verdict)})${on}`;
    case 'omit':
      return `${role} now gets ${coordinate} as null without an error${on}`;
    case 'deny':
      return `${role} is now denied ${coordinate}${on}`;
  }
};

/** An array's values and, for `exposes` or `restricts`, whether it grew or only lost some. */
const listEffect = (before: readonly string[], after: readonly string[]): PolicyChange['effect'] => {
  const gained = after.some((each) => !before.includes(each));
  const lost = before.some((each) => !after.includes(each));
  if (gained) return 'exposes';
  return lost ? 'restricts' : 'changes';
};

const fieldChanges = (before: ExposurePolicy, after: ExposurePolicy, classification: Classification): PolicyChange[] => {
  const tableOf = (policy: ExposurePolicy): Map<string, Verdicts> =>
    new Map([...policy.entries()].map(({ coordinate, role, verdicts }) => [`${coordinate} ${role}`, verdicts]));
  const [old, fresh] = [tableOf(before), tableOf(after)];
  const changes: PolicyChange[] = [];
  const textOf = (verdict: Verdict | undefined) => (verdict ? verdictText(verdict) : 'absent');
  for (const key of new Set([...old.keys(), ...fresh.keys()])) {
    const [coordinate = '', name = ''] = key.split(' ');
    if (!isRole(name)) continue;
    const pairs = linkAssurances.map((assurance) => ({
      assurance,
      from: old.get(key)?.[assurance],
      to: fresh.get(key)?.[assurance],
    }));
    const [first] = pairs;
    const uniform = pairs.every((pair) => textOf(pair.from) === textOf(first?.from) && textOf(pair.to) === textOf(first?.to));
    for (const { assurance, from, to } of uniform ? pairs.slice(0, 1) : pairs) {
      if (textOf(from) === textOf(to)) continue;
      const on = uniform ? '' : ` on ${assurance} links`;
      const fieldClass = classification.fields.get(coordinate)?.classes[assurance];
      changes.push({
        coordinate,
        role: name,
        assurance: uniform ? null : assurance,
        before: textOf(from),
        after: textOf(to),
        effect: effectOf(shown(from), shown(to)),
        sentence: `${sees(name, coordinate, to, on)} (${was(from)}${fieldClass ? `; class ${fieldClass}` : ''}).`,
      });
    }
  }
  return changes;
};

const settingChanges = (before: ExposurePolicy, after: ExposurePolicy): PolicyChange[] => {
  const changes: PolicyChange[] = [];
  const number = (coordinate: string, from: number, to: number, what: string): void => {
    if (from === to) return;
    const sentence = `${what} is now ${to} (was ${from}).`;
    changes.push({
      coordinate,
      role: null,
      assurance: null,
      before: `${from}`,
      after: `${to}`,
      effect: effectOf(from, to),
      sentence,
    });
  };
  const list = (
    coordinate: string,
    role: Role | null,
    from: readonly string[],
    to: readonly string[],
    what: string,
    effect: (from: readonly string[], to: readonly string[]) => PolicyChange['effect'] = listEffect,
  ): void => {
    const text = (values: readonly string[]) => [...new Set(values)].sort().join(', ') || 'none';
    if (text(from) === text(to)) return;
    const sentence = `${what}: now ${text(to)} (was ${text(from)}).`;
    changes.push({ coordinate, role, assurance: null, before: text(from), after: text(to), effect: effect(from, to), sentence });
  };
  const [a, b] = [before.assistance, after.assistance];
  list('assistance.automatic', null, a.automatic, b.automatic, 'Tickets that begin an assistance by themselves');
  number(
    'assistance.lifetimeMinutes',
    a.lifetimeMinutes,
    b.lifetimeMinutes,
    'The life of an assistance that began by itself, in minutes,',
  );
  number(
    'assistance.quota.customersPerHour',
    a.quota.customersPerHour,
    b.quota.customersPerHour,
    'The number of different customers that an actor may reach an hour',
  );
  list(
    'assistance.onRequest.approvalFor',
    null,
    a.onRequest.approvalFor,
    b.onRequest.approvalFor,
    'Roles whose requests for an assistance wait for a supervisor',
    // An approval that falls away opens something, one that is added closes it.
    (from, to) => listEffect(to, from),
  );
  number(
    'assistance.onRequest.lifetimeMinutes',
    a.onRequest.lifetimeMinutes,
    b.onRequest.lifetimeMinutes,
    'The life of a requested assistance, in minutes,',
  );
  for (const role of roles) {
    list(`scope.${role}`, role, before.scope[role] ?? [], after.scope[role] ?? [], `Tickets that ${role} sees in lists`);
  }
  for (const kind of ['filters', 'sorts'] as const) {
    const [old, fresh] = [before.argumentRoles(kind), after.argumentRoles(kind)];
    const verb = kind === 'filters' ? 'filter' : 'sort';
    for (const coordinate of new Set([...old.keys(), ...fresh.keys()])) {
      const [from, to] = [[...(old.get(coordinate) ?? [])], [...(fresh.get(coordinate) ?? [])]];
      list(`${kind}.${coordinate}`, null, from, to, `Roles that may ${verb} by ${coordinate}`);
    }
  }
  return changes;
};

/** What a change of the policy would do, in words, before it ships. Empty if the two mean the same. */
export const diffPolicies = (
  before: ExposurePolicy,
  after: ExposurePolicy,
  classification: Classification,
): readonly PolicyChange[] => [
  ...fieldChanges(before, after, classification),
  ...settingChanges(before, after),
  ...updateChanges(before.updates, after.updates),
];
