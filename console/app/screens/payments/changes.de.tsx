import type { PolicyChangeKind, PolicyDiffData } from '../../graph/operations';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { verdictTexts } from './texts';

type Change = PolicyDiffData['policyDiff']['changes'][number];

/** What changes, each in German: the compiler misses a kind that the graph has and this lacks. */
const whats: Readonly<Record<Exclude<PolicyChangeKind, 'FIELD'>, string>> = {
  ASSISTANCE_AUTOMATIC: 'Tickets, mit denen eine Assistenz von selbst beginnt',
  ASSISTANCE_MINUTES: 'Dauer einer Assistenz, die von selbst begann, in Minuten',
  ASSISTANCE_CUSTOMERS_PER_HOUR: 'Wie viele verschiedene Kunden jemand in einer Stunde erreicht',
  ASSISTANCE_APPROVAL_FOR: 'Rollen, deren Anfragen nach einer Assistenz auf die Teamleitung warten',
  ASSISTANCE_REQUESTED_MINUTES: 'Dauer einer angefragten Assistenz in Minuten',
  SCOPE: 'Tickets, die diese Rolle in Listen sieht: {role}',
  BRAKES_RELEASED_BY: 'Rollen anderer Teams, die eine Bremse aufheben',
  FRAMES_SIGNED: 'Helpdesks, in deren Seiten ein Ticket nur gezeigt wird, wenn sie dafür signiert haben',
  RECOGNITION_LINK_HOURS: 'Stunden, die ein Kunde hat, um zu sagen, ob eine Zahlung seine ist',
  RECOGNITION_PER_DAY: 'Nach wie vielen Zahlungen ein Kunde am Tag gefragt wird',
  DECISION_PER_SUBJECT: 'Wie oft ein Dienst in einer Stunde nach den Zahlungen eines Kunden fragt',
  DECISION_SUBJECTS: 'Nach den Zahlungen wie vieler Kunden ein Dienst in einer Minute fragt',
  DECISION_ROUTE: 'Weg einer Zahlung bei {name}',
  HOLD_AGENT_MINUTES: 'Wie lange der Support Zahlungen längstens zurückhält, in Minuten',
  HOLD_AGENT_DAY_MINUTES: 'Wie lange der Support einen Kunden an einem Tag warten lässt, in Minuten',
  HOLD_AGENT_MOST: 'Wie oft jemand vom Support zugleich etwas zurückhält',
  HOLD_SUPERVISOR_MOST: 'Wie oft jemand aus der Teamleitung zugleich etwas zurückhält',
  FILTER: 'Rollen, die nach {name} suchen',
  SORT: 'Rollen, die nach {name} sortieren',
  UPDATE_KIND: 'Was diese Änderung bestätigt: {name}',
  UPDATE_LINK_HOURS: 'Wie lange der Link eines Kunden gilt, in Stunden',
  UPDATE_APPROVAL_HOURS: 'Wie lange eine Änderung auf ihre Freigabe wartet, in Stunden',
  UPDATE_PER_DAY: 'Wie viele Änderungen für einen Kunden am Tag angefragt werden',
  HIGH_RISK_STRENGTH: 'Was eine riskante Änderung bestätigt',
  HIGH_RISK_CONTACT_DAYS: 'Wie lange geänderte Kontaktdaten eine Änderung riskant machen, in Tagen',
  HIGH_RISK_RULE: 'Was die Regel {name} zu einer riskanten Änderung macht',
};

/** Nothing of a list, of what is offered, of rules. */
const nothing: Partial<Readonly<Record<PolicyChangeKind, string>>> = {
  UPDATE_KIND: 'wird nicht angeboten',
  HIGH_RISK_RULE: 'gibt es nicht',
};

/** Words of the file that mean something to its reader; all others are names or numbers. */
const words: Readonly<Record<string, string>> = {
  own: 'eigene',
  team: 'des Teams',
  assisted: 'mit Assistenz',
  link: 'ein Link',
  code: 'ein Code',
  'three-d-secure': '3-D Secure',
  review: 'Prüfung (review)',
  hold: 'Zurückhalten (hold)',
  REPLACE_CARD: 'neue Karte',
  BILLING_ADDRESS: 'Rechnungsadresse',
  SET_DEFAULT: 'Standard setzen',
  REMOVE: 'entfernen',
  ANY: 'jede Änderung',
  'link:VERIFIED': 'bei bestätigter Verknüpfung',
  'link:MATCHED': 'bei vermuteter Verknüpfung',
  'methodIsDefault:true': 'beim Standardzahlungsmittel',
  'methodIsDefault:false': 'bei einem Zahlungsmittel, das nicht der Standard ist',
};

const masks = {
  hidden: 'maskHidden',
  digest: 'maskDigest',
  initial: 'maskInitial',
  name: 'maskName',
  last4: 'maskLast4',
  year: 'maskYear',
  postal: 'maskPostal',
  phone: 'maskPhone',
  email: 'maskEmail',
  decline: 'maskDecline',
} as const;

const roleNames = ['AGENT', 'SUPERVISOR', 'PAYMENTS', 'AUDITOR', 'PRIVACY', 'SERVICE', 'ADMIN'] as const;

const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);

const kinds = ['kind:REPLACE_CARD', 'kind:BILLING_ADDRESS', 'kind:SET_DEFAULT', 'kind:REMOVE'];

/** All kinds of changes are any change. */
const withoutAllKinds = (values: readonly string[]): readonly string[] =>
  kinds.every((kind) => values.includes(kind)) ? ['kind:ANY', ...values.filter((value) => !kinds.includes(value))] : values;

/** What a change is, by the words that the graph has beside its English sentence. */
export default ({ change, part }: { readonly change: Change; readonly part: 'from' | 'to' | 'sentence' }): string => {
  const v = useText(verdictTexts);
  const common = useText(commonTexts);
  const { kind, coordinate, role, assurance, from, to } = change;

  const word = (text: string): string => {
    const asRole = roleNames.find((name) => name === text);
    if (asRole !== undefined) return common(`role${asRole}`);
    const [name = '', value = ''] = text.split(':');
    if (name === 'kind') return words[value] ?? value;
    if (name === 'methodYoungerThanDays') return `bei einem Zahlungsmittel, das noch keine ${value} Tage gespeichert ist`;
    if (name === 'disputedWithinDays') return `innerhalb von ${value} Tagen nach einem Widerspruch`;
    return words[text] ?? text;
  };
  // Names that somebody gave are told as they are, whatever word they look like.
  const isNamed = kind === 'FRAMES_SIGNED' || kind === 'DECISION_ROUTE';
  const list = (values: readonly string[]): string =>
    withoutAllKinds(values)
      .map((value) => (isNamed ? value : word(value)))
      .join(', ') ||
    (nothing[kind] ?? 'keine');

  if (part !== 'sentence') return list(part === 'from' ? from : to);
  if (kind !== 'FIELD') {
    const steps = coordinate.split('.');
    const name = kind === 'FILTER' || kind === 'SORT' ? steps.slice(1).join('.') : (steps.at(-1) ?? '');
    const what = filled(whats[kind], {
      name: kind === 'HIGH_RISK_RULE' ? name : word(name),
      role: role === null ? '' : common(`role${role}`),
    });
    return `${what}: jetzt ${list(to)} (bisher ${list(from)}).`;
  }

  const masked = (verdict: string): string => {
    const mask = masks[verdict.replace('mask:', '') as keyof typeof masks];
    return mask === undefined ? verdict : v(mask);
  };
  const [is = '', was = ''] = [to[0], from[0]];
  const who = role === null ? '' : `Die Rolle ${common(`role${role}`)}`;
  const on = assurance === null ? '' : `, wenn gilt: ${v(assurance)}`;
  const now = is.startsWith('mask:')
    ? `${who} sieht ${coordinate} jetzt maskiert (${masked(is)})`
    : ({
        reveal: `${who} sieht ${coordinate} jetzt im Klartext`,
        omit: `${who} erhält für ${coordinate} jetzt nichts, ohne ein Wort`,
        deny: `${who} erhält ${coordinate} jetzt nicht und wird darauf hingewiesen`,
      }[is] ?? `${coordinate}: ${is}`);
  const before = was.startsWith('mask:')
    ? `maskiert, ${masked(was)}`
    : ({ reveal: 'im Klartext', omit: 'ausgelassen', deny: 'verweigert' }[was] ?? was);
  return `${now}${on} (bisher ${before}${change.class === null ? '' : `; Klasse ${change.class}`}).`;
};
