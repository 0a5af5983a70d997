import { LRUCache } from 'lru-cache';
import type { ExportFormat } from '../../audit/export-formats';
import type { SignedInActor } from '../../authz/actor';
import { action, allOf, hasMfa, hasRole, permit } from '../../authz/rule';
import type { Database } from '../../db/database';
import { Failure } from '../../failure';
import type { Denial } from '../disclosures/denials.service';
import type { Keys } from '../keys/keys.service';
import { ExportProgress } from './export-progress';
import { openTicket, sealTicket, ticketDigest } from './export-ticket';
import { type AuditExports, type ExportOrder, type ExportSelection, expectDigests, recordExport } from './exports.service';

export interface Download {
  readonly format: ExportFormat;
  /** Names the bytes. */
  readonly digest: string;
  /** The ticket of the manifest of a CSV export. */
  readonly manifest: string | null;
  /** The whole of it, from the beginning. */
  readonly write: () => AsyncGenerator<Buffer>;
  /** What is left from this byte on: as far as it was written before, by this gateway, that isn't read again. */
  readonly rest: (byte: number) => Promise<Rest>;
}

export interface Rest {
  /** Of the whole export, in bytes. */
  readonly length: number;
  /** Empty where it has no such byte. */
  readonly chunks: AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Exports that can be gone on with: the ones that were written last. */
const mostProgresses = 16;
/** What is left is kept, up to so many bytes, while its length is found. */
const mostHeld = 8_388_608;

const download = action('audit.export', allOf(hasRole('AUDITOR'), hasMfa));

/** Exports for auditors who have no access to the database. */
export class AuditDownloads {
  private readonly progresses = new LRUCache<string, ExportProgress>({ max: mostProgresses });

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly exports: AuditExports,
    private readonly recordDenial: (denial: Denial) => Promise<void>,
  ) {}

  /** A ticket for what is selected. Throws `DENIED`, `INVALID`, `CONFLICT`, `NOT_FOUND` for a customer whom nobody knows. */
  async ticket(actor: SignedInActor, format: ExportFormat, selection: ExportSelection): Promise<string> {
    await this.permit(actor);
    await this.customer(selection.customerId);
    const plan = await this.exports.plan(selection);
    return sealTicket(this.keys.cursorKey, actor.id, { plan, format });
  }

  /** What a ticket is for, once it is on record that its holder takes it. Throws `DENIED`, `NOT_FOUND`, `RECORD_UNAVAILABLE`. */
  async open(actor: SignedInActor, ticket: string): Promise<Download> {
    await this.permit(actor);
    const key = this.keys.cursorKey;
    const { plan, format } = openTicket(key, actor.id, ticket);
    const customer = await this.customer(plan.customerId);
    const order = { plan, format, customer };
    await recordExport(this.database, { id: actor.id, kind: actor.kind, roles: actor.roles }, order);
    const digest = ticketDigest({ plan, format });
    const progress = this.progresses.get(digest) ?? new ExportProgress();
    this.progresses.set(digest, progress);
    return {
      format,
      digest,
      manifest: format === 'csv' ? sealTicket(key, actor.id, { plan, format: 'ndjson' }) : null,
      write: () => this.exports.write(order, progress),
      rest: (byte) => this.rest(order, progress, byte),
    };
  }

  /** How long an export is, nobody knows before it is written to its end: the first time that happens here, before the first byte is answered. */
  private async rest(order: ExportOrder, progress: ExportProgress, byte: number): Promise<Rest> {
    const held = progress.length === null ? await heldOf(this.exports.write(order, progress, byte)) : null;
    const length = progress.length ?? 0;
    if (byte >= length) return { length, chunks: [] };
    return { length, chunks: held ?? this.exports.write(order, progress, byte) };
  }

  private async permit(actor: SignedInActor): Promise<void> {
    try {
      permit(actor, download, null);
    } catch (error) {
      if (error instanceof Failure && error.details.reason !== undefined)
        await this.recordDenial({ actor, rule: download.name, reason: error.details.reason, ticketIds: [] });
      throw error;
    }
  }

  private async customer(id: string | null) {
    if (id === null) return null;
    const customer = await this.keys.customerUnderDigest(this.database, id);
    if (!customer) throw Failure.notFound('customer');
    expectDigests(customer);
    return customer;
  }
}

/** All chunks, read to their end; null where they are more than is kept. */
const heldOf = async (chunks: AsyncIterable<Buffer>): Promise<readonly Buffer[] | null> => {
  let held: Buffer[] | null = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > mostHeld) held = null;
    held?.push(chunk);
  }
  return held;
};
