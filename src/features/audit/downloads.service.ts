import type { ExportFormat } from '../../audit/export-formats';
import type { SignedInActor } from '../../authz/actor';
import { action, allOf, hasMfa, hasRole, permit } from '../../authz/rule';
import type { Database } from '../../db/database';
import { Failure } from '../../failure';
import type { Denial } from '../disclosures/denials.service';
import type { Keys } from '../keys/keys.service';
import { openTicket, sealTicket, ticketDigest } from './export-ticket';
import { type AuditExports, type ExportSelection, expectDigests, recordExport } from './exports.service';

export interface Download {
  readonly format: ExportFormat;
  /** Names the bytes. */
  readonly digest: string;
  /** The ticket of the manifest of a CSV export. */
  readonly manifest: string | null;
  /** The whole of it, each time from the beginning. */
  readonly write: () => AsyncGenerator<Buffer>;
}

const download = action('audit.export', allOf(hasRole('AUDITOR'), hasMfa));

/** Exports for auditors who have no access to the database. */
export class AuditDownloads {
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
    await recordExport(this.database, { id: actor.id, kind: actor.kind, roles: actor.roles }, { plan, format }, customer);
    return {
      format,
      digest: ticketDigest({ plan, format }),
      manifest: format === 'csv' ? sealTicket(key, actor.id, { plan, format: 'ndjson' }) : null,
      write: () => this.exports.write(plan, format, customer),
    };
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
