// Whoever takes an agent's token out of a browser asks the graph for what no screen asks, by whatever way there may be around the list
// of registered operations: texts of their own, hashes of their own, names, headers, forms of a request.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attack, counterfoil, demoSources, expectOrdinary, folder, sleep, start, token, url } from './lib.mjs';

const hashOf = (text) => createHash('sha256').update(text).digest('hex');
const registered = 'query Viewer { viewer { id } }';
const wanted = '{ tickets(first: 100) { nodes { reference customer { displayName } } } }';
const named = `query Viewer ${wanted}`;

await attack(async () => {
  const { environment } = await start({ config: `${demoSources}operations: { registeredOnly: true }\n` });
  const file = join(folder, 'viewer.graphql');
  writeFileSync(file, registered);
  const { code, said } = await counterfoil(['operations', 'register', file], environment);
  expectOrdinary(code === 0, 'an operation is registered beside the gateway', said);
  const bearer = await token('ana');
  const post = async (body, { headers = {}, path = '/graphql', method = 'POST' } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers },
      ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
    });
    return response.text();
  };
  const persistedQuery = { version: 1, sha256Hash: hashOf(registered) };
  const own = { version: 1, sha256Hash: hashOf(wanted) };
  const ordinary = await post({ extensions: { persistedQuery } });
  expectOrdinary(/"viewer":\{"id":"act_/.test(ordinary), 'it is answered for its hash', ordinary);

  const ways = {
    'a text': () => post({ query: wanted }),
    'its name': () => post({ query: named, operationName: 'Viewer' }),
    'beside the registered one': () => post({ query: `${registered} query Other ${wanted}`, operationName: 'Other' }),
    'its hash beside another text': () => post({ query: wanted, extensions: { persistedQuery } }),
    'its id beside another text': () => post({ query: wanted, documentId: hashOf(registered) }),
    'two hashes': () => post({ documentId: hashOf(registered), extensions: { persistedQuery: own }, query: wanted }),
    'an extension in a list': () => post({ query: wanted, extensions: [{ persistedQuery }] }),
    'an extension of another kind': () => post({ query: wanted, extensions: { persistedQuery: 0 } }),
    'registering by asking': async () => {
      await post({ query: wanted, extensions: { persistedQuery: own } });
      await post({ query: wanted, documentId: `sha256:${hashOf(wanted)}` });
      await sleep(6_000);
      return post({ extensions: { persistedQuery: own } });
    },
    'a key that is there twice': () =>
      post(
        `{"extensions":${JSON.stringify({ persistedQuery })},"query":${JSON.stringify(registered)},"query":${JSON.stringify(wanted)}}`,
      ),
    'a prototype': () => post(`{"query":${JSON.stringify(wanted)},"__proto__":{"isRegistered":true}}`),
    'a batch': () => post([{ extensions: { persistedQuery } }, { query: wanted }]),
    headers: () =>
      post(
        { query: wanted },
        {
          headers: {
            'apollographql-client-name': 'console',
            'x-apollo-operation-id': hashOf(registered),
            'x-client-id': 'console',
          },
        },
      ),
    GET: () => post(null, { method: 'GET', path: `/graphql?query=${encodeURIComponent(wanted)}` }),
    'the address': () => post({ extensions: { persistedQuery } }, { path: `/graphql?query=${encodeURIComponent(wanted)}` }),
    'a form': () =>
      post(new URLSearchParams({ query: wanted }).toString(), {
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'apollo-require-preflight': '1' },
      }),
    'plain text': () =>
      post(JSON.stringify({ query: wanted }), { headers: { 'content-type': 'text/plain', 'apollo-require-preflight': '1' } }),
  };
  for (const [way, go] of Object.entries(ways)) {
    const answer = await go();
    if (/"tickets"|"displayName"/.test(answer)) return `by ${way}: ${answer.slice(0, 200)}`;
  }
  console.log(`${Object.keys(ways).length} ways lead to nothing`);
  return null;
});
