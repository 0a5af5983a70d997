import { type CounterReader, type Idle, minus, perRequest } from './counters';
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
  readonly idle: Idle;
}

/** Keeps one contender busy with one query for some seconds. */
export const measure = async (
  { port, processId }: Started,
  query: QueryName,
  { agents, seconds, database }: { readonly agents: Agents; readonly seconds: number; readonly database: DatabaseServer | null },
): Promise<Outcome> => {
  const requests = generatorsOf(query, await agents.current());
  const before = await database?.counters.read();
  const used = () => [processorTime(processId), database ? processorTime(database.processId) : Number.NaN] as const;
  const [server, stored] = used();
  const measured = await runLoad({ port, seconds, connections: requests });
  const [serverAfter, storedAfter] = used();
  const after = await database?.counters.read();
  await pause(afterwards);
  return {
    ...measured,
    serverTime: (serverAfter - server) / measured.requests,
    databaseTime: (storedAfter - stored) / measured.requests,
    counted: database && before && after ? perRequest(minus(after, before), database.idle, measured) : null,
  };
};
