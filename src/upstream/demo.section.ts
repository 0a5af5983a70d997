import { z } from 'zod';
import { sourceName } from '../section';
import { outreachSection } from './helpdesk/outreach.section';

/** The demo merchant's helpdesk among `sources.helpdesk`. */
export const demoHelpdeskSection = z.strictObject({
  kind: z.literal('demo'),
  name: sourceName,
  outreach: outreachSection.optional(),
});

/** Its payment provider among `sources.payments`; `helpdesk` is the source whose customers pay there. */
export const demoPaymentsSection = z.strictObject({ kind: z.literal('demo'), name: sourceName, helpdesk: sourceName });

export type DemoHelpdeskSection = z.output<typeof demoHelpdeskSection>;
export type DemoPaymentsSection = z.output<typeof demoPaymentsSection>;
