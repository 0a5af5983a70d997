import { writeDecisionSettings } from './events/decisions';
import { type LoadRequest, type Measured, median, runLoad } from './load';
import { paymentsSource } from './merchant';
import { openIssuer, say } from './preparation';
import { startContender, stopContender } from './processes';
import type { Settings } from './settings';

const query =
  'mutation Ask($input: PaymentDecisionInput!) { paymentDecision(input: $input) { verdict stepUp demandId route validUntil } }';
/** Questions that are asked at once, as the instances of a shop ask them. */
const connections = 64;

interface Bench {
  readonly settings: Settings;
  readonly closing: (() => unknown)[];
}
interface Wishes {
  readonly rounds: number;
  readonly seconds: number;
}

/** No key is used twice: it would have the same answer. */
let asked = 0;

/** Each about the next customer, under a key of its own. */
const questions = (token: string, customers: number): (() => LoadRequest)[] => {
  const next = (): LoadRequest => {
    asked += 1;
    const input = {
      source: paymentsSource,
      stage: 'CHECKOUT',
      amount: { minorUnits: 1_999, currency: 'EUR' },
      customer: String((asked % customers) + 1),
      email: `person-${asked % customers}@shop.example`,
      card: `pm-${(asked % customers) + 1}-0`,
      device: `fp-${asked % customers}`,
      ip: '203.0.113.7',
      idempotencyKey: `bench-${process.pid}-${asked}`,
    };
    return {
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables: { input } }),
      check: (text) => {
        if (!/"verdict":"(?:CLEAR|STEP_UP|REVIEW|HOLD)"/.test(text)) throw new Error(`no decision: ${text.slice(0, 800)}`);
      },
    };
  };
  return Array.from({ length: connections }, () => next);
};

/**
 * Decisions a second of one gateway, with everything that it does beside (who asks, the budget, the same answer for the same key, the record),
 * over those of one bare Fastify route that reads the same.
 */
export const measureDecisions = async ({ settings, closing }: Bench, { rounds, seconds }: Wishes) => {
  const issuer = await openIssuer();
  closing.push(issuer.close);
  writeDecisionSettings(settings, issuer.jwksUri);
  const ours = await startContender('decisions', settings);
  closing.push(() => stopContender(ours));
  const bare = await startContender('bare-decisions', settings);
  closing.push(() => stopContender(bare));
  const gateways: Measured[] = [];
  const bares: Measured[] = [];
  const measured = async (port: number, time: number) =>
    runLoad({ port, seconds: time, connections: questions(await issuer.issue('pipeline', 'SERVICE'), settings.customers) });
  // The gateway reads what its first fill told of meanwhile.
  for (const { port } of [bare, ours]) await measured(port, 10);
  for (let round = 0; round < rounds; round += 1) {
    bares.push(await measured(bare.port, seconds));
    gateways.push(await measured(ours.port, seconds));
    const told = ({ perSecond, p50, p99 }: Measured) =>
      `${perSecond.toFixed(0)}/s (p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms)`;
    say(`  decision: gateway ${told(gateways.at(-1) as Measured)}, bare ${told(bares.at(-1) as Measured)}`);
  }
  const perSecond = (of: readonly Measured[]) => median(of.map((each) => each.perSecond));
  return { ratio: perSecond(gateways) / perSecond(bares), gateway: gateways, bare: bares };
};
