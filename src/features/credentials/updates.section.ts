import { z } from 'zod';
import { isInClear, line, type SectionContext } from '../../section';

export const updatesSection = z
  .strictObject({
    /** For how long one process has a job of a credential update to itself: longer than a call to a provider takes. */
    leaseSeconds: z.number().min(1).max(600).default(60),
    /** Customers whom a rule has asked for a new card before theirs ends (invite-replace-card). */
    cardInvitations: z
      .strictObject({
        /** So many a day, by the whole gateway, one after the other; 0: none. */
        mostADay: z.number().int().min(0).max(10_000).default(100),
        /** How long the customer's link works. */
        linkDays: z.number().int().min(1).max(14).default(7),
      })
      .prefault({}),
  })
  .prefault({});

/** Who asks the customer. */
export const merchantSection = z.strictObject({
  /** As customers know it. */
  name: line(80),
  /** Where a customer turns to who is unsure; shown as a link. */
  supportUrl: z
    .url({ protocol: /^(?:https|mailto)$/, error: 'expected an address such as https://shop.example.com/help' })
    .optional(),
});

/** Where customers reach the gateway. */
export const publicUrlSection = ({ production }: SectionContext) => {
  const expected = 'expected an address such as https://gateway.example.com, without path, query or credentials';
  return z
    .url({ protocol: /^https?$/, error: expected })
    .refine((url) => !URL.canParse(url) || new URL(url).origin === url.replace(/\/$/, '').toLowerCase(), expected)
    .refine((url) => !production || !isInClear(url), 'expected https: customers confirm there')
    .transform((url) => new URL(url).origin);
};

export type UpdatesSection = z.output<typeof updatesSection>;
