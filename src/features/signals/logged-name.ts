import { createHash } from 'node:crypto';
import { type Signal, signalName } from '../../risk/signal';
import { ownSource } from './own-source';

/**
 * How the log names a signal. What a sender calls its own may say who it is about, and nothing that somebody wrote enters a leaf: so that of
 * others stands there by the first 22 characters of the SHA-256 of its id, in base64url. Whoever has the signal can tell that it is meant.
 */
export const loggedName = ({ source, id }: Pick<Signal, 'source' | 'id'>): string =>
  source === ownSource
    ? signalName({ source, id })
    : signalName({ source, id: createHash('sha256').update(id).digest('base64url').slice(0, 22) });
