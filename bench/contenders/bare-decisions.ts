import 'reflect-metadata';
import Fastify from 'fastify';
import pino from 'pino';
import type { SignedInActor } from '../../src/authz/actor';
import { sql } from '../../src/db/sql';
import { askedDecision, findSubjects } from '../../src/features/decisions/asked';
import type { PaymentDecisionInput } from '../../src/features/decisions/decision.type';
import { demand, demandRows } from '../../src/features/decisions/decisions.rows';
import { Holds } from '../../src/features/holds/holds.service';
import { openStorage } from '../../src/storage';
import { decisionsConfigOf } from '../events/decisions';
import { listening, serveForParent } from './child';

const nobody = { kind: 'service', id: 'act_nobody' } as SignedInActor;

/** What a team would have without us: a route that reads the same and answers. Nobody is asked who they are, nothing is counted or recorded. */
serveForParent(async (settings) => {
  const clock = () => new Date();
  const { database, keys } = await openStorage({ config: decisionsConfigOf(settings), log: pino({ level: 'silent' }), clock });
  const holds = new Holds({ database, keys, clock } as ConstructorParameters<typeof Holds>[0]);
  const server = Fastify();
  server.post<{ Body: { variables: { input: PaymentDecisionInput } } }>('/graphql', async ({ body }) => {
    const asked = askedDecision(nobody, keys, body.variables.input);
    const [found] = await findSubjects(database, [asked], clock());
    const { names, payerIds, transactionIds } = found as NonNullable<typeof found>;
    const among = names.length > 0 ? names : [''];
    const [held, demands] = await Promise.all([
      holds.standing(database, { payerIds, customerIds: among, transactionIds, emailDomain: asked.emailDomain }),
      database.read(
        demandRows,
        sql`WHERE (${demand.customerId} IN (${among}) OR ${demand.payerId} IN (${among})) AND ${demand.expiresAt} > ${clock()}`,
      ),
    ]);
    const verdict = held.length > 0 ? 'HOLD' : demands.length > 0 ? 'STEP_UP' : 'CLEAR';
    return { data: { paymentDecision: { verdict } } };
  });
  server.addHook('onClose', () => database.close());
  return listening(server);
});
