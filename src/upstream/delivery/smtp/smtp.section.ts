import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { line, loopbackHosts, milliseconds, type SectionContext, secret } from '../../../section';
import { isOneMailAddress } from '../recipient';
import { defaultSmtpTimeouts } from './smtp.timeouts';

const mailAddress = z.string().refine(isOneMailAddress, 'expected one address such as payments@example.com, without a name');

/** The certificates of a PEM file. */
const certificates = ({ folder }: SectionContext) =>
  z.string().transform((path, context) => {
    try {
      const [...found] = readFileSync(resolve(folder, path), 'utf8').matchAll(
        /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
      );
      const texts = found.map(([text]) => new X509Certificate(text).toString());
      if (texts.length > 0) return texts.join('');
    } catch {
      // Said below; the error's own words would repeat what the file holds.
    }
    context.addIssue({ code: 'custom', message: 'expected the path of a readable file with certificates in PEM' });
    return z.NEVER;
  });

const smtpPorts = { implicit: 465, starttls: 587, none: 25 } as const;

/** A mail server under `delivery.mail`. */
export const smtpSection = (section: SectionContext) =>
  z
    .strictObject({
      kind: z.literal('smtp'),
      host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'expected a host name or an IP address'),
      port: z.int().min(1).max(65_535).optional(),
      tls: z.enum(['implicit', 'starttls', 'none'], { error: 'expected implicit, starttls or none' }).default('starttls'),
      caFile: certificates(section).optional(),
      user: line(200).optional(),
      password: secret(section).optional(),
      from: z.strictObject({ name: line(80).optional(), address: mailAddress }),
      replyTo: mailAddress.optional(),
      timeouts: z
        .strictObject({
          connection: milliseconds(defaultSmtpTimeouts.connection),
          greeting: milliseconds(defaultSmtpTimeouts.greeting),
          socket: milliseconds(defaultSmtpTimeouts.socket),
          whole: milliseconds(defaultSmtpTimeouts.whole),
        })
        .prefault({}),
    })
    .refine(({ user, password }) => (user === undefined) === (password === undefined), {
      path: ['password'],
      error: 'expected user and password together, or neither',
    })
    .refine(({ tls, host }) => !section.production || tls !== 'none' || loopbackHosts.includes(host), {
      path: ['tls'],
      error: 'expected implicit or starttls: what lets a customer confirm must not travel in clear',
    })
    .transform(({ port, caFile, user, password, ...rest }) => ({
      ...rest,
      port: port ?? smtpPorts[rest.tls],
      ca: caFile,
      account: user === undefined || password === undefined ? undefined : { user, password },
    }));

export type SmtpSection = z.output<ReturnType<typeof smtpSection>>;
