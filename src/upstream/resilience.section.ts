import { z } from 'zod';

/** How calls to a source are limited and tried again; what isn't said is as `Resilience` has it. Times are in milliseconds. */
export const resilienceSection = z
  .strictObject({
    attemptTimeout: z.int().min(100).max(60_000),
    retries: z.int().min(0).max(5),
    breakAfter: z.int().min(1).max(100),
    breakFor: z.int().min(100).max(600_000),
    concurrency: z.int().min(1).max(64),
  })
  .partial();
