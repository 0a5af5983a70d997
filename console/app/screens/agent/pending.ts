import type { HoldState, TransactionStatus } from '../../graph/operations';

const pending: readonly (TransactionStatus | null)[] = ['PENDING', 'REQUIRES_ACTION', 'AUTHORIZED'];

/** May still be stopped, or is about to be taken. */
export const isPending = ({ status }: { readonly status: TransactionStatus | null }): boolean => pending.includes(status);

const standing: readonly HoldState[] = ['PROPOSED', 'PLACING', 'ACTIVE', 'RELEASING'];

/** A hold that stops something, or may yet. */
export const isStanding = (state: HoldState): boolean => standing.includes(state);
