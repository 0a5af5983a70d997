import { z } from 'zod';

/** Where a helpdesk has tickets opened that rules ask for, so that somebody looks at a customer's payments. */
export const outreachSection = z.strictObject({
  /** Name of the queue. */
  queue: z.string().min(1).max(200),
  /** Tickets within 24 hours: whoever makes many customers look suspicious must not bury the queue. */
  mostADay: z.number().int().min(1).max(1_000).default(50),
});

export type OutreachSection = z.output<typeof outreachSection>;
