import { linkAssurances, type Role, roles } from '../actor';
import { type Classification, type ClassifiedField, ceiling } from './classification';
import type { PolicyProblem, parseExposureFile, VerdictEntry } from './file';
import { maskNamed } from './mask';
import { type ConfiguredEmbed, unmetDemands } from './signed-frames';
import { type ConfiguredChannels, unmetStrengths } from './updates';
import { always, ceilings, omit, permissiveness, readVerdict, type Verdict, type Verdicts, verdictText } from './verdict';

/** The entry of the file that decides a field for a role. */
export interface DecidingEntry {
  /** Dotted path in the file, `fields.Customer.email.AGENT`. */
  readonly path: string;
  readonly line: number | null;
}

export interface RoleEntry extends DecidingEntry {
  readonly verdicts: Verdicts;
}

/** Without a link nothing can be narrowed by what isn't shown then: see `mayNarrow`. */
const linked = ['VERIFIED', 'MATCHED'] as const;

export const isRole = (name: string): name is Role => (roles as readonly string[]).includes(name);

/** What one verdict for all links means: it is for whoever is linked, and without a link at most what may be shown then. */
export const underEveryLink = (verdict: Verdict, field: ClassifiedField | undefined, role: Role): Verdicts => {
  const unlinked = field?.root === null ? ceiling(field.classes.NONE, role, 'NONE') : 'reveal';
  const isAbove = unlinked === 'omit' && permissiveness(verdict) > ceilings.omit;
  return isAbove ? { ...always(verdict), NONE: omit } : always(verdict);
};

/** Loads a policy and collects everything that is wrong with it. */
export class PolicyReader {
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
      const verdicts = entry === undefined ? undefined : this.verdicts(entry, field, role);
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

  private verdicts(entry: VerdictEntry, field: ClassifiedField, role: Role): Verdicts | undefined {
    if (typeof entry === 'string') {
      const verdict = readVerdict(entry);
      return typeof verdict === 'string' ? undefined : underEveryLink(verdict, field, role);
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
      const most = ceiling(field.classes[assurance], role, assurance);
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
      const above = allowed.filter((role) => linked.some((each) => ceiling(field.classes[each], role, each) !== 'reveal'));
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

  /** Every helpdesk of which the section `frames` demands a signature must sign what its pages say. */
  checkSigned(embeds: readonly ConfiguredEmbed[] | null): void {
    if (!this.file.frames || embeds === null) return;
    for (const { path, message } of unmetDemands(this.file.frames, embeds)) this.report(path, message);
  }
}
