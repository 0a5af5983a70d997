import type { RulesFile } from '../risk/rules-file';
import type { Actors } from './actors/actors.service';
import type { IdentityParts } from './actors/actors.slice';
import { type AlertsParts, createAlerts } from './alerts/alerts.slice';
import { createBrakes } from './brakes/brakes.slice';
import { createClaims } from './claims/claims.slice';
import type { Core } from './core';
import type { CustomerSigns } from './credentials/customer-signs';
import { CardInvitations } from './credentials/invite/card-invitations.service';
import type { UpdatesSection } from './credentials/updates.section';
import { createDeadlines } from './deadlines/deadlines.slice';
import { createDecisions } from './decisions/decisions.slice';
import { createHolds } from './holds/holds.slice';
import { createOutreach } from './outreach/outreach.slice';
import { createRules } from './rules/rules.slice';
import { usualHoldsADay } from './rules/senders-holds';
import { signalNames } from './signal-names';
import type { SignalsSection } from './signals/signals.section';
import { createSessionUses, createSignals } from './signals/signals.slice';
import type { Sources } from './sources/sources.service';
import { createWebhooks, type WebhookSettings } from './webhooks/webhooks.slice';

export interface RiskSettings extends WebhookSettings {
  readonly updates: UpdatesSection;
  readonly signals: SignalsSection;
  readonly sync: { readonly windowDays: number; readonly paymentsBoundSeconds: number };
}

export interface RiskParts extends Omit<AlertsParts, 'actors' | 'demanded' | 'invited' | 'recordersOf'> {
  readonly sources: Sources;
  readonly rules: RulesFile;
  /** Issuer identifiers of the identity providers of staff. */
  readonly staffIssuers: readonly string[];
  /** Who asks, but for those on whose sessions a brake is; from where they do is noted. */
  readonly openActors: (watched: Pick<IdentityParts, 'brakes' | 'noteUse'>) => Promise<Actors>;
}

/** What is made of signals: verdicts of rules, alerts, brakes, and what other systems are told of them. */
export const createRisk = async (
  core: Core,
  settings: RiskSettings,
  { rules: file, staffIssuers, openActors, ...parts }: RiskParts,
) => {
  const named = signalNames(core.database, core.keys);
  const brakes = await createBrakes(core);
  // What no rule reads isn't collected.
  const areSessionsRead = file.settings.some(({ rule, mode }) => rule.name === 'session-moved' && mode !== 'OFF');
  const uses = createSessionUses(core, () => signals.service.stored());
  const actors = await openActors({
    brakes: brakes.service,
    noteUse: (use) => areSessionsRead && uses.note(use),
  });
  const { sources, assistances } = parts;
  const holds = createHolds(core, { sources, assistances, leaseSeconds: settings.updates.leaseSeconds });
  const signals = createSignals(core, {
    section: settings.signals,
    named,
    staffIssuers,
    endSessions: (ended) => actors.endSessions(ended),
  });
  const decisions = createDecisions(core, { sources: parts.sources, holds: holds.services.holds });
  const { stepUps } = decisions.services;
  const { mostADay } = settings.updates.cardInvitations;
  const invitations = new CardInvitations({
    database: core.database,
    keys: core.keys,
    mostADay,
    onTooMany: () =>
      core.log.warn(
        { mostADay },
        'more cards end soon than customers may be asked about in time (updates.cardInvitations); some are not asked',
      ),
  });
  const { windowDays, paymentsBoundSeconds } = settings.sync;
  const history = { days: windowDays, maximumAge: paymentsBoundSeconds * 1_000 };
  const claims = createClaims(core, { assistances, history, rules: file });
  const alerts = createAlerts(core, {
    ...parts,
    actors,
    demanded: (ids) => stepUps.demanded(ids),
    invited: (ids) => invitations.invited(ids),
    recordersOf: claims.recordersOf,
  });
  const outreach = createOutreach(core, { rules: file, sources: parts.sources });
  const webhooks = createWebhooks(core, settings);
  const rules = await createRules(core, {
    file,
    signals: signals.service,
    history: signals.history,
    brakes: brakes.service,
    holds: holds.services.holds,
    holdsOfSenders: new Map(settings.signals.sources.map(({ name, holdsADay }) => [name, holdsADay ?? usualHoldsADay])),
    outreach: outreach.service,
    invitations,
    stepUps,
    sessions: actors,
    namesOfCustomer: named.namesOfCustomer,
  });
  const deadlines = createDeadlines(core, { sources: parts.sources, rules: file });
  return {
    actors,
    signals,
    alerts,
    holds,
    webhooks,
    deadlines: deadlines.service,
    claimReading: claims.reading,
    outreachJobs: outreach.jobs,
    sessionUses: uses,
    /** What updates of payment details are judged by. */
    signs: {
      wouldBeAgainstHistory: (asked) => rules.changes.wouldBe(asked),
      wasAgainstHistory: (change, customerId) => rules.changes.were(change, customerId),
      heldSince: (change, about) => holds.services.holds.inForceSince(change, about),
    } satisfies CustomerSigns,
    services: {
      ...alerts.services,
      ...decisions.services,
      ...holds.services,
      brakes: brakes.service,
      claims: claims.service,
      rules: rules.file,
      webhooks: webhooks.service,
    },
    recurring: [alerts, brakes, claims, holds, decisions, webhooks, deadlines].flatMap(({ recurring }) => recurring),
    start: () => {
      signals.service.start();
      uses.start();
      holds.services.holdJobs.start();
      webhooks.start();
      outreach.jobs.start();
    },
    close: () => decisions.close(),
    stop: () =>
      Promise.all([
        holds.services.holdJobs.stop(),
        uses.stop().then(() => signals.service.stop()),
        webhooks.stop(),
        outreach.jobs.stop(),
        alerts.services.alertStreams.feed.stop(),
      ]),
  };
};
