import { ownPost } from './own-post';

/** The receipt for what the helpdesk signed for this page, by which the frame asks; null where it signed nothing. */
let receipt: string | null = null;
export const frameReceipt = (): string | null => receipt;

/** Written into the page where the helpdesk sent what it signed with the request; empty where that was refused. */
const sent = document.querySelector('meta[name=counterfoil-context]')?.getAttribute('content') ?? null;

/** What the element put behind the "#" of this frame's address; it is taken from there, so that no history keeps it. */
const brought = ((): string | null => {
  const [, text] = /^#context=(.+)$/.exec(location.hash) ?? [];
  if (text === undefined) return null;
  history.replaceState(null, '', location.pathname);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
})();

/** What became of what the helpdesk signed: without `taken`, this page shows nothing. */
export type Taken = 'taken' | 'refused' | 'unreached';

/** Gives the gateway what the helpdesk signed, before it is too old. */
export const bringContext = async (source: string): Promise<Taken> => {
  if (sent !== null) {
    receipt = sent === '' ? null : sent;
    return receipt === null ? 'refused' : 'taken';
  }
  if (brought === null) return 'taken';
  const answer = await ownPost('/frame/contexts', { source, context: brought });
  // Others say that nobody looked at it: too many requests, too much to do, nothing there.
  if (answer?.ok !== true) return answer?.status === 400 ? 'refused' : 'unreached';
  try {
    receipt = ((await answer.json()) as { readonly receipt: string }).receipt;
    return 'taken';
  } catch {
    return 'unreached';
  }
};
