import { z } from 'zod';
import type { SectionContext } from '../../section';
import { httpSmsSection } from './sms/sms.section';
import { smtpSection } from './smtp/smtp.section';

/** In development, and only there: messages as files, beside a channel that sends. */
const files = z.strictObject({ kind: z.literal('files') });

/** By what customers are reached. Where it stands it says all: what it doesn't name isn't there. */
export const deliverySection = (section: SectionContext) =>
  z.strictObject({
    mail: z.discriminatedUnion('kind', [smtpSection(section), files]).optional(),
    sms: z.discriminatedUnion('kind', [httpSmsSection(section), files]).optional(),
  });
