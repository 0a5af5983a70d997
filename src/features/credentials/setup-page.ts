import type { Setup } from '../../upstream/payments/payments.port';

/** Milliseconds for which the provider's page can be used: long enough for somebody who has to look for their card. */
export const setupLifetime = 2 * 3_600_000;

/** The provider's page as an update keeps it; null where it has none, or where its customer was erased. */
export const setupOf = (text: string | null): Setup | null => (text === null ? null : (JSON.parse(text) as Setup));
