import { Initial1764000000000 } from './1764000000000-initial';
import { CredentialUpdates1764100000000 } from './1764100000000-credential-updates';

/** In the order in which they run, on every engine. */
export const migrations = [Initial1764000000000, CredentialUpdates1764100000000];
