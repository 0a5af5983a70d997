import { randomBytes } from 'node:crypto';
import type { ActionName } from '../../audit/events';
import { customerActor, type Invitation, type InvitationPurpose } from '../../authz/actor';
import type { Action } from '../../authz/rule';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { type Sql, sql } from '../../db/sql';
import type { Column, Selection } from '../../db/table';
import type { Keys } from '../keys/keys.service';
import { type Dead, dead } from './invitation.view';
import type { StoredLink } from './link.entity';

/** 256 bits: nobody guesses one, and of what is stored nobody gets it back. */
const tokenBytes = 32;

/** The domain is older than other purposes' links, and names none of them: tokens are of all the same kind. */
const digestOf = (keys: Keys, token: string): string | null => keys.searchDigest('credential-link', token);

/** The token of a link that is sent next. */
export const newToken = (): string => randomBytes(tokenBytes).toString('base64url');

/** What is kept of a link from its sending on. */
export const linkOf = (
  keys: Keys,
  token: string,
  { at, until }: { readonly at: Date; readonly until: Date },
): Omit<StoredLink, 'id'> => ({
  tokenDigest: digestOf(keys, token) as string,
  createdAt: at,
  expiresAt: until,
});

/** Committed rows, or those that a change sees. */
export type Reader = Pick<Database, 'read'>;

/** What a customer's answer is worked with: one change, with what they are asked about locked, and how they are asked. */
export interface Answering<Row, Asked> {
  readonly change: Change;
  readonly row: Row;
  readonly asked: Asked;
}

export interface LinkParts<Row, Asked> {
  readonly database: Database;
  readonly keys: Keys;
  readonly purpose: InvitationPurpose;
  /** The links of this purpose, each with what it asks about. */
  readonly links: { readonly rows: Selection<{ readonly subjectId: string }>; readonly tokenDigest: Column<string> };
  /** How the customer is asked, while they can answer. One statement, whatever is wrong with the token. */
  readonly asked: (reader: Reader, isLink: Sql, now: Date) => Promise<Asked | null>;
  /** What it is that they are asked about. */
  readonly subjectOf: (asked: Asked) => string;
  readonly lock: (change: Change, subjectId: string) => Promise<Row>;
}

/** Links of one purpose that were sent to customers, and what they lead to. */
export class Links<Row, Asked> {
  constructor(private readonly parts: LinkParts<Row, Asked>) {}

  /** What the token leads to, while it can be answered. */
  follow(reader: Reader, token: string, now: Date): Promise<Asked | null> {
    return this.parts.asked(reader, this.isLink(token), now);
  }

  /** Runs a change as the customer whom the token was sent to, where they can answer and are asked as `isAnswerable` says; otherwise `dead`. */
  async answer<T>(
    token: string,
    action: Action<Invitation, ActionName>,
    work: (answering: Answering<Row, Asked>) => Promise<T>,
    isAnswerable: (asked: Asked) => boolean = () => true,
  ): Promise<T | Dead> {
    const { database, links, purpose, subjectOf, lock } = this.parts;
    const [link] = await database.read(links.rows, sql`WHERE ${this.isLink(token)}`);
    if (!link) return dead;
    return database.change(customerActor({ purpose, subjectId: link.subjectId }), action, async (change, permit) => {
      const row = await lock(change, link.subjectId);
      const asked = await this.follow(change, token, change.at);
      if (!asked || !isAnswerable(asked)) return dead;
      permit({ purpose, subjectId: subjectOf(asked) });
      return work({ change, row, asked });
    });
  }

  private isLink(token: string): Sql {
    const { keys, links } = this.parts;
    return sql`${links.tokenDigest} = ${digestOf(keys, token) ?? ''}`;
  }
}
