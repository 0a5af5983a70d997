/** Sends something to the gateway that isn't asked of the graph. Null where nothing answered. */
export const ownPost = async (
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response | null> => {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'counterfoil-browser': '1', ...headers },
      body: JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
    });
  } catch {
    return null;
  }
};
