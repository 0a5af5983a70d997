import { z } from 'zod';
import { shortText } from '../../source-text';

/** RT sends ids as numbers here and as text there; the same id is the same decimal text with us. */
export const identifier = z
  .union([z.number().int().min(0).max(Number.MAX_SAFE_INTEGER), z.string().regex(/^(0|[1-9]\d{0,14})$/)])
  .transform(String);

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** Unset columns come as null, as an empty text or not at all. */
const text = z
  .string()
  .nullish()
  .transform((value) => (value === undefined || value === null || value === '' ? null : value));

/** A name or a subject, as every source's is cleaned; as long as RT's own column. */
const shown = (most: number) => text.transform((value) => (value === null ? null : shortText(value, most)));

/**
 * A user reference with the columns that were asked for. Where RT doesn't expand a reference, its `id` holds the user's
 * *name*, which may look like a number: only together with `Name` is `id` the number.
 */
export const rtPerson = z.object({
  type: z.literal('user'),
  id: identifier,
  Name: z.string().min(1),
  RealName: shown(200),
  EmailAddress: text,
});
export type RtPerson = z.infer<typeof rtPerson>;

const customFields = z.array(z.object({ id: identifier, name: z.string(), values: z.array(z.unknown()) }));

const requestor = rtPerson.extend({
  Country: text,
  CustomFields: z.union([customFields, z.literal('')]).optional(),
  /** Empty unless the account may administer users. */
  Creator: z.union([rtPerson, z.literal('')]).optional(),
});
export type RtRequestor = z.infer<typeof requestor>;

/** RT lets groups be requestors too; they are no customer. */
const otherPrincipal = z.object({ type: z.literal('group') });

export const rtTicket = z.object({
  type: z.literal('ticket'),
  id: identifier,
  Type: z.string(),
  Subject: shown(500),
  Status: z.string().min(1),
  Created: instant,
  LastUpdated: instant,
  Queue: z.object({ id: identifier, Name: z.string().min(1) }),
  Owner: rtPerson,
  Creator: rtPerson,
  Requestor: z.array(z.union([requestor, otherPrincipal])),
});
export type RtTicket = z.infer<typeof rtTicket>;

export const ticketColumns = {
  fields: 'id,Type,Subject,Status,Created,LastUpdated,Queue,Owner,Creator,Requestor',
  'fields[Queue]': 'id,Name',
  'fields[Owner]': 'id,Name,RealName,EmailAddress',
  'fields[Creator]': 'id,Name,RealName,EmailAddress',
  'fields[Requestor]': 'id,Name,RealName,EmailAddress,Country,CustomFields,Creator',
  'fields[Requestor][Creator]': 'id,Name,RealName,EmailAddress',
};

/** `GET /ticket/:id`, for the tickets that a search hides: deleted and merged ones. */
export const rtTicketItself = z.object({
  id: identifier,
  Status: z.string(),
  Type: z.string(),
  Created: instant,
  LastUpdated: instant,
});

export const rtTransaction = z.object({
  type: z.literal('transaction'),
  id: identifier.transform(Number),
  ObjectType: z.string(),
  ObjectId: identifier,
  Type: z.string().min(1),
  Field: text,
  OldValue: text,
  NewValue: text,
  Created: instant,
  Creator: rtPerson,
});
export type RtTransaction = z.infer<typeof rtTransaction>;

export const transactionColumns = {
  fields: 'id,ObjectType,ObjectId,Type,Field,OldValue,NewValue,Created,Creator',
  'fields[Creator]': 'id,Name,RealName,EmailAddress',
};

/** A transaction as the poll reads it: that something happened, and to what. */
export const rtChange = z.object({ id: identifier.transform(Number), ObjectId: identifier, Type: z.string(), Field: text });
export const changeColumns = { fields: 'id,ObjectId,Type,Field' };

export const rtAttachment = z.object({
  id: identifier.transform(Number),
  TransactionId: identifier.transform(Number),
  /** The part that it stands in; null where it wasn't asked for, and for the message itself. */
  Parent: z
    .union([identifier, z.object({ id: identifier }).transform(({ id }) => id)])
    .optional()
    .transform((parent) => (parent === undefined || parent === '0' ? null : Number(parent))),
  ContentType: text,
  Filename: text,
  Headers: text,
  ContentLength: z
    .union([z.number(), z.string().regex(/^\d*$/)])
    .nullish()
    .transform((length) => Number(length ?? 0)),
  /** Only where it was asked for. */
  Content: z.string().optional(),
});
export type RtAttachment = z.infer<typeof rtAttachment>;
// `Parent` must not be asked for of all: RT answers 500 where one has none
export const attachmentColumns = { fields: 'id,TransactionId,ContentType,Filename,Headers,ContentLength' };
export const attachmentColumnsWithContent = { fields: `${attachmentColumns.fields},Content` };
export const attachmentColumnsWithParent = { fields: `${attachmentColumns.fields},Parent` };

export const rtContent = z.object({ id: identifier.transform(Number), Content: z.string() });

/** `GET /user/:id`: little for accounts that don't administer users, but whether somebody is staff. */
export const rtUser = z.object({
  Privileged: z.union([z.literal(0), z.literal(1), z.literal('0'), z.literal('1')]).transform((value) => Number(value) === 1),
  Disabled: z
    .union([z.number(), z.string()])
    .optional()
    .transform((value) => value !== undefined && Number(value) === 1),
  _hyperlinks: z.array(z.object({ ref: z.string(), type: z.string().optional(), id: identifier.optional().catch(undefined) })),
});

export const rtCustomField = z.object({ id: identifier, Name: z.string(), LookupType: z.string() });

/** What RT says of a record that it made. */
export const rtMade = z.object({ id: identifier });

/** Every search: `total` is null where RT doesn't tell ordinary users, and a page may be shorter than there are rows. */
export const collectionOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), total: z.number().int().nullish(), per_page: z.coerce.number().int().positive() });
