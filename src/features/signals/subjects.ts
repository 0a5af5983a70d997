import { Failure } from '../../failure';
import { type KeyedDigests, normalForm } from '../../privacy/digests';
import { type Signal, type SubjectName, type Subjects, subjectNames } from '../../risk/signal';
import { RecentDigests } from './recent-digests';

/** What somebody's names stand for: our id of each name that is known. */
type IdsOf = (source: string, names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Looks up what senders name. */
export interface NamedThings {
  readonly customersOfHelpdesk: IdsOf;
  readonly customersOfPayments: IdsOf;
  readonly cards: IdsOf;
  readonly payments: IdsOf;
  readonly tickets: IdsOf;
  readonly staff: IdsOf;
}

/** By whose references a sender names what it tells of. */
export interface Namespaces {
  readonly helpdesk?: string | undefined;
  readonly payments?: string | undefined;
}

/** A mail domain as it is compared: of an address somebody's own part must not come. */
const domainForm = (text: string): string => {
  if (text.includes('@')) throw Failure.invalid('subjects.emailDomain', 'expected the domain alone, such as example.com');
  return normalForm(text).replace(/\.$/, '');
};

/** A network address as it is compared: of IPv6 in one form. */
const addressForm = (text: string): string => {
  const host = text.includes(':') ? `[${text.trim()}]` : text.trim();
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : normalForm(text);
};

/** The digest of a subject that nobody has an id for. Throws `INVALID` where it isn't what it is called. */
export const subjectDigest = (digests: KeyedDigests, subject: SubjectName, text: string, namespace = ''): string => {
  if (subject === 'device') return digests.device(text);
  const isAnywhere = subject === 'emailDomain' || subject === 'ip';
  const form = subject === 'emailDomain' ? domainForm(text) : subject === 'ip' ? addressForm(text) : text;
  return digests.subject(subject, isAnywhere ? '' : namespace, form);
};

/** Each has a name of its own for each signal: what is kept of one is never asked for. */
const namedOnce: ReadonlySet<SubjectName> = new Set(['order', 'payment']);

/** Ours in place of what senders name: an id where it is known here, and a keyed digest, which says nothing, where it isn't. */
export class SignalSubjects {
  private readonly recent = new RecentDigests();

  constructor(
    private readonly digests: KeyedDigests,
    private readonly named: NamedThings,
  ) {}

  /** The same signals about ours. Throws `INVALID` where one can't be. */
  async ours(signals: readonly Signal[], { helpdesk, payments }: Namespaces): Promise<readonly Signal[]> {
    const of = (source: string | undefined, find: IdsOf, subject: SubjectName) => this.known(signals, subject, source, find);
    const customersOf = payments ?? helpdesk;
    const [customer, card, payment, ticket, staff] = await Promise.all([
      of(customersOf, payments === undefined ? this.named.customersOfHelpdesk : this.named.customersOfPayments, 'customer'),
      of(payments, this.named.cards, 'card'),
      of(payments, this.named.payments, 'payment'),
      of(helpdesk, this.named.tickets, 'ticket'),
      of(helpdesk, this.named.staff, 'staff'),
    ]);
    const ids: { readonly [name in SubjectName]?: ReadonlyMap<string, string> } = { customer, card, payment, ticket, staff };
    const namespaces: { readonly [name in SubjectName]?: string | undefined } = {
      customer: customersOf,
      card: payments,
      payment: payments,
      order: payments,
      ticket: helpdesk,
      staff: helpdesk,
    };
    const namings = subjectNames.map((name) => ({ name, ids: ids[name], digest: this.digestOf(name, namespaces[name]) }));
    return signals.map((signal) => {
      const ours: { [name in SubjectName]?: string } = {};
      for (const { name, ids: known, digest } of namings) {
        const text = signal.subjects[name];
        if (text === undefined) continue;
        // A team's name is nobody's; of whom it is no team that is known here, it must not be one that is.
        if (name === 'team' && helpdesk !== undefined && text.length <= 64) ours.team = text;
        else ours[name] = known?.get(text) ?? digest(text, signal.source);
      }
      return { ...signal, subjects: ours satisfies Subjects };
    });
  }

  /** Digests of one subject's names, for one piece of work: in this namespace, or, without one, in that of the signal's source. */
  private digestOf(name: SubjectName, namespace: string | undefined): (text: string, source: string) => string {
    let of: (text: string) => string;
    let madeFor: string | undefined;
    return (text, source) => {
      const within = namespace ?? source;
      if (within !== madeFor) {
        const make = (each: string) => subjectDigest(this.digests, name, each, within);
        of = namedOnce.has(name) ? make : this.recent.of(`${name} ${within}`, make);
        madeFor = within;
      }
      return of(text);
    };
  }

  private async known(
    signals: readonly Signal[],
    subject: SubjectName,
    source: string | undefined,
    find: IdsOf,
  ): Promise<ReadonlyMap<string, string>> {
    if (source === undefined) return new Map();
    const names = new Set<string>();
    for (const { subjects } of signals) if (subjects[subject] !== undefined) names.add(subjects[subject]);
    return names.size === 0 ? new Map() : find(source, [...names]);
  }
}
