import { Initial1764000000000 } from './1764000000000-initial';

/** In the order in which they run, on every engine. */
export const migrations = [Initial1764000000000];
