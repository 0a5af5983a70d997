import type { TransactionStatus } from '../../upstream/payments/payments.port';

const pending: readonly string[] = ['PENDING', 'REQUIRES_ACTION', 'AUTHORIZED'] satisfies readonly TransactionStatus[];

/** What may still be stopped, or is about to be taken: afterwards a refund or a dispute is what helps. */
export const isPending = ({ status }: { readonly status: string }): boolean => pending.includes(status);
