import { z } from 'zod';

/** As a token has it: a blank too many would limit nobody. */
const client = z
  .string()
  .max(256, 'expected at most 256 characters')
  .regex(/^[^\s\p{Cc}](?:[^\p{Cc}]*[^\s\p{Cc}])?$/u, 'expected the id of a client as tokens have it, without blanks around it');
const clients = z.array(client).min(1, 'expected at least one client').max(1_000);

/** Who is limited to registered operations. */
export const operationsSection = z
  .strictObject({
    /**
     * Clients, by the `client_id` or `azp` of their tokens, that are answered registered operations only: none (false), all (true), those
     * of a list, or all but those of `except`. Where some are, so is a token that doesn't say whose it is.
     */
    registeredOnly: z
      .union([z.boolean(), clients, z.strictObject({ except: clients })], {
        error: 'expected true, false, a list of client ids as tokens have them in client_id or azp, or such a list under except',
      })
      .default(false),
  })
  .prefault({});

export type OperationsSection = z.output<typeof operationsSection>;

/** Whether a client is limited; undefined is whoever's token names none. */
export const isLimitedBy = ({ registeredOnly }: OperationsSection, clientId: string | undefined): boolean => {
  if (typeof registeredOnly === 'boolean') return registeredOnly;
  if (clientId === undefined) return true;
  return 'except' in registeredOnly ? !registeredOnly.except.includes(clientId) : registeredOnly.includes(clientId);
};
