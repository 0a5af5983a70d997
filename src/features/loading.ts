import type { Fields } from '../db/table';
import type { Work } from '../graphql/work';
import type { KeysLoader } from './keys/keys.loader';

/** What the loaders of one request share. */
export interface Loading {
  /** The customers' keys that it has met. */
  readonly keys: KeysLoader;
  /** What its operation selects; null where nobody knows, and everything is read. */
  readonly fields: () => Fields | null;
  /** Of the operation that the rows are read for. */
  readonly work: () => Work;
}
