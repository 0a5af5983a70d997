/*
 * How a frame in a helpdesk's page gets a session of its own, without a word of the page around it: in a window of the gateway's, which brings a
 * code that is good for whoever has the verifier, and nobody has it but this frame.
 */

import { ownPost } from './own-post';

/** How often it is looked whether the window is there still, milliseconds. */
const lookEvery = 400;
/** For how long, in milliseconds, a frame waits for its window at most. */
const longestWait = 10 * 60_000;

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (sign) => (sign === '+' ? '-' : sign === '/' ? '_' : ''));

/** What a code is bound to. It never leaves this frame but with the code. */
export interface FrameKey {
  readonly verifier: string;
  readonly challenge: string;
}

/** Made before somebody clicks: a browser lets a window open only within the click. */
export const newFrameKey = async (): Promise<FrameKey> => {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return { verifier, challenge: base64url(new Uint8Array(digest)) };
};

/**
 * Begins the session by a code, or by what the window left with the browser where `code` is null. False where it is refused, and where the browser
 * keeps no cookie for a frame, whatever it is sent.
 */
export const redeem = async (source: string, { verifier }: FrameKey, code: string | null): Promise<boolean> => {
  const answer = await ownPost('/frame/session', { source, verifier, ...(code === null ? {} : { code }) });
  if (answer?.ok !== true) return false;
  const asked = await ownPost('/graphql', { query: '{ viewer { id } }' }, { 'counterfoil-frame': source });
  return asked?.ok === true;
};

/**
 * Opens the window in which somebody signs in, within their click, and takes the code that it brings. `signed-in`, or why not: the browser opens no window
 * (`blocked`), what it brought was refused (`refused`), or nobody hears of it any more (`gone`): closed, or cut off by the identity provider's page, in which
 * case it may have left a code with the browser.
 */
export const signInByPopup = (source: string, key: FrameKey): Promise<'signed-in' | 'blocked' | 'refused' | 'gone'> => {
  const query = new URLSearchParams({ source, challenge: key.challenge });
  const popup = open(`/frame/sign-in?${query}`, '', 'popup,width=520,height=680');
  if (popup === null) return Promise.resolve('blocked');
  return new Promise((resolve) => {
    const until = Date.now() + longestWait;
    let isTaken = false;
    const settle = (outcome: 'signed-in' | 'refused' | 'gone') => {
      clearInterval(looking);
      removeEventListener('message', hear);
      resolve(outcome);
    };
    const hear = ({ origin, source: sender, data }: MessageEvent<unknown>) => {
      // The page around this frame, and every other one, may send whatever they like.
      if (origin !== location.origin || sender !== popup || isTaken) return;
      const { counterfoilCode: code } = (data ?? {}) as { readonly counterfoilCode?: unknown };
      if (typeof code !== 'string') return;
      isTaken = true;
      void redeem(source, key, code).then((isIn) => {
        popup.close();
        settle(isIn ? 'signed-in' : 'refused');
      });
    };
    addEventListener('message', hear);
    const looking = setInterval(() => {
      if (!isTaken && (popup.closed || Date.now() > until)) settle('gone');
    }, lookEvery);
  });
};

/** Asks, within a click, for the cookies of the gateway's own windows (Storage Access API), and begins the session by what one of them left. */
export const requestAccess = async (source: string, key: FrameKey): Promise<'signed-in' | 'refused'> => {
  try {
    await document.requestStorageAccess();
  } catch {
    // A browser that keeps no such cookies from frames has nothing to grant, and sends them.
  }
  return (await redeem(source, key, null)) ? 'signed-in' : 'refused';
};
