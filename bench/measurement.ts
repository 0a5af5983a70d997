import { type CounterReader, type Counters, minus, perRequest } from './counters';
import { runLoad } from './load';
import { type Agents, generatorsOf } from './preparation';
import { processorTime, type Started } from './processes';
import type { QueryName } from './queries';
import type { Outcome } from './results';

/** Milliseconds in which a gateway finishes what it does after its answers, so that the next contender isn't charged for it. */
const afterwards = 500;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The server that is asked for what a request took at it; none where the database is a file. */
export interface DatabaseServer {
  readonly processId: number;
  readonly counters: CounterReader;
  /** What each of its users has counted a second while nobody asks. */
  readonly idle: ReadonlyMap<string, Counters>;
}

/** Keeps one contender busy with one query for some seconds. */
export const measure = async (
  { port, processId, user }: Started,
  query: QueryName,
  { agents, seconds, database }: { readonly agents: Agents; readonly seconds: number; readonly database: DatabaseServer | null },
): Promise<Outcome> => {
  const requests = generatorsOf(query, await agents.current());
  const before = await database?.counters.read(user);
  const used = () => [processorTime(processId), database ? processorTime(database.processId) : Number.NaN] as const;
  const [server, stored] = used();
  const measured = await runLoad({ port, seconds, connections: requests });
  const [serverAfter, storedAfter] = used();
  const after = await database?.counters.read(user);
  await pause(afterwards);
  const idle = database?.idle.get(user);
  return {
    ...measured,
    serverTime: (serverAfter - server) / measured.requests,
    databaseTime: (storedAfter - stored) / measured.requests,
    counted: idle && before && after ? perRequest(minus(after, before), idle, measured) : null,
  };
};

/** Requests after which the code that serves them is compiled, and the seconds after which a slow machine is waited for no more. */
const warm = { context: 1_000, queue: 150 } as const;
const warmUpSeconds = 2;
const longestWarmUp = 8;

/** Asks a contender for so long that what is measured afterwards is how it runs, not how it starts. */
export const warmUp = async (started: Started, query: QueryName, agents: Agents): Promise<void> => {
  let requests = 0;
  for (let seconds = 0; seconds < longestWarmUp && requests < warm[query]; seconds += warmUpSeconds)
    requests += (await measure(started, query, { agents, seconds: warmUpSeconds, database: null })).requests;
};
