// graphql-js compares every two fields of one response key: 5 KB without a second factor are 120,000 pairs, unless fields are
// counted before it validates.
import { ask, attack, expectOrdinary, silenceDuring, start, token } from './lib.mjs';

/** Milliseconds that a request of this size may keep others waiting. */
const bearable = 100;

await attack(async () => {
  await start();
  const pip = await token('pip', { mfa: false });
  const once = await ask(pip, '{viewer{id}}');
  expectOrdinary(once.data?.viewer?.id, 'one field is answered', once);
  const { milliseconds, answer } = await silenceDuring((run) => ask(pip, `query Q${run} {${'viewer{id}'.repeat(490)}}`));
  console.log(`nobody else is answered for ${milliseconds} ms; the answer: ${JSON.stringify(answer).slice(0, 120)}`);
  return milliseconds > bearable ? `a request of 5 KB keeps everybody else waiting for ${milliseconds} ms` : null;
});
