import { z } from 'zod';
import { httpUrl, type SectionContext, secret, sourceName, webhookSecret } from '../../../section';
import { resilienceSection } from '../../resilience.section';
import { ticketStatuses } from '../helpdesk.port';
import { outreachSection } from '../outreach.section';

/** A Request Tracker among `sources.helpdesk`. */
export const rtSection = (section: SectionContext) =>
  z
    .strictObject({
      kind: z.literal('rt'),
      name: sourceName,
      /** RT's address as its users know it, without `/REST/2.0`. */
      url: httpUrl(section),
      /** An authentication token of the gateway's own RT account. */
      token: secret(section),
      /** The scrip's secret; without it every webhook is rejected. */
      webhookSecret: webhookSecret(section).optional(),
      /** Names of the queues that are served; all that the account may see when left out. */
      queues: z.array(z.string().min(1)).min(1).optional(),
      /** Queues by name, with the team of the identity provider's tokens that each belongs to. */
      teams: z.record(z.string(), z.string()).default({}),
      /**
       * The custom field of RT's users that names the payment customer, and the RT accounts (by name) that write it: a billing
       * system's, never an agent's. A value counts only while the last to write it was one of these.
       */
      customerField: z.strictObject({ name: z.string().min(1), writers: z.array(z.string().min(1)).min(1) }).optional(),
      /** What the merchant's own statuses mean; RT's usual ones are known. Others are OPEN while RT counts them as active. */
      statuses: z.record(z.string(), z.enum(ticketStatuses)).optional(),
      /** Where tickets are opened that rules ask for: one of `queues`, where those are named. Without it none are. */
      outreach: outreachSection.optional(),
      resilience: resilienceSection.optional(),
    })
    // A ticket elsewhere would never be seen here again, not even to tell whether it is open already.
    .refine(({ queues, outreach }) => queues === undefined || outreach === undefined || queues.includes(outreach.queue), {
      path: ['outreach', 'queue'],
      error: 'expected one of the queues that are served',
    });

export type RtSection = z.output<ReturnType<typeof rtSection>>;
