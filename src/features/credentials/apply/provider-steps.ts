import type { CredentialUpdateKind } from '../../../authz/policy/update-policy';
import type { AddressRecord, MethodState, ProviderRefusal, ProviderStep } from '../../../upstream/payments/payments.port';

/** A step with what would take it back; null where nothing can, which is why such a step comes last. */
export interface PlannedStep {
  readonly step: ProviderStep;
  readonly undo: ProviderStep | null;
}

export interface StepsWanted {
  readonly kind: CredentialUpdateKind;
  /** References at the provider. */
  readonly customer: string;
  readonly current: MethodState;
  /** The same card or account, saved once more: what becomes of the one becomes of all. */
  readonly copies?: readonly MethodState[];
  /** For `REPLACE_CARD`: the card that the customer entered, and whether the provider holds it as the customer's already. */
  readonly replacement: { readonly method: string; readonly isAttached: boolean } | null;
  /** For `BILLING_ADDRESS`. */
  readonly address: AddressRecord | null;
}

const noAddress: AddressRecord = { line1: null, line2: null, city: null, state: null, postalCode: null, country: null };

/** What a customer confirmed before they were asked for a state takes none away: that of the same country stays. */
const withState = (wanted: AddressRecord, present: AddressRecord | null): AddressRecord =>
  wanted.state === undefined
    ? { ...wanted, state: present?.country === wanted.country ? (present?.state ?? null) : null }
    : wanted;

/** Subscriptions that charge this method: by their own setting, or because it is the customer's default. */
const charging = ({ method, defaultMethod, subscriptions }: MethodState) =>
  subscriptions.filter((each) => (each.method ?? defaultMethod) === method.reference);

/**
 * The calls that bring an update about, in the order in which they are made: what the provider is likeliest to refuse
 * first, what can't be taken back last. Empty where everything holds already. A refusal where we wouldn't even ask.
 */
export const planSteps = ({
  kind,
  customer,
  current,
  copies = [],
  replacement,
  address,
}: StepsWanted): readonly PlannedStep[] | ProviderRefusal => {
  const { method, defaultMethod, subscriptions } = current;
  const setDefault = (to: string): PlannedStep => ({
    step: { action: 'SET_DEFAULT', customer, method: to },
    undo: { action: 'SET_DEFAULT', customer, method: defaultMethod },
  });
  const setOn = (subscription: MethodState['subscriptions'][number], to: string): PlannedStep => ({
    step: { action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription: subscription.reference, method: to },
    undo: {
      action: 'SET_SUBSCRIPTION_DEFAULT',
      customer,
      subscription: subscription.reference,
      method: subscription.method,
    },
  });
  /** The one that was decided on comes last: as long as anything of it is there, it is shown. */
  const all = [...copies, current];
  const isOne = (reference: string | null) => all.some((each) => each.method.reference === reference);
  const detach = all.map(
    (each): PlannedStep => ({ step: { action: 'DETACH', customer, method: each.method.reference }, undo: null }),
  );
  switch (kind) {
    case 'SET_DEFAULT':
      return [
        ...(defaultMethod === method.reference ? [] : [setDefault(method.reference)]),
        ...subscriptions
          .filter((each) => each.method !== null && each.method !== method.reference)
          .map((each) => setOn(each, method.reference)),
      ];
    case 'BILLING_ADDRESS':
      return all.map(({ method: { reference, billingAddress } }) => ({
        step: { action: 'SET_ADDRESS', customer, method: reference, address: withState(address ?? noAddress, billingAddress) },
        undo: { action: 'SET_ADDRESS', customer, method: reference, address: billingAddress ?? noAddress },
      }));
    case 'REMOVE':
      // What it pays for would go unpaid without a word to the customer: that is another decision than this one.
      return all.some((each) => charging(each).length > 0) ? 'METHOD_IN_USE' : detach;
    case 'REPLACE_CARD': {
      if (replacement === null || isOne(replacement.method)) return 'METHOD_GONE';
      return [
        ...(replacement.isAttached
          ? []
          : [
              {
                step: { action: 'ATTACH', customer, method: replacement.method },
                undo: { action: 'DETACH', customer, method: replacement.method },
              } as const,
            ]),
        ...(all.some((each) => each.defaultMethod === each.method.reference) ? [setDefault(replacement.method)] : []),
        ...all.flatMap(({ method: each, subscriptions: its }) =>
          its.filter((one) => one.method === each.reference).map((one) => setOn(one, replacement.method)),
        ),
        ...detach,
      ];
    }
  }
};
