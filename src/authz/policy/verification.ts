/** What a customer can do to show that it is them, each with what it proves. Shared by whatever asks a customer for a proof. */
export interface VerificationMethod {
  /** 1 is the weakest. By this a change of the policy is told as stronger or weaker; the proofs themselves add up, none stands for another. */
  readonly strength: number;
  /** Whether the link alone is enough, a second channel is needed, or the provider does it. */
  readonly channel: 'mail' | 'sms' | 'provider';
  readonly proves: string;
}

export const verificationMethods = {
  link: {
    strength: 1,
    channel: 'mail',
    proves: 'whoever confirmed reads the mailbox that the payment side holds',
  },
  code: {
    strength: 2,
    channel: 'sms',
    proves: 'and also has the telephone that the payment side holds: a second channel, which the link did not travel by',
  },
  'three-d-secure': {
    strength: 3,
    channel: 'provider',
    proves: 'the issuer of the new card authenticated its holder (EMV 3-D Secure) when it was entered at the provider',
  },
} as const satisfies Record<string, VerificationMethod>;

export type VerificationMethodName = keyof typeof verificationMethods;
export const verificationMethodNames = Object.keys(verificationMethods) as readonly VerificationMethodName[];
