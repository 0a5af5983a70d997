import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { Column, select } from '../db/table';

/** What a database user is for. `gateway` holds no signing key where `sequencer` is another one's work. */
export type DatabaseRole = 'gateway' | 'sequencing gateway' | 'sequencer';

type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

const written = ['audit_event', 'audit_customer', 'audit_ticket', 'audit_note'] as const;
const sequenced = ['audit_leaf', 'audit_node', 'audit_checkpoint', 'audit_anchor', 'audit_origin'] as const;
const queue = 'audit_pending';
export const auditTables: readonly string[] = [...written, ...sequenced, queue];

/** What a user needs on a table of the audit log, and is to have no more of: what was recorded can't be changed by who records. */
export const auditPrivileges = (role: DatabaseRole, table: string): readonly Privilege[] => {
  const sequences = role !== 'gateway';
  if (table === queue) return sequences ? ['SELECT', 'INSERT', 'DELETE'] : ['SELECT', 'INSERT'];
  if ((sequenced as readonly string[]).includes(table)) return sequences ? ['SELECT', 'INSERT'] : ['SELECT'];
  // The sequencer writes events of its own: the time, its keys.
  if (role === 'sequencer' && table !== 'audit_event') return [];
  return ['SELECT', 'INSERT'];
};

/** Rows that say what somebody did: they are added and never written to again. */
const kept: readonly string[] = ['session_revocation', 'credential_transition', 'credential_link', 'credential_confirmation'];

/** Rows that are added, and removed when their time is over: never written to in between. */
const passing: readonly string[] = ['risk_signal', 'risk_feed', 'risk_feed_batch', 'risk_feed_pending'];

/** Rows that are added to, and removed: messages of a ticket that passes to another customer, days whose time is over. */
const shrinking: readonly string[] = ['helpdesk_message', 'risk_signal_day'];

/** What a gateway needs on any other table. */
const everydayPrivileges = (table: string): readonly Privilege[] => {
  if (kept.includes(table)) return ['SELECT', 'INSERT'];
  if (passing.includes(table)) return ['SELECT', 'INSERT', 'DELETE'];
  return shrinking.includes(table) ? ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] : ['SELECT', 'INSERT', 'UPDATE'];
};

export interface GrantUser {
  /** As `'name'@'host'`. */
  readonly account: string;
  readonly role: DatabaseRole;
}

/** SQL that gives the users what they need in one database, table by table. Run by whoever migrates, after that. */
export const grantStatements = (schema: string, tables: readonly string[], users: readonly GrantUser[]): readonly string[] =>
  users.flatMap(({ account, role }) => [
    ...tables.flatMap((table) => {
      const privileges = auditTables.includes(table)
        ? auditPrivileges(role, table)
        : role === 'sequencer'
          ? []
          : everydayPrivileges(table);
      return privileges.length === 0 ? [] : [`GRANT ${privileges.join(', ')} ON \`${schema}\`.\`${table}\` TO ${account};`];
    }),
    // Who starts on a migrated database only looks whether something is missing.
    ...(role === 'sequencer' ? [] : [`GRANT SELECT ON \`${schema}\`.\`schema_migration\` TO ${account};`]),
  ]);

/** What the server says that the user of this connection may do: everywhere, in this database, on a table of it. */
const privileges = select(
  { onTable: new Column<string | null>(sql`p.on_table`, null), privilege: new Column<string>(sql`p.privilege`, null) },
  sql`FROM (
    SELECT NULL AS on_table, PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES
      WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
    UNION SELECT NULL, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
      WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND DATABASE() LIKE TABLE_SCHEMA
    UNION SELECT TABLE_NAME, PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES
      WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND TABLE_SCHEMA = DATABASE()
  ) AS p`,
);

/** Privileges by which a row could be changed or a table replaced. */
const watched = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'ALTER', 'DROP', 'CREATE', 'TRIGGER', 'SUPER', 'FILE']);

/**
 * What the user of this connection may do on the tables of the log and shouldn't, or can't and has to: sentences, none where all
 * is as it should be. Reads what the server says of the user itself, its roles and databases; MariaDB and MySQL only.
 */
export const grantFaults = async (database: Reads, role: DatabaseRole): Promise<readonly string[]> => {
  const rows = await database.read(privileges, sql``);
  return auditTables.flatMap((table) => {
    const granted = new Set(
      rows
        .filter(({ onTable }) => onTable === null || onTable === table)
        .flatMap(({ privilege }) => (watched.has(privilege) ? [privilege] : [])),
    );
    const needed: readonly string[] = auditPrivileges(role, table);
    const missing = needed.filter((privilege) => !granted.has(privilege));
    const excess = [...granted].filter((privilege) => !needed.includes(privilege));
    return [
      ...(missing.length > 0 ? [`${table}: can’t ${missing.join(', ')}, which it needs`] : []),
      ...(excess.length > 0
        ? [`${table}: may ${excess.sort().join(', ')}, so what was recorded could be changed from here`]
        : []),
    ];
  });
};
