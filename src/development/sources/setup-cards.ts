/** How the card's issuer takes part in EMV 3-D Secure: without asking its holder, by asking, or not at all. */
export type IssuerAuthentication = 'frictionless' | 'challenge' | 'none';

/** A card that can be chosen on the demo provider's page. It has no number anywhere, only what a provider tells of one. */
export interface SetupCard {
  readonly brand: 'visa' | 'mastercard' | 'amex';
  readonly last4: string;
  /** ISO 3166-1 alpha-2 country of the issuer. */
  readonly country: string;
  /** For the person who chooses. */
  readonly about: string;
  readonly isAccepted: boolean;
  readonly authentication: IssuerAuthentication;
}

/** Last digits as those of cards that Stripe publishes for the same cases; https://docs.stripe.com/testing */
export const setupCards = {
  visa: {
    brand: 'visa',
    last4: '4242',
    country: 'FR',
    about: 'An ordinary card. Its issuer authenticates without a question, where asked to.',
    isAccepted: true,
    authentication: 'frictionless',
  },
  mastercard: {
    brand: 'mastercard',
    last4: '4444',
    country: 'FR',
    about: 'Another ordinary card.',
    isAccepted: true,
    authentication: 'frictionless',
  },
  abroad: {
    brand: 'visa',
    last4: '8001',
    country: 'MX',
    about: 'A card of another country: Mexico.',
    isAccepted: true,
    authentication: 'frictionless',
  },
  declined: {
    brand: 'visa',
    last4: '0002',
    country: 'FR',
    about: 'Its issuer declines it.',
    isAccepted: false,
    authentication: 'frictionless',
  },
  challenged: {
    brand: 'visa',
    last4: '3220',
    country: 'FR',
    about: 'Its issuer asks the holder: 3-D Secure, on the next page.',
    isAccepted: true,
    authentication: 'challenge',
  },
  unauthenticated: {
    brand: 'amex',
    last4: '0005',
    country: 'FR',
    about: 'A card that can’t do 3-D Secure: it is taken, and nobody was authenticated.',
    isAccepted: true,
    authentication: 'none',
  },
} as const satisfies Record<string, SetupCard>;

export type SetupCardName = keyof typeof setupCards;

export const isSetupCardName = (name: string): name is SetupCardName => Object.hasOwn(setupCards, name);
