import { z } from 'zod';

/** Longest name of a client, in characters. */
const longestClient = 256;

/** Who is limited to registered operations. */
export const operationsSection = z
  .strictObject({
    /**
     * Clients, by the `azp` or `client_id` of their tokens, that are answered registered operations only: none (false), all (true), or
     * those of a list. With a list, a token that doesn't say whose it is is limited too.
     */
    registeredOnly: z
      .union([z.boolean(), z.array(z.string().min(1).max(longestClient)).min(1).max(1_000)], {
        error: 'expected true, false, or a list of client ids as tokens have them in azp or client_id',
      })
      .default(false),
  })
  .prefault({});

export type OperationsSection = z.output<typeof operationsSection>;
