import type { FastifyInstance } from 'fastify';
import type { App } from '../app';
import { standingOf } from '../features/sources/registry';
import type { Metrics } from './metrics';

/** Milliseconds for what a probe reports on: orchestrators and Prometheus wait little longer, and then know nothing at all. */
const patience = 2_000;

/** What the work gives in time, or what stands for "not known". */
const inTime = async <T>(work: Promise<T>, unknown: T): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(unknown), patience);
  });
  try {
    return await Promise.race([work, late]);
  } catch {
    return unknown;
  } finally {
    clearTimeout(timer);
  }
};

/** prom-client writes `Nan` where the format has `NaN` (Prometheus text format 0.0.4): a delay of the event loop that wasn't measured yet. */
const withNaN = (text: string): string => text.replace(/ Nan$/gm, ' NaN');

/** For whoever operates the gateway: `/healthz`, `/readyz` and `/metrics`. Each answers within about two seconds, whatever the database does. */
export const healthRoutes =
  (app: App, metrics: Metrics) =>
  async (server: FastifyInstance): Promise<void> => {
    const now = () => app.clock().getTime();

    server.get('/healthz', async () => ({ status: 'ok' }));

    server.get('/readyz', async (_request, reply) => {
      const [database, sources] = await Promise.all([
        app.database.ping().then(
          () => true,
          () => false,
        ),
        inTime(app.sources.health(), []),
      ]);
      return reply.code(database ? 200 : 503).send({
        status: database ? 'ready' : 'not ready',
        database: database ? 'ok' : 'unreachable',
        // A source that is down costs its own fields, so it doesn't make the gateway unready.
        sources: Object.fromEntries(
          (database ? sources : []).map((source) => [
            source.name,
            {
              side: source.side,
              kind: source.kind,
              state: source.fault ?? standingOf(source, app.clock()),
              readUntil: source.polledAt?.toISOString() ?? null,
            },
          ]),
        ),
      });
    });

    server.get('/metrics', async (_request, reply) => {
      // Without the database ages and jobs are unknown; what else is measured is wanted just then.
      const [sources, texts, unlinked, jobs, outreach, holds, alerts, audit, signals] = await Promise.all([
        inTime(app.sources.health(), []),
        inTime(app.sources.textsCompared(), []),
        inTime(app.sources.unlinkedCustomers(), []),
        inTime(app.asked.jobCounts(), []),
        inTime(app.outreachJobs.counts(), []),
        inTime(app.services.holdJobs.counts(), []),
        inTime(app.services.alerts.counts(), []),
        inTime<Awaited<ReturnType<typeof app.services.auditLog.progress>> | null>(app.services.auditLog.progress(), null),
        inTime<Awaited<ReturnType<typeof app.signals.service.progress>> | null>(app.signals.service.progress(), null),
      ]);
      const { limit, inside, waiting, entered, sentAway, ofThemselves } = app.admission.state;
      metrics.limit.set(limit);
      metrics.underWay.set({ state: 'inside' }, inside);
      metrics.underWay.set({ state: 'waiting' }, waiting);
      // They are counted where requests are let in.
      metrics.admitted.reset();
      metrics.admitted.inc(entered);
      metrics.refused.reset();
      metrics.refused.inc({ reason: 'overload' }, sentAway);
      metrics.refused.inc({ reason: 'actor' }, ofThemselves);
      metrics.unlinked.reset();
      for (const { source, waiting, setAside } of unlinked) {
        metrics.unlinked.set({ source, state: 'waiting' }, waiting);
        metrics.unlinked.set({ source, state: 'set_aside' }, setAside);
      }
      metrics.textAge.reset();
      metrics.textsLate.reset();
      for (const { source, oldest, late } of texts) {
        metrics.textsLate.set({ source }, late);
        if (oldest) metrics.textAge.set({ source }, (now() - oldest.getTime()) / 1_000);
      }
      metrics.jobs.reset();
      metrics.jobFaults.reset();
      for (const { kind, state, fault, count } of jobs) {
        metrics.jobs.inc({ kind, state }, count);
        if (fault !== null) metrics.jobFaults.inc({ kind, fault }, count);
      }
      metrics.outreachJobs.reset();
      for (const { state, fault, count } of outreach) metrics.outreachJobs.inc({ state, fault: fault ?? '' }, count);
      metrics.holdJobs.reset();
      for (const { state, fault, count } of holds) metrics.holdJobs.inc({ state, fault: fault ?? '' }, count);
      metrics.alerts.reset();
      for (const { rule, outcome, count } of alerts) metrics.alerts.set({ rule, outcome }, count);
      for (const { stage, verdict, count } of app.services.decisions.counts) metrics.decisions.set({ stage, verdict }, count);
      metrics.sourceAge.reset();
      for (const { name, polledAt } of sources)
        if (polledAt) metrics.sourceAge.set({ source: name }, (now() - polledAt.getTime()) / 1_000);
      // What isn't known isn't there.
      metrics.auditPending.remove();
      metrics.auditCheckpointAge.remove();
      if (audit) metrics.auditPending.set(audit.pending);
      if (audit?.signedAt) metrics.auditCheckpointAge.set((now() - audit.signedAt.getTime()) / 1_000);
      metrics.signalsPending.remove();
      metrics.signalsUnread.reset();
      if (signals) metrics.signalsPending.set(signals.pending);
      for (const [consumer, unread] of signals?.unread ?? []) metrics.signalsUnread.set({ consumer }, unread);
      metrics.readsRepeated.set(app.database.shared.repeated);
      const { agreeing, findings, round } = app.services.auditScrub.state;
      metrics.auditRowsChecked.set(agreeing);
      metrics.auditFindings.set(findings);
      metrics.auditRoundAge.remove();
      if (round) metrics.auditRoundAge.set((now() - round.getTime()) / 1_000);
      return reply.type(metrics.registry.contentType).send(withNaN(await metrics.registry.metrics()));
    });
  };
