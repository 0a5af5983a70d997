import { z } from 'zod';
import { usualLateHours } from '../../risk/signal';
import { days } from '../../risk/windows';
import { httpUrl, type SectionContext, secretOf, sourceName } from '../../section';
import { ownSource } from './own-source';
import { webhookKey } from './receive/standard-webhooks';

/** Bytes of a key in production: what Standard Webhooks asks for. */
const shortestKey = 24;

/** Shorter than what rules let settle before a device or country counts as somebody's own. */
const longestLateHours = 48;
const longestImport = 31 * days;

const importError = 'expected an instant at most 31 days ahead such as 2026-09-01T00:00:00Z';
/** While it lasts whoever has the sender's secret can write the past of anybody. */
const importUntil = z.iso
  .datetime({ offset: true, error: importError })
  .transform((text) => new Date(text))
  .refine((instant) => instant.getTime() <= Date.now() + longestImport, importError);

const keyOf = (section: SectionContext) =>
  z.string({ error: 'expected an environment reference such as ${SHOP_SIGNALS_SECRET}' }).transform((text, context) => {
    const key = webhookKey(secretOf(section)(text, context));
    if (key !== null && (!section.production || (key.length >= shortestKey && new Set(key).size >= 8))) return key;
    context.addIssue({
      code: 'custom',
      message: `expected whsec_ and the base64 of at least ${shortestKey} random bytes; make one with: echo whsec_$(openssl rand -base64 32)`,
    });
    return z.NEVER;
  });

/** Who may send signals, each with an address of its own: `POST /signals/<name>`. */
export const signalsSection = (section: SectionContext) =>
  z
    .strictObject({
      sources: z
        .array(
          z
            .strictObject({
              /** Of the address, and of each of its signals: `<name>/<id>`. */
              name: sourceName.refine((name) => name !== ownSource, `expected another name: ${ownSource} is the gateway’s own`),
              /** Secrets that it signs with (Standard Webhooks); two while one replaces the other. */
              secrets: z.array(keyOf(section)).max(4, 'expected at most four secrets').default([]),
              /** Whose security event tokens it may push (RFC 8935): issuer and audience as the tokens have them, and where the keys are. */
              tokens: z
                .strictObject({
                  issuer: z.string().min(1).max(512),
                  audience: z.string().min(1).max(512),
                  jwksUri: httpUrl(section),
                })
                .optional(),
              /** The helpdesk source by whose references it names tickets, staff, and customers where `payments` isn't given. */
              helpdesk: sourceName.optional(),
              /** The payment source by whose references it names customers, cards and payments. */
              payments: sourceName.optional(),
              /** Hours after which what it tells is back-dated: stored, and nobody's usual countries, devices, cards or volume. */
              lateHours: z.number().min(1).max(longestLateHours).default(usualLateHours),
              /** Customers a day whose orders wait by what it tells, without anybody's consent: 50 where it isn't said. What is more is proposed. */
              holdsADay: z.int().min(0).max(1_000).optional(),
              /** Until this instant it may tell of any day, for a first import of what was before; at most 31 days ahead. */
              importUntil: importUntil.optional(),
            })
            .refine(({ secrets, tokens }) => secrets.length > 0 || tokens !== undefined, {
              path: ['secrets'],
              error: 'expected at least one secret, or whose tokens it may push',
            }),
        )
        .max(100)
        .default([]),
    })
    .prefault({});

export type SignalsSection = z.output<ReturnType<typeof signalsSection>>;
export type SignalSource = SignalsSection['sources'][number];
