import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions, TableIndex } from 'typeorm';

type Column = TableColumnOptions;
interface Definition {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns of each index; `unique:` in front makes it one. */
  readonly indexes?: readonly string[];
}

const nullable = (column: Column): Column => ({ ...column, isNullable: true });
const key = (name: string): Column => ({ name, type: 'varchar', length: '64', isPrimary: true });
const text = (name: string, length: number): Column => ({ name, type: 'varchar', length: String(length) });
const id = (name: string): Column => text(name, 64);
const words = (name: string): Column => text(name, 4000);
const position = (name: string): Column => ({ name, type: 'text' });
const bigint = (name: string): Column => ({ name, type: 'bigint' });
const flag = (name: string): Column => ({ name, type: 'smallint' });
const sealed = (name: string): Column => ({ name, type: 'blob' });

const definitions: readonly Definition[] = [
  {
    name: 'actor',
    columns: [key('id'), text('issuer', 255), text('subject_digest', 64), bigint('created_at'), bigint('fence')],
    indexes: ['unique:issuer,subject_digest'],
  },
  {
    name: 'session_revocation',
    columns: [
      key('id'),
      text('issuer', 255),
      nullable(text('subject_digest', 64)),
      nullable(text('session_digest', 64)),
      bigint('issued_at'),
      bigint('until_at'),
    ],
    indexes: ['until_at'],
  },
  { name: 'privacy_secret', columns: [key('name'), sealed('wrapped'), bigint('created_at')] },
  {
    name: 'privacy_customer_key',
    columns: [key('id'), id('owner'), nullable(sealed('wrapped')), bigint('created_at'), nullable(bigint('destroyed_at'))],
    indexes: ['unique:owner'],
  },
  {
    name: 'helpdesk_staff',
    columns: [
      key('id'),
      id('source'),
      text('reference', 128),
      text('display_name', 255),
      text('login_digest', 64),
      nullable(text('email_digest', 64)),
      flag('active'),
      bigint('observed_at'),
    ],
    indexes: ['unique:source,reference', 'login_digest', 'email_digest'],
  },
  {
    name: 'helpdesk_customer',
    columns: [
      key('id'),
      id('source'),
      text('reference', 128),
      id('key_id'),
      nullable(sealed('name_sealed')),
      nullable(sealed('email_sealed')),
      nullable(text('email_digest', 64)),
      flag('email_edited'),
      nullable(sealed('phone_sealed')),
      nullable(text('region', 2)),
      nullable(text('protected_reference_digest', 64)),
      text('link', 8),
      nullable(id('payment_customer_id')),
      nullable(bigint('linked_at')),
      bigint('observed_at'),
    ],
    indexes: ['unique:source,reference', 'email_digest', 'payment_customer_id'],
  },
  {
    name: 'helpdesk_ticket',
    columns: [
      key('id'),
      id('source'),
      text('reference', 128),
      bigint('revision'),
      id('key_id'),
      nullable(sealed('subject_sealed')),
      text('status', 16),
      text('channel', 16),
      nullable(text('team', 128)),
      nullable(id('assignee_id')),
      nullable(id('assigned_by_id')),
      nullable(id('team_set_by_id')),
      nullable(id('created_by_id')),
      words('customer_set_by_ids'),
      nullable(id('customer_id')),
      flag('unreadable'),
      bigint('created_at'),
      bigint('updated_at'),
      bigint('observed_at'),
    ],
    indexes: ['unique:source,reference', 'assignee_id,updated_at,id', 'team,updated_at,id', 'customer_id', 'updated_at,id'],
  },
  {
    name: 'helpdesk_message',
    columns: [
      key('id'),
      id('ticket_id'),
      text('reference', 128),
      text('author_kind', 16),
      nullable(id('author_staff_id')),
      text('channel', 16),
      id('key_id'),
      sealed('body_sealed'),
      words('redactions'),
      bigint('created_at'),
    ],
    indexes: ['unique:ticket_id,reference', 'ticket_id,created_at,id'],
  },
  {
    name: 'payment_customer',
    columns: [
      key('id'),
      id('source'),
      text('reference_digest', 64),
      sealed('reference_sealed'),
      id('key_id'),
      nullable(text('email_digest', 64)),
      nullable(sealed('email_sealed')),
      nullable(sealed('name_sealed')),
      nullable(sealed('phone_sealed')),
      nullable(text('helpdesk_reference_digest', 64)),
      flag('gone'),
      bigint('observed_at'),
    ],
    indexes: ['unique:source,reference_digest', 'email_digest', 'helpdesk_reference_digest'],
  },
  {
    name: 'payment_method',
    columns: [
      key('id'),
      id('payment_customer_id'),
      text('reference_digest', 64),
      sealed('reference_sealed'),
      text('surrogate', 64),
      text('kind', 16),
      nullable(text('brand', 32)),
      nullable(text('last4', 4)),
      nullable(bigint('expiry_month')),
      nullable(bigint('expiry_year')),
      text('status', 16),
      flag('is_default'),
      nullable(sealed('billing_address_sealed')),
      bigint('created_at'),
      bigint('observed_at'),
    ],
    indexes: ['unique:payment_customer_id,reference_digest'],
  },
  {
    name: 'payment_transaction',
    columns: [
      key('id'),
      id('payment_customer_id'),
      text('reference', 128),
      nullable(id('payment_method_id')),
      nullable(text('order_reference', 128)),
      nullable(sealed('order_description_sealed')),
      bigint('amount'),
      text('currency', 3),
      text('status', 24),
      nullable(text('decline_code', 64)),
      nullable(text('decline_advice', 64)),
      nullable(text('device', 64)),
      nullable(text('country', 2)),
      text('risk_band', 16),
      nullable(bigint('risk_score')),
      words('risk_signals'),
      nullable(text('dispute_status', 32)),
      nullable(text('dispute_reason', 64)),
      nullable(bigint('dispute_opened_at')),
      bigint('created_at'),
      bigint('observed_at'),
    ],
    indexes: ['unique:payment_customer_id,reference', 'payment_customer_id,created_at,id', 'payment_customer_id,amount,id'],
  },
  {
    name: 'upstream_source',
    columns: [
      key('name'),
      text('kind', 16),
      nullable(text('settings', 255)),
      nullable(position('position')),
      nullable(position('backfill_position')),
      nullable(bigint('backfilled_at')),
      nullable(bigint('polled_at')),
      nullable(text('fault', 64)),
      nullable(bigint('fault_at')),
    ],
  },
  {
    name: 'upstream_webhook',
    columns: [
      key('id'),
      id('source'),
      text('event_id', 255),
      text('type', 128),
      text('state', 16),
      bigint('size'),
      text('digest', 64),
      bigint('happened_at'),
      bigint('received_at'),
    ],
    indexes: ['unique:source,event_id', 'source,state'],
  },
  {
    name: 'assistance',
    columns: [
      key('id'),
      id('actor_id'),
      id('ticket_id'),
      id('customer_id'),
      text('purpose', 32),
      text('origin', 16),
      nullable(id('key_id')),
      nullable(sealed('reason_sealed')),
      bigint('requested_at'),
      nullable(bigint('begins_at')),
      bigint('expires_at'),
      flag('needs_approval'),
      nullable(id('approved_by_id')),
      nullable(bigint('approved_at')),
      nullable(bigint('ended_at')),
      nullable(text('end_reason', 24)),
      nullable(bigint('last_used_at')),
      nullable(bigint('lease_until')),
      nullable(text('open_key', 160)),
    ],
    indexes: ['unique:open_key', 'actor_id,ended_at', 'ticket_id,ended_at', 'actor_id,begins_at', 'ended_at,expires_at'],
  },
  {
    name: 'audit_event',
    columns: [
      key('id'),
      id('transaction_id'),
      bigint('ordinal'),
      bigint('at'),
      text('action', 64),
      text('outcome', 16),
      id('actor_id'),
      nullable(id('ticket_id')),
      nullable(id('assistance_id')),
      nullable(text('subject_type', 32)),
      nullable(id('subject_id')),
      sealed('leaf'),
      text('leaf_hash', 64),
    ],
    indexes: ['unique:transaction_id,ordinal', 'at,id', 'actor_id,at', 'ticket_id,at', 'subject_type,subject_id'],
  },
  { name: 'audit_customer', columns: [key('event_id'), key('customer_id')], indexes: ['customer_id'] },
  { name: 'audit_note', columns: [key('event_id'), key('name'), id('key_id'), sealed('sealed')] },
  {
    name: 'audit_pending',
    columns: [key('event_id'), id('transaction_id'), bigint('ordinal')],
    indexes: ['transaction_id,ordinal'],
  },
];

/** Of an index definition: its columns and its name, at most 64 characters as MariaDB wants. */
const indexOf = (table: string, definition: string): TableIndex => {
  const isUnique = definition.startsWith('unique:');
  const columnNames = definition.replace('unique:', '').split(',');
  return new TableIndex({
    name: `${isUnique ? 'uq' : 'ix'}_${table}_${columnNames.join('_')}`.slice(0, 64),
    columnNames,
    isUnique,
  });
};

/**
 * The default collations take A for a, and utf8mb4_bin still takes "a " for "a"; ids, references and digests are
 * compared byte by byte, as on SQLite. MariaDB and MySQL have different names for that.
 */
const binaryCollation = async (runner: QueryRunner): Promise<string> => {
  const [row] = (await runner.query('SELECT VERSION() AS version')) as { version: string }[];
  return /mariadb/i.test(row?.version ?? '') ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
};

export class Initial1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const collation = runner.connection.options.type === 'mariadb' ? await binaryCollation(runner) : null;
    for (const { name, columns, indexes = [] } of definitions) {
      await runner.createTable(new Table({ name, columns: [...columns], indices: indexes.map((index) => indexOf(name, index)) }));
      if (!collation) continue;
      await runner.query(`ALTER TABLE ${name} CONVERT TO CHARACTER SET utf8mb4 COLLATE ${collation}`);
      // Converting makes a longer type of a TEXT where the database's own character set has shorter characters.
      for (const column of columns.filter(({ type }) => type === 'text'))
        await runner.query(
          `ALTER TABLE ${name} MODIFY ${column.name} TEXT CHARACTER SET utf8mb4 COLLATE ${collation} ${column.isNullable ? 'NULL' : 'NOT NULL'}`,
        );
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of [...definitions].reverse()) await runner.dropTable(name);
  }
}
