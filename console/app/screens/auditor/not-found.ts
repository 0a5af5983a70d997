import { offline, type Refusal } from '../../graph/refusals';

/** Where the log has nothing at an address, or nothing for the reader. */
export const notFound: Refusal = { ...offline, code: 'NOT_FOUND', message: 'There is nothing at this address.' };
