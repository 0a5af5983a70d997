import { removeScratch } from './scratch';

/** The same for every project, so that the server has stopped before its files go. */
export default async (): Promise<void> => {
  await globalThis.privateMariaDb?.stop();
  removeScratch();
};
