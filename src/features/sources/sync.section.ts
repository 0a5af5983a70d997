import { z } from 'zod';

/** How far back and how often sources are read, and how old what was read may be. */
export const syncSection = z
  .strictObject({
    windowDays: z.int().min(1).max(3650).default(90),
    pollSeconds: z.number().min(0.1).max(3600).default(10),
    assignmentBoundSeconds: z.number().min(1).max(300).default(30),
    paymentsBoundSeconds: z.number().min(1).max(86_400).default(300),
    readThroughSeconds: z.number().min(0.1).max(30).default(2.5),
    openSeconds: z.number().min(1).max(60).default(7.5),
  })
  .prefault({});

export type SyncSection = z.output<typeof syncSection>;
