import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { type SectionContext, secretOf, sourceName } from '../../section';
import { webhookKey } from '../signals/receive/standard-webhooks';
import { networkOf } from './public-addresses';
import { webhookTypes } from './webhook.entity';

/** Bytes of a key: what Standard Webhooks asks for. */
const [shortestKey, longestKey] = [24, 64];

const keyOf = (section: SectionContext) =>
  z.string({ error: 'expected an environment reference such as ${PIPELINE_WEBHOOK_SECRET}' }).transform((text, context) => {
    const key = webhookKey(secretOf(section)(text, context));
    if (key !== null && key.length >= shortestKey && key.length <= longestKey) return key;
    context.addIssue({
      code: 'custom',
      message: `expected whsec_ and the base64 of ${shortestKey} to ${longestKey} random bytes; make one with: echo whsec_$(openssl rand -base64 32)`,
    });
    return z.NEVER;
  });

const network = z.string().transform((text, context) => {
  const read = networkOf(text);
  if (read !== null) return read;
  context.addIssue({ code: 'custom', message: 'expected a network such as 10.20.0.0/16 or fd00:1::/48' });
  return z.NEVER;
});

const certificates = ({ folder }: SectionContext) =>
  z.string().transform((path, context) => {
    try {
      return readFileSync(isAbsolute(path) ? path : join(folder, path), 'utf8');
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a readable file of certificates (PEM)' });
      return z.NEVER;
    }
  });

/** Who is told of what happens here: each has messages of its own, signed with its own secrets. */
export const webhooksSection = (section: SectionContext) =>
  z
    .array(
      z.strictObject({
        name: sourceName,
        url: z
          .url({ protocol: /^https$/, error: 'expected an address such as https://pipeline.example.com/counterfoil' })
          .refine(
            (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
            'expected no credentials in the address: messages are signed',
          ),
        /** Each message is signed with all of them: two while one replaces the other. */
        secrets: z.array(keyOf(section)).min(1, 'expected a secret').max(2, 'expected two secrets at most'),
        /** What it is told of; everything where it isn't said. */
        types: z
          .array(z.enum(webhookTypes, { error: `expected some of ${webhookTypes.join(', ')}` }))
          .min(1)
          .default([...webhookTypes]),
        /** Networks that aren't public and that it may be in nevertheless. */
        networks: z.array(network).max(20).default([]),
        /** Certificates that its own is trusted by, instead of those of the system. */
        ca: certificates(section).optional(),
      }),
    )
    .max(20, 'expected 20 endpoints at most')
    .superRefine((endpoints, context) => {
      const names = endpoints.map(({ name }) => name);
      names.forEach((name, index) => {
        if (names.indexOf(name) !== index)
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'expected a name that no other endpoint has' });
      });
    })
    .transform((endpoints) => endpoints.map(({ secrets, ...endpoint }) => ({ ...endpoint, keys: secrets })))
    .prefault([]);

export type WebhookEndpointSection = z.output<ReturnType<typeof webhooksSection>>[number];
