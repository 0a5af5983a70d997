import { z } from 'zod';
import { httpUrl, type SectionContext, secret, sourceName } from '../../../section';
import { resilienceSection } from '../../resilience.section';
import { ticketStatuses } from '../helpdesk.port';

/** A Request Tracker among `sources.helpdesk`. */
export const rtSection = (section: SectionContext) =>
  z.strictObject({
    kind: z.literal('rt'),
    name: sourceName,
    url: httpUrl(section),
    token: secret(section),
    webhookSecret: secret(section).optional(),
    queues: z.array(z.string().min(1)).min(1).optional(),
    teams: z.record(z.string(), z.string()).default({}),
    customerField: z.strictObject({ name: z.string().min(1), writers: z.array(z.string().min(1)).min(1) }).optional(),
    statuses: z.record(z.string(), z.enum(ticketStatuses)).optional(),
    resilience: resilienceSection.optional(),
  });

export type RtSection = z.output<ReturnType<typeof rtSection>>;
