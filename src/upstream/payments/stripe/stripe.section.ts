import { z } from 'zod';
import { httpUrl, type SectionContext, secret, sourceName, webhookSecret } from '../../../section';
import { resilienceSection } from '../../resilience.section';

/** A connected account's customers, payments and events are of that account, under ids of its own: what is read here would be of two. */
const noConnectedAccount = z
  .never({ error: 'connected accounts (Stripe-Account) aren’t read: make a source with a key of that account itself' })
  .optional();

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
    resilience: resilienceSection.optional(),
  });

export type StripeSection = z.output<ReturnType<typeof stripeSection>>;
