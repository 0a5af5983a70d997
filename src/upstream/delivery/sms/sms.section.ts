import { z } from 'zod';
import { isInClear, isReference, milliseconds, type SectionContext, secretOf } from '../../../section';
import { defaultSmsTimeout, type SmsBodyValue } from './http.sms';

/** What a request's body may hold: no deeper than interfaces of gateways are, so that an alias to itself ends. */
const smsBodyValue = (depth: number): z.ZodType<SmsBodyValue> => {
  const plain = [z.string(), z.number(), z.boolean()] as const;
  const expected = 'expected texts, numbers, true or false, in lists or maps of few levels';
  if (depth === 0) return z.union(plain, { error: expected });
  const inner = smsBodyValue(depth - 1);
  return z.union([...plain, z.array(inner).max(50), z.record(z.string(), inner)], { error: expected });
};
const textsIn = (value: SmsBodyValue): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [];

/** Names that a secret usually goes by. */
const secretName = /authoriz|auth(?!or)|key$|token|secret|passw|signature/i;
/** Those that the request itself decides. */
const ownHeaders = /^(?:content-type|content-length|transfer-encoding|host|connection|expect|upgrade|te|trailer|keep-alive)$/i;

/** A gateway of short messages under `delivery.sms`. */
export const httpSmsSection = (section: SectionContext) => {
  const resolved = secretOf(section);
  /** A secret's name asks for a reference; any other word may stand as it is. */
  const wordOf = (name: string, value: SmsBodyValue, context: z.RefinementCtx, path: readonly PropertyKey[]): SmsBodyValue => {
    if (typeof value === 'string') return secretName.test(name) || isReference(value) ? resolved(value, context, path) : value;
    if (typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((each: SmsBodyValue, index) => wordOf(name, each, context, [...path, index]));
    return Object.fromEntries(
      Object.entries(value).map(([inner, each]) => [inner, wordOf(inner, each, context, [...path, inner])]),
    );
  };
  return z
    .strictObject({
      kind: z.literal('http'),
      url: z
        .url({ protocol: /^https?$/, error: 'expected an address such as https://sms.example.com/messages' })
        .refine((url) => !isInClear(url), 'expected https: a code must not travel in clear')
        .refine(
          (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
          'expected no credentials in the address: a header carries them',
        ),
      method: z.enum(['POST', 'PUT'], { error: 'expected POST or PUT' }).default('POST'),
      headers: z
        .record(
          z
            .string()
            .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'expected names of headers')
            .refine((name) => !ownHeaders.test(name), 'expected no header that the request itself decides'),
          z.string(),
        )
        .default({}),
      contentType: z.enum(['json', 'form'], { error: 'expected json or form' }).default('json'),
      body: z.record(z.string(), smsBodyValue(4)),
      phone: z.enum(['e164', 'digits'], { error: 'expected e164 or digits' }).optional(),
      timeout: milliseconds(defaultSmsTimeout),
    })
    .superRefine(({ body, contentType }, context) => {
      const texts = textsIn(body);
      for (const word of ['{to}', '{text}'])
        if (!texts.some((text) => text.includes(word)))
          context.addIssue({
            code: 'custom',
            path: ['body'],
            message: `expected ${word} in a value: it stands for what is sent`,
          });
      if (contentType === 'form')
        for (const [name, value] of Object.entries(body))
          if (typeof value === 'object')
            context.addIssue({ code: 'custom', path: ['body', name], message: 'expected a text: a form holds no lists or maps' });
    })
    .transform((sms, context) => {
      const headers = Object.entries(sms.headers).map(([name, value]): [string, string] => {
        const word = wordOf(name, value, context, ['headers', name]);
        if (typeof word === 'string' && /^[\x20-\x7e]*$/.test(word)) return [name, word];
        // What couldn't be read is reported already.
        if (typeof word === 'string')
          context.addIssue({ code: 'custom', path: ['headers', name], message: 'expected one line of ASCII' });
        return [name, ''];
      });
      return {
        ...sms,
        headers: Object.fromEntries(headers),
        body: wordOf('', sms.body, context, ['body']) as Readonly<Record<string, SmsBodyValue>>,
      };
    });
};

export type HttpSmsSection = z.output<ReturnType<typeof httpSmsSection>>;
