import { LRUCache } from 'lru-cache';
import type { EventDraft } from '../../audit/event';
import type { SignedInActor } from '../../authz/actor';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import type { Core } from '../core';
import type { DocumentExaminer, ExaminedDocument, OfferedDocument } from './examine';
import { registeredOperations as o } from './operation.entity';
import { operationHash } from './operation-hash';
import { isLimitedBy, type OperationsSection } from './operations.section';

/** For how long, in milliseconds, what is registered is remembered: after so long every gateway knows of a change. */
export const operationsMemory = 5_000;
/** Bytes of memory that remembered texts may take. */
const keptBytes = 16 * 1024 * 1024;
/** Bytes that an entry takes beside its text. */
const bytesPerEntry = 300;
/** Rows that are written at once. */
const atOnce = 500;

const texts = select(o.pick('text'), sql`FROM ${o}`);
const known = select(o.pick('id', 'retiredAt'), sql`FROM ${o}`);

/** What a registration came to: hashes, in the order of the documents. Where there is a problem, nothing was registered. */
export interface Registration {
  readonly registered: readonly string[];
  /** They were registered already. */
  readonly unchanged: readonly string[];
  /** A sentence each, with the place of the document. */
  readonly problems: readonly string[];
}

/** What retiring came to. Where one isn't known, nothing was retired. */
export interface Retirement {
  readonly retired: readonly string[];
  readonly unchanged: readonly string[];
  readonly unknown: readonly string[];
}

export interface OperationsParts extends Pick<Core, 'database' | 'clock' | 'log'>, OperationsSection {
  /** Made when something is registered: the graph is large. */
  readonly examiner: () => DocumentExaminer;
}

interface Remembered {
  readonly text: string | null;
  readonly readAt: number;
}

const some = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / atOnce) }, (_, index) => all.slice(index * atOnce, (index + 1) * atOnce));

/**
 * The documents that clients may ask for by their hash, and who is answered no others. Nothing is ever registered by asking. What is
 * registered or retired elsewhere is known here within five seconds (`operationsMemory`).
 */
export class Operations {
  private readonly remembered = new LRUCache<string, Remembered>({
    maxSize: keptBytes,
    sizeCalculation: ({ text }) => bytesPerEntry + 2 * (text?.length ?? 0),
  });
  private readonly reading = new Map<string, Promise<string | null>>();
  private any: { readonly is: boolean; readonly readAt: number } | null = null;

  constructor(private readonly parts: OperationsParts) {}

  /** The text that is registered under a hash and not retired; null where there is none. Throws `DatabaseUnavailable`. */
  async text(hash: string): Promise<string | null> {
    const entry = this.remembered.get(hash);
    if (entry && this.isFresh(entry.readAt)) return entry.text;
    const underWay = this.reading.get(hash);
    if (underWay) return underWay;
    const reading = this.read(hash).finally(() => this.reading.delete(hash));
    this.reading.set(hash, reading);
    return reading;
  }

  /** Whether there is any: where none is, hashes mean nothing here. */
  async hasAny(): Promise<boolean> {
    if (this.any && this.isFresh(this.any.readAt)) return this.any.is;
    const readAt = this.now();
    const rows = await this.parts.database.read(known, sql`WHERE ${o.retiredAt} IS NULL LIMIT 1`);
    this.any = { is: rows.length > 0, readAt };
    return this.any.is;
  }

  /** Whether somebody is answered registered operations only, by the client that their token names. */
  isLimited({ clientId }: Pick<SignedInActor, 'clientId'>): boolean {
    return isLimitedBy(this.parts, clientId);
  }

  /** Registers all of these or, where one has a problem, none. Those that are registered already stay as they are. */
  async register(actor: EventDraft['actor'], offered: readonly OfferedDocument[]): Promise<Registration> {
    const examiner = this.parts.examiner();
    const documents = new Map<string, ExaminedDocument>();
    const problems: string[] = [];
    for (const each of offered) {
      const examined = await examiner.examine(each);
      if (typeof examined === 'string') problems.push(`${each.from}: ${examined}`);
      else documents.set(examined.id, examined);
    }
    if (problems.length > 0) return { registered: [], unchanged: [], problems };
    const done = await this.parts.database.system(
      'recorder',
      'operation.register',
      async (change) => {
        const registered: string[] = [];
        for (const chunk of some([...documents.values()])) {
          const ids = chunk.map(({ id }) => id);
          const rows = await change.read(known, sql`WHERE ${o.id} IN (${ids})`, { lock: true });
          const retired = rows.filter(({ retiredAt }) => retiredAt !== null).map(({ id }) => id);
          const fresh = chunk.filter(({ id }) => !rows.some((row) => row.id === id));
          await change.insert(
            o,
            fresh.map(({ id, text, operations }) => ({ id, text, operations, registeredAt: change.at, retiredAt: null })),
          );
          if (retired.length > 0)
            await change.update(o, { registeredAt: change.at, retiredAt: null }, sql`${o.id} IN (${retired})`);
          for (const { id, kinds, text } of chunk) {
            if (!retired.includes(id) && !fresh.some((each) => each.id === id)) continue;
            registered.push(id);
            change.recordFor(actor, 'operation.register', {
              subject: { type: 'RegisteredOperation', id },
              detail: { kinds, bytes: Buffer.byteLength(text) },
            });
          }
        }
        return registered;
      },
      { idempotent: true },
    );
    this.forget();
    return { registered: done, unchanged: [...documents.keys()].filter((id) => !done.includes(id)), problems };
  }

  /** Retires all of these or, where one was never registered, none. */
  async retire(actor: EventDraft['actor'], ids: readonly string[]): Promise<Retirement> {
    const wanted = [...new Set(ids)];
    const result = await this.parts.database.system(
      'recorder',
      'operation.retire',
      async (change): Promise<Retirement> => {
        const rows: Selected<typeof known>[] = [];
        for (const chunk of some(wanted))
          rows.push(...(await change.read(known, sql`WHERE ${o.id} IN (${chunk})`, { lock: true })));
        const unknown = wanted.filter((id) => !rows.some((row) => row.id === id));
        if (unknown.length > 0) return { retired: [], unchanged: [], unknown };
        const retired = rows.filter(({ retiredAt }) => retiredAt === null).map(({ id }) => id);
        for (const chunk of some(retired)) await change.update(o, { retiredAt: change.at }, sql`${o.id} IN (${chunk})`);
        for (const id of retired) change.recordFor(actor, 'operation.retire', { subject: { type: 'RegisteredOperation', id } });
        return { retired, unchanged: wanted.filter((id) => !retired.includes(id)), unknown };
      },
      { idempotent: true },
    );
    this.forget();
    return result;
  }

  private forget(): void {
    this.remembered.clear();
    this.any = null;
  }

  private now(): number {
    return this.parts.clock().getTime();
  }

  /** A clock that went back proves nothing. */
  private isFresh(readAt: number): boolean {
    const age = this.now() - readAt;
    return age >= 0 && age < operationsMemory;
  }

  private async read(hash: string): Promise<string | null> {
    const readAt = this.now();
    const [row] = await this.parts.database.read(texts, sql`WHERE ${o.id} = ${hash} AND ${o.retiredAt} IS NULL`);
    let text = row?.text ?? null;
    if (text !== null && operationHash(text) !== hash) {
      this.parts.log.error({ operation: hash }, 'the text of a registered operation was altered; it is not served');
      text = null;
    }
    this.remembered.set(hash, { text, readAt });
    return text;
  }
}
