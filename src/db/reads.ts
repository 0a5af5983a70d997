import type { Sql } from './sql';
import type { Selection } from './table';

/** What rows are read from: a `Database`, a `Snapshot` of an embedded one, or a transaction under way. */
export interface Reads {
  /** Rows of a selection. `rest` is what follows its FROM. */
  read<R extends object>(selection: Selection<R>, rest: Sql): Promise<R[]>;
}
