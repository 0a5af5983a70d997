import { z } from 'zod';
import { httpUrl, type SectionContext, secret, sourceName, webhookSecret } from '../../../section';
import { resilienceSection } from '../../resilience.section';

/** A connected account's customers, payments and events are of that account, under ids of its own: what is read here would be of two. */
const noConnectedAccount = z
  .never({ error: 'connected accounts (Stripe-Account) aren’t read: make a source with a key of that account itself' })
  .optional();

/** The name by which Radar's rules know a list. */
const listAlias = z.string().regex(/^[A-Za-z0-9_]{1,100}$/, 'expected the alias of a Radar list, such as counterfoil_block');

/** One list, or one for each kind of thing that is held. */
const holdList = z.union([
  listAlias,
  z
    .strictObject({ customer: listAlias.optional(), card: listAlias.optional(), email: listAlias.optional() })
    .refine((each) => Object.values(each).some((alias) => alias !== undefined), 'expected an alias for customer, card or email'),
]);

/** A Stripe account among `sources.payments`. */
export const stripeSection = (section: SectionContext) =>
  z.strictObject({
    kind: z.literal('stripe'),
    name: sourceName,
    apiKey: secret(section),
    /** The endpoint's signing secret (`whsec_…`); without it every webhook is rejected. */
    webhookSecret: webhookSecret(section).optional(),
    account: noConnectedAccount,
    stripeAccount: noConnectedAccount,
    connectedAccount: noConnectedAccount,
    'Stripe-Account': noConnectedAccount,
    /** For tests against a server of one's own. */
    url: httpUrl(section).optional(),
    /** Key of a customer's metadata whose value names the helpdesk customer as `<helpdesk source>:<reference>`. */
    metadataKey: z.string().min(1).optional(),
    /** The helpdesk source that values without a colon are references of; by default such values name nobody. */
    bareReferencesOf: sourceName.optional(),
    /** Keys of the metadata of payments that name the order, its description and, where the shop stores one, the device. */
    orderKey: z.string().min(1).optional(),
    orderDescriptionKey: z.string().min(1).optional(),
    deviceKey: z.string().min(1).optional(),
    /** Lists that the account's Radar rules name; without them future payments can't be held. */
    radarLists: z
      .strictObject({
        block: holdList.optional(),
        review: holdList.optional(),
        stepUp: holdList.optional(),
        /** Where this product notes what it added itself. Made where it is missing; no rule should name it. */
        added: listAlias.default('counterfoil_added'),
      })
      .optional(),
    resilience: resilienceSection.optional(),
  });

export type StripeSection = z.output<ReturnType<typeof stripeSection>>;
