import { ownFetch } from '../graph/client';

/** Ends this frame's session; the browser's goes on. */
export const signOutOfFrame = async (): Promise<void> => {
  try {
    await ownFetch('/frame/sign-out', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  } catch {
    // The gateway isn't there: nothing is shown any more all the same.
  }
};
