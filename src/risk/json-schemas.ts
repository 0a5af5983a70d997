import { z } from 'zod';
import { rulesFileSchema } from './rules-file';
import { signalSchema } from './signal';

const text = (schema: z.ZodType, title: string, description: string): string =>
  `${JSON.stringify({ ...z.toJSONSchema(schema, { io: 'input' }), title, description }, null, 2)}\n`;

/** JSON Schema (2020-12) of one signal as a sender words it. */
export const signalSchemaText = (): string =>
  text(
    signalSchema,
    'Signal',
    'Something that happened to a payment, a ticket, an account or a member of staff: a line of NDJSON. What is not named here is dropped; a type that no rule knows is kept and read by none.',
  );

/** JSON Schema (2020-12) of the file of risk rules. */
export const rulesSchemaText = (): string =>
  text(rulesFileSchema, 'Risk rules', 'Mode, effects and thresholds of each risk rule: schema/rules.yaml.');
