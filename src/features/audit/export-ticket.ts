import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type ExportFormat, exportFormats } from '../../audit/export-formats';
import { Failure } from '../../failure';
import { open, seal } from '../../privacy/sealing';
import type { ExportPlan } from './exports.service';

export interface ExportTicket {
  readonly plan: ExportPlan;
  readonly format: ExportFormat;
}

const count = z.int().min(0);
const ticket = z.strictObject({
  plan: z.strictObject({
    origin: z.string(),
    from: count,
    to: count,
    size: count,
    customerId: z.string().nullable(),
    since: z.array(count),
    anchors: z.array(z.tuple([z.string(), count])),
  }),
  format: z.enum(exportFormats),
});

const placeOf = (actorId: string) => ({ table: 'audit_export', column: 'plan', row: actorId });

/**
 * An export as an address: the same bytes whenever it is asked for, so that a download that broke off goes on where it was.
 * Sealed for one actor, with the key of cursors.
 */
export const sealTicket = (key: Buffer, actorId: string, of: ExportTicket): string =>
  seal(key, placeOf(actorId), JSON.stringify(of)).toString('base64url');

/** Throws `NOT_FOUND`, whatever is wrong with it. */
export const openTicket = (key: Buffer, actorId: string, text: string): ExportTicket => {
  try {
    return ticket.parse(JSON.parse(open(key, placeOf(actorId), Buffer.from(text, 'base64url'))));
  } catch {
    throw Failure.notFound('export');
  }
};

/** Names the bytes: of two exports with the same digest every byte is the same. */
export const ticketDigest = (of: ExportTicket): string => createHash('sha256').update(JSON.stringify(of)).digest('base64url');
