import type { Row } from './change';
import type { EngineKind } from './engine';

/** What committed rows are read from: a `Database`, or a `Snapshot` of an embedded one. */
export interface Reads {
  readonly engine: EngineKind;
  query<R extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
}
