import { z } from 'zod';

/** What the schema of a section of `counterfoil.yaml` may know of where it stands. */
export interface SectionContext {
  readonly production: boolean;
  /** Where relative paths start. */
  readonly folder: string;
  /** An environment variable's value, or that of the file that `NAME_FILE` names; undefined where there is neither. */
  readonly secretValue: (name: string) => string | undefined;
}

/** A secret is never written into the file: `${NAME}` refers to an environment variable. */
const reference = /^\$\{([A-Z][A-Z0-9_]*)\}$/;

export const isReference = (text: string): boolean => reference.test(text);

/** Reads what a reference refers to, within a zod transformation; what is wrong with it is an issue at `path`. */
export const secretOf =
  ({ secretValue }: SectionContext) =>
  (text: string, context: z.RefinementCtx, path: readonly PropertyKey[] = []): string => {
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message, path: [...path] });
      return z.NEVER;
    };
    const [, name] = reference.exec(text) ?? [];
    if (name === undefined)
      return refuse('expected an environment reference such as ${RT_TOKEN}: secrets do not belong in this file');
    const value = secretValue(name);
    return value || refuse(`the environment has no ${name}, nor ${name}_FILE with a readable file`);
  };

/** A secret, given as a reference. */
export const secret = (section: SectionContext) =>
  z
    .string({ error: 'expected an environment reference such as ${RT_TOKEN}' })
    .transform((text, context) => secretOf(section)(text, context));

const shortestSecret = 16;
/** A secret that signs what anybody may send: whoever has one message can try secrets for it as fast as they like. */
export const webhookSecret = (section: SectionContext) =>
  secret(section).refine(
    (value) => !section.production || (value.length >= shortestSecret && new Set(value).size >= 8),
    `expected a secret of at least ${shortestSecret} random characters; make one with: openssl rand -hex 32`,
  );

export const sourceName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name: lower-case letters, digits and hyphens');
export const loopbackHosts = ['localhost', '127.0.0.1', '::1', '[::1]'];
/** An address that isn't one is reported by whoever asks for one. */
export const isInClear = (url: string): boolean =>
  /^http:/i.test(url) && URL.canParse(url) && !loopbackHosts.includes(new URL(url).hostname);
export const httpUrl = ({ production }: Pick<SectionContext, 'production'>) =>
  z
    .url({ protocol: /^https?$/, error: 'expected an address such as https://rt.example.com' })
    .refine((url) => !production || !isInClear(url), 'expected https: a token must not travel in clear');

/** What is shown to people, or stands in a header. */
export const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1, 'expected a text')
    .max(most, `expected at most ${most} characters`)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'expected one line');

/** A time limit. */
export const milliseconds = (otherwise: number) => z.int().min(100).max(300_000).default(otherwise);
