import '../deferred';
import pino from 'pino';
import { type Config, loadConfig } from '../config/load';
import { loadLocalConfig } from '../config/local';
import { loadPolicy } from '../config/policy';
import { ConfigInvalid, type ConfigProblem } from '../config/problems';
import { loadRules } from '../config/rules';
import { describeGraph } from '../features/schema';
import { type Gateway, runGateway } from '../http/run';
import { createLog } from '../log';
import { serveCommands } from './command-server';
import { ProgressReport } from './progress';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const duration = (milliseconds: number): string =>
  milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;

/** A first query that a shell takes as it is. */
const curl = (address: string, token: string, query: string): string =>
  [
    `curl -s ${address}/graphql \\`,
    `  -H 'content-type: application/json' \\`,
    `  -H 'authorization: Bearer ${token}' \\`,
    // Within single quotes of a shell nothing but a single quote is special, and the query has none.
    `  -d '${JSON.stringify({ query })}'`,
  ].join('\n');

const ticketQuery = (source: string, reference: string): string =>
  `{ ticketByReference(source: "${source}", reference: "${reference}") { subject status customer { link email paymentMethods { brand last4 status } transactions(first: 3) { nodes { status declineCode declineAdvice } } } } }`;

const cast = () => require('../development/merchant/cast') as typeof import('../development/merchant/cast');

const developmentClient = () =>
  (require('../development/issuer/development-issuer') as typeof import('../development/issuer/development-issuer'))
    .developmentClient;

/** Where to look and a first query, for whoever just started it. */
const welcome = async ({ app, address, loaded }: Gateway): Promise<string> => {
  const { config, development } = app;
  const { demoTickets } = cast();
  const demo = config.sources.helpdesk.find(({ kind }) => kind === 'demo');
  const lines = [
    '',
    'Counterfoil runs in development mode: anybody on this machine can sign in as one of the demo people.',
    '',
    ...(app.signIn
      ? [`  ${`${address}/`.padEnd(46)}the console: sign in as ${config.signIn ? 'yourself' : 'one of the demo people'}`]
      : [`  ${'POST '.padEnd(46)}${address}/graphql`]),
    ...(development ? [`  ${`${address}/explorer`.padEnd(46)}the graph as any of the demo people, one click each`] : []),
    `  ${`${address}/development/mail`.padEnd(46)}what customers are sent: links and codes`,
    ...(demo
      ? [
          `  ${`${address}/development/provider`.padEnd(46)}the demo payment provider, and what can go wrong with it`,
          `  ${`${address}/development/helpdesk`.padEnd(46)}a pretended helpdesk with the panel in its pages`,
        ]
      : []),
    `  ${`${address}/readyz`.padEnd(46)}database and sources (also /healthz and /metrics)`,
    `  ${'schema/exposure.yaml'.padEnd(46)}who sees what; docs/policy.md explains it, README.md the rest`,
    '',
  ];
  if (development) {
    const token = await development.issuer.issue('ana');
    const query = demo ? ticketQuery(demo.name, demoTickets.own.reference) : '{ viewer { id roles teams mfa } }';
    const what = demo
      ? `The payment context of ticket ${demoTickets.own.reference}, as its agent Ana sees it.`
      : 'Who one is, as the demo agent Ana.';
    lines.push(
      `${what} The token is good for 15 minutes; for another: npx counterfoil token --user ana`,
      '',
      curl(address, token, query),
      '',
      ...(app.operations.isLimited({ clientId: developmentClient() })
        ? ['operations.registeredOnly limits the demo people too: they are refused what is not registered.', '']
        : []),
    );
  }
  if (!config.demo) lines.push('The configured sources are read in the background; /readyz tells how far they are.');
  lines.push(
    `Started in ${duration(performance.now())}${loaded ? ', the first load included' : ''}. Ctrl-C stops it; its data stays.`,
  );
  return lines.join('\n');
};

const problemsOf = (load: () => unknown): readonly ConfigProblem[] => {
  try {
    load();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    // Those of the environment stand among the configuration's own.
    return error.problems.filter((problem) => problem.in !== 'environment');
  }
};

const policyProblems = (): readonly ConfigProblem[] =>
  problemsOf(() => {
    const local = loadLocalConfig();
    loadPolicy(local.policyFile, describeGraph().classification, local);
  });
const rulesProblems = (): readonly ConfigProblem[] => problemsOf(() => loadRules(loadLocalConfig().rulesFile));

/** Throws `ConfigInvalid` with what is wrong with the policy and the rules too: whoever repairs one meets the others at once. */
const configuration = (): Config => {
  try {
    const config = loadConfig();
    const wrong = rulesProblems();
    if (wrong.length === 0) return config;
    throw new ConfigInvalid(wrong);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const others = [...policyProblems(), ...rulesProblems()].filter(
      (other) => !error.problems.some((each) => each.in === other.in && each.at === other.at),
    );
    throw new ConfigInvalid([...error.problems, ...others]);
  }
};

/**
 * Reads the configuration and runs the gateway until a signal. In development a person reads stdout, and the log (warnings
 * and worse unless LOG_LEVEL says otherwise) goes to stderr; in production stdout is the log and nothing else.
 */
export const start = async (): Promise<void> => {
  const config = configuration();
  if (config.production) {
    const log = createLog(config.logLevel);
    await runGateway(config, log, { onListening: (app) => serveCommands(app, log) });
    return;
  }
  const progress = new ProgressReport(process.stdout);
  const log = createLog(config.logLevel, pino.destination(2));
  const gateway = await runGateway(config, log, {
    onListening: (app) => serveCommands(app, log),
    onLoading: () =>
      say(
        'The database is empty and no source is configured: loading the demo merchant (once, less than a minute where nothing else runs).',
      ),
    onProgress: progress.show,
    onLoaded: () => progress.finish(),
    onStopping: () => {
      progress.finish();
      say('Stopping once what is under way is done. Again to stop at once.');
    },
  });
  if (gateway) say(await welcome(gateway));
};
