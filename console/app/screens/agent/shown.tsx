import { createContext, type ReactNode, useContext, useState } from 'react';
import type { AgentPanelData, LinkAssurance } from '../../graph/operations';
import { Refusals } from '../../graph/refusals';
import { NotShown } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { agentTexts } from './texts';

export type Viewer = AgentPanelData['viewer'];
export type Ticket = NonNullable<AgentPanelData['ticketByReference']>;
export type Customer = NonNullable<Ticket['customer']>;
export type Method = NonNullable<Customer['paymentMethods']>[number];
export type Payment = NonNullable<Customer['transactions']>['nodes'][number];
export type Alert = NonNullable<Ticket['alerts']>[number];
export type Hold = NonNullable<Ticket['holds']>[number];
export type Update = NonNullable<Ticket['credentialUpdates']>[number];
export type Question = NonNullable<Ticket['recognitions']>[number];
export type Withheld = Viewer['withheld'][number];

/** Types of which the panel asks what is withheld. */
export const shownTypes = [
  'Alert',
  'AlertReason',
  'CredentialSummary',
  'CredentialUpdate',
  'Customer',
  'CustomerAuthor',
  'Hold',
  'Location',
  'Message',
  'Order',
  'PaymentMethod',
  'Recognition',
  'Risk',
  'Ticket',
  'Transaction',
];

/** What a panel has in common: whom it is about, what is kept from its reader, and what its parts tell it. */
export interface Shown {
  readonly ticketId: string;
  readonly link: LinkAssurance;
  readonly refusals: Refusals;
  readonly withheld: readonly Withheld[];
  /** It is shown in a helpdesk's page, from where some things aren't done. */
  readonly isFrame: boolean;
  /** Asks for all of it again. */
  readonly refresh: () => void;
  /** Says something to whoever doesn't see it. */
  readonly announce: (text: string) => void;
  /** Texts that somebody is typing. They outlive a refusal, and the end of an access; nothing keeps them but the page itself. */
  readonly drafts: Map<string, string>;
  /** What was asked for and isn't known to be done: by what it is for, and by what was asked. */
  readonly attempts: Attempts;
}

export type Attempts = Map<string, Map<string, Attempt>>;

/** One attempt at something: its key is the same as often as the same is asked for, until one of what it is for is known to be done. */
export interface Attempt {
  readonly key: string;
  /** Milliseconds, when it was first asked for. */
  readonly at: number;
}

export const ShownContext = createContext<Shown>({
  ticketId: '',
  link: 'NONE',
  refusals: new Refusals([]),
  withheld: [],
  isFrame: false,
  refresh: () => {},
  announce: () => {},
  drafts: new Map(),
  attempts: new Map(),
});

export const useShown = (): Shown => useContext(ShownContext);

/** A text that is being typed, by what it is for. */
export const useDraft = (name: string, initial = ''): readonly [string, (text: string) => void] => {
  const { drafts } = useShown();
  const [text, setText] = useState(drafts.get(name) ?? initial);
  return [
    text,
    (next) => {
      drafts.set(name, next);
      setText(next);
    },
  ];
};

/** Why a value is masked or left out. It opens in its place: nothing is asked for it. */
const Why = ({ verdict: { masked, lift } }: { readonly verdict: Withheld }) => {
  const t = useText(agentTexts);
  return (
    <details className="why">
      <summary>
        {t(masked ? 'masked' : 'left')} <span className="visually-hidden">{t('why')}</span>
      </summary>
      <span>{t(`why${lift}`)}</span>
    </details>
  );
};

/** A value as the policy leaves it: shown, masked, left out, denied or truly not there, each of which looks otherwise. */
export const Value = <T,>({
  field,
  of,
  children,
  isEmpty = false,
}: {
  /** By which it is decided, as `Type.field`. */
  readonly field: string;
  readonly of: T | null;
  readonly children: (value: T) => ReactNode;
  /** There is something to show, and it says nothing. */
  readonly isEmpty?: boolean;
}) => {
  const t = useText(agentTexts);
  const { refusals, withheld, link } = useShown();
  const verdict = withheld.find((each) => each.field === field && each.link === link);
  if (of !== null && !isEmpty)
    return (
      <>
        {children(of)} {verdict?.masked ? <Why verdict={verdict} /> : null}
      </>
    );
  const refusal = refusals.of(field);
  if (refusal !== null) return <NotShown refusal={refusal} />;
  if (verdict !== undefined && !verdict.masked) return <Why verdict={verdict} />;
  return <span className="quiet">{t('empty')}</span>;
};

/** What is kept of a field, where something is: for what is shown only where it is there. */
export const useIsKept = (): ((field: string) => boolean) => {
  const { refusals, withheld, link } = useShown();
  return (field) =>
    refusals.of(field) !== null || withheld.some((each) => each.field === field && each.link === link && !each.masked);
};

/** A list that is there, or why it isn't; `empty` where there is none. */
export const Listed = <T,>({
  field,
  of,
  empty,
  children,
}: {
  readonly field: string;
  readonly of: readonly T[] | null;
  readonly empty: string | null;
  readonly children: (items: readonly T[]) => ReactNode;
}) => {
  const { refusals } = useShown();
  if (of !== null && of.length > 0) return children(of);
  const refusal = refusals.of(field);
  if (refusal !== null)
    return (
      <p>
        <NotShown refusal={refusal} />
      </p>
    );
  if (of === null) return <Value field={field} of={null} children={() => null} />;
  return empty === null ? null : <p className="quiet">{empty}</p>;
};
