import { ownFetch } from '../../graph/client';
import { offline, type Refusal, refusalIn } from '../../graph/refusals';
import { tellSignedOut } from '../../graph/signed-out';

/** An answer that was read to its end, or why there is none. */
export type Read =
  | { readonly refusal: Refusal }
  | { readonly refusal: null; readonly bytes: Blob; readonly describedBy: string | null };

/** The address in a link header (RFC 8288) of this relation. */
const describedBy = (header: string | null): string | null => /<([^>]+)>;\s*rel="describedby"/.exec(header ?? '')?.[1] ?? null;

/** Reads what the gateway gives at an address of its own. `most`: bytes after which it is given up. */
export const readOwn = async (
  path: string,
  { onBytes, most = Number.POSITIVE_INFINITY }: { readonly onBytes?: (bytes: number) => void; readonly most?: number } = {},
): Promise<Read> => {
  try {
    const response = await ownFetch(path, { redirect: 'follow' });
    if (!response.ok || response.body === null) {
      const refusal = await refusalIn(response);
      if (refusal.code === 'UNAUTHENTICATED') tellSignedOut();
      return { refusal };
    }
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    const reader = response.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      pieces.push(next.value);
      bytes += next.value.length;
      onBytes?.(bytes);
      if (bytes <= most) continue;
      await reader.cancel();
      return { refusal: { ...offline, code: 'INTERNAL' } };
    }
    return { refusal: null, bytes: new Blob(pieces), describedBy: describedBy(response.headers.get('link')) };
  } catch {
    return { refusal: offline };
  }
};

/** Has the browser save something under this name. */
export const save = (name: string, content: Blob): void => {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
};
