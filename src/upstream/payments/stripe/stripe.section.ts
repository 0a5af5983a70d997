import { z } from 'zod';
import { httpUrl, type SectionContext, secret, sourceName } from '../../../section';
import { resilienceSection } from '../../resilience.section';

/** A Stripe account among `sources.payments`. */
export const stripeSection = (section: SectionContext) =>
  z.strictObject({
    kind: z.literal('stripe'),
    name: sourceName,
    apiKey: secret(section),
    webhookSecret: secret(section).optional(),
    /** For tests against a server of one's own. */
    url: httpUrl(section).optional(),
    metadataKey: z.string().min(1).optional(),
    bareReferencesOf: sourceName.optional(),
    orderKey: z.string().min(1).optional(),
    orderDescriptionKey: z.string().min(1).optional(),
    deviceKey: z.string().min(1).optional(),
    resilience: resilienceSection.optional(),
  });

export type StripeSection = z.output<ReturnType<typeof stripeSection>>;
