import { z } from 'zod';

/** What one operation may ask for and cause. */
export const limitsSection = z
  .strictObject({
    /** Fields within fields. */
    depth: z.int().min(5).max(30).default(12),
    /** Fields with an alias. */
    aliases: z.int().min(1).max(500).default(50),
    /** Values that an answer may come to hold: fields, each as often as the lists above it are long at most. */
    cost: z.int().min(1_000).max(1_000_000).default(30_000),
    /** Items of one list among arguments and variables. */
    listArgument: z.int().min(1).max(1_000).default(100),
    /** Objects that an answer is made of. */
    objects: z.int().min(1_000).max(500_000).default(30_000),
    /** Bytes of one answer. */
    answerBytes: z
      .int()
      .min(64 * 1024)
      .max(64 * 1024 * 1024)
      .default(4 * 1024 * 1024),
  })
  .prefault({});

export type OperationLimits = z.output<typeof limitsSection>;

export const defaultLimits: OperationLimits = limitsSection.parse({});
