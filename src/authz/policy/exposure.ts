import { createHash } from 'node:crypto';
import type { DenialReason } from '../../failure';
import { type AccessClass, accessClassKey, type LinkAssurance, linkAssurances, type Role, roles } from '../actor';
import { type Classification, needsLink } from './classification';
import {
  type AssistancePolicy,
  type BrakePolicy,
  type DecisionPolicy,
  type FramePolicy,
  type HoldPolicy,
  type PolicyProblem,
  parseExposureFile,
  type RecognitionPolicy,
  type ScopePolicy,
} from './file';
import { type DecidingEntry, PolicyReader, type RoleEntry } from './reader';
import type { ConfiguredEmbed } from './signed-frames';
import type { UpdatePolicy } from './update-policy';
import { type ConfiguredChannels, canonicalUpdates } from './updates';
import { always, denied, omit, omitForLackOfLink, permissiveness, type Verdict, type Verdicts, verdictText } from './verdict';

const deniedByRole = always(denied('ROLE'));
const deniedWithoutMfa = always(denied('MFA_REQUIRED'));

export interface ExposureOptions {
  /** Staff without a second factor see no policed field. True unless said otherwise; never false in production. */
  readonly mfaRequired?: boolean;
  /** A strength that needs a channel which isn't there is a problem of the policy. All of them are there unless said otherwise. */
  readonly channels?: ConfiguredChannels;
  /** In which helpdesks' pages the panel is shown; null where nobody can tell. A demand on another one is a problem of the policy. */
  readonly embeds?: readonly ConfiguredEmbed[] | null;
}

/** What a policy decides. */
export interface PolicyContents {
  readonly classification: Classification;
  readonly fields: ReadonlyMap<string, ReadonlyMap<Role, RoleEntry>>;
  readonly filters: ReadonlyMap<string, ReadonlySet<Role>>;
  readonly sorts: ReadonlyMap<string, ReadonlySet<Role>>;
  readonly assistance: AssistancePolicy;
  readonly scope: ScopePolicy;
  readonly updates: UpdatePolicy;
  readonly brakes: BrakePolicy;
  readonly recognitions: RecognitionPolicy;
  readonly decisions: DecisionPolicy;
  readonly holds: HoldPolicy;
  readonly frames: FramePolicy;
}

export type LoadedPolicy =
  | { readonly ok: true; readonly policy: ExposurePolicy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** Sorted keys and sorted sets, so that the same policy has the same text however its file is written. */
const canonicalText = (contents: PolicyContents): string => {
  const byRole = (decided: ReadonlyMap<Role, RoleEntry>) =>
    roles.map((role) => {
      const verdicts = decided.get(role)?.verdicts;
      return [role, ...linkAssurances.map((each) => (verdicts ? verdictText(verdicts[each]) : 'deny'))];
    });
  const sorted = <Value>(map: ReadonlyMap<string, Value>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const { assistance, scope, updates, brakes, holds, recognitions, decisions, frames } = contents;
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
    [...new Set(brakes.releasedBy)].sort(),
    [recognitions.linkHours, recognitions.perCustomerPerDay],
    [decisions.routes.review, decisions.routes.hold, decisions.quota.perSubjectPerHour, decisions.quota.subjectsPerMinute],
    [holds.agentMinutes, holds.agentDayMinutes, holds.agentMost, holds.supervisorMost],
    [...frames.signatureRequired].sort(),
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
  readonly brakes: BrakePolicy;
  readonly recognitions: RecognitionPolicy;
  readonly decisions: DecisionPolicy;
  readonly holds: HoldPolicy;
  readonly frames: FramePolicy;
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
    this.brakes = contents.brakes;
    this.recognitions = contents.recognitions;
    this.decisions = contents.decisions;
    this.holds = contents.holds;
    this.frames = contents.frames;
    this.classification = contents.classification;
    this.mfaRequired = options.mfaRequired ?? true;
    this.digest = createHash('sha256').update(this.text).digest('hex');
  }

  /** What the policy means, as a text whose SHA-256 is the digest: of the same meaning it is the same, however the file is written. */
  get text(): string {
    return canonicalText(this.contents);
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
    reader.checkSigned(options.embeds ?? null);
    const { assistance, scope, updates, brakes, holds, recognitions, decisions, frames } = file;
    const isWhole = assistance && scope && updates && brakes && holds && recognitions && decisions && frames;
    if (reader.problems.length > 0 || !isWhole)
      return { ok: false, problems: reader.problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
    return {
      ok: true,
      policy: new ExposurePolicy(
        { classification, fields, filters, sorts, assistance, scope, updates, brakes, holds, recognitions, decisions, frames },
        options,
      ),
    };
  }

  /** One that was, of this or another graph: to be compared, never to decide. */
  static former(contents: PolicyContents, options: ExposureOptions): ExposurePolicy {
    return new ExposurePolicy(contents, options);
  }

  /** Whether it has a verdict for the field, if only that nobody sees it. */
  names(coordinate: string): boolean {
    return this.contents.fields.has(coordinate);
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
    if (shows && this.lacksMfa(coordinate, access)) return deniedWithoutMfa;
    const field = this.classification.fields.get(coordinate);
    const lacksLink = shows && verdicts.NONE.kind === 'omit' && field !== undefined && needsLink(field.classes.NONE);
    return lacksLink ? { ...verdicts, NONE: omitForLackOfLink } : verdicts;
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
