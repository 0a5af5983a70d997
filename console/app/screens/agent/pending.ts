import type { TransactionStatus } from '../../graph/operations';

const pending: readonly (TransactionStatus | null)[] = ['PENDING', 'REQUIRES_ACTION', 'AUTHORIZED'];

/** May still be stopped, or is about to be taken. */
export const isPending = ({ status }: { readonly status: TransactionStatus | null }): boolean => pending.includes(status);
