import type { SignedInActor } from '../../authz/actor';
import { credentialUpdateKinds, type UpdatePolicy } from '../../authz/policy/update-policy';
import type { Database } from '../../db/database';
import { padded, sql } from '../../db/sql';
import { staffDigests } from '../keys/contact-digests';
import type { Keys } from '../keys/keys.service';
import type { PaymentMethodType } from '../payments/payment.type';
import { type PayerRow, payerRows, payer as payers } from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';
import { staff, staffContactRows } from '../tickets/tickets.rows';
import { credentialUpdate, openKeys, requestCountsOfEach } from './credentials.rows';
import { blockOf } from './request/blocks';
import { day } from './request/request-facts';
import { UpdateOffer } from './update-offer.type';

export interface OfferParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Pick<Sources, 'takesUpdates'>;
  readonly policy: UpdatePolicy;
  readonly channels: { readonly sms: boolean };
  readonly clock: () => Date;
}

/** What can be asked for of payment methods, by what is stored of them: a few statements for however many, and no provider. */
export class UpdateOffers {
  constructor(private readonly parts: OfferParts) {}

  /** Of methods whose customers the actor has reached already: every kind there is, in one order. */
  async ofMethods(actor: SignedInActor, methods: readonly PaymentMethodType[]): Promise<readonly (readonly UpdateOffer[])[]> {
    const { database, sources, policy, channels, clock } = this.parts;
    const payerIds = [...new Set(methods.flatMap(({ customer }) => customer.paymentCustomerId ?? []))];
    const found =
      payerIds.length === 0
        ? []
        : await database.read(payerRows, sql`WHERE ${payers.id} IN (${padded(payerIds)}) AND ${payers.gone} = ${false}`);
    const byId = new Map(found.map((row) => [row.id, row]));
    const own = await this.contactsOf(actor, found);
    const open = new Set(
      (await database.read(openKeys, sql`WHERE ${credentialUpdate.openKey} IN (${padded(methods.map(({ id }) => id))})`)).map(
        ({ openKey }) => openKey,
      ),
    );
    const customerIds = [...new Set(methods.map(({ customer }) => customer.id))];
    const asked = new Map(
      (
        await database.read(
          requestCountsOfEach,
          sql`WHERE ${credentialUpdate.customerId} IN (${padded(customerIds)}) AND ${credentialUpdate.createdAt} > ${clock().getTime() - day}
            GROUP BY ${credentialUpdate.customerId}`,
        )
      ).map(({ customerId, n }) => [customerId, n]),
    );
    return methods.map((method) => {
      const { customer } = method;
      const payer = byId.get(customer.paymentCustomerId ?? '') ?? null;
      const facts = {
        method: { kind: method.kind, isDefault: method.isDefault, isRemoved: method.status === 'REMOVED' },
        link: customer.linkAssurance,
        payer,
        isOwnContact: payer !== null && own.has(payer.id),
        requestedToday: asked.get(customer.id) ?? 0,
        takesUpdates: payer !== null && sources.takesUpdates(payer.source),
        isUnderWay: open.has(method.id),
      };
      return credentialUpdateKinds.map(
        (kind) => new UpdateOffer(method, { kind, blockedBy: blockOf(kind, facts, policy, channels) }),
      );
    });
  }

  /** Those of these whose contact is a mailbox of the actor's. */
  private async contactsOf(actor: SignedInActor, found: readonly PayerRow[]): Promise<ReadonlySet<string>> {
    const { database, keys } = this.parts;
    if (actor.staffIds.length === 0 || found.length === 0) return new Set();
    const rows = await database.read(staffContactRows, sql`WHERE ${staff.id} IN (${actor.staffIds})`);
    const theirs = new Set(rows.flatMap(({ loginDigest, emailDigest }) => [loginDigest, emailDigest ?? loginDigest]));
    const isTheirs = (row: PayerRow) => staffDigests(keys, keys.open(payers, row, 'email')).some((digest) => theirs.has(digest));
    return new Set(found.filter(isTheirs).map(({ id }) => id));
  }
}
