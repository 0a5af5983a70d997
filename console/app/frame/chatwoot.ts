/*
 * For a frame in Chatwoot's pages, whose address can't say which ticket it is about: asks the page around it, as Chatwoot's dashboard apps do, and
 * goes on to the ticket's own address. Nobody signs the answer: it is a hint, as a number in an address is, and the gateway judges it as such.
 */

/** Characters of an answer, which has the conversation with its messages. */
const longest = 1_048_576;

const origins = (document.querySelector('meta[name=counterfoil-origins]')?.getAttribute('content') ?? '').split(' ');

/** The conversation's number; null in whatever else a page may send. The rest of it, such as who the customer is, isn't looked at. */
const numberIn = (data: unknown): string | null => {
  if (typeof data !== 'string' || data.length > longest) return null;
  try {
    const { event, data: told } = JSON.parse(data) as { readonly event?: unknown; readonly data?: unknown };
    const { id } = (told as { readonly conversation: { readonly id: unknown } }).conversation;
    const isNumber = (typeof id === 'number' || typeof id === 'string') && /^[1-9]\d{0,17}$/.test(`${id}`);
    return event === 'appContext' && isNumber ? `${id}` : null;
  } catch {
    return null;
  }
};

const hear = ({ origin, source, data }: MessageEvent<unknown>): void => {
  // Every page that has hold of this frame may send whatever it likes.
  if (source !== parent || parent === window || !origins.includes(origin)) return;
  const number = numberIn(data);
  if (number === null) return;
  removeEventListener('message', hear);
  location.replace(`${location.pathname}/${number}`);
};

// The first answer counts, and what its reader gives themselves: then nobody else moves this frame.
addEventListener('submit', () => removeEventListener('message', hear), { capture: true });
addEventListener('message', hear);
if (parent !== window) for (const origin of origins) parent.postMessage('chatwoot-dashboard-app:fetch-info', origin);

export {};
