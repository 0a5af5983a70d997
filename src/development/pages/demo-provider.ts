import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app';
import { Failure } from '../../failure';
import { acceptForms, formOf } from '../../http/form';
import { named } from '../../http/named';
import { pageHeaders } from '../../http/page';
import { comesFromHere } from '../../http/same-origin';
import { providerRefusals } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { faultTargets } from '../sources/demo-faults';
import { DemoHelpdesk } from '../sources/demo-helpdesk';
import { DemoPayments } from '../sources/demo-payments';
import { demoSetupPath } from '../sources/demo-sources';
import { isSetupCardName } from '../sources/setup-cards';
import { faultsPage, faultsStyle } from './demo-provider/faults-page';
import { choosePage, donePage, downPage, expiredPage, issuerPage, setupStyle, unknownPage } from './demo-provider/setup-page';

const faultsPath = '/development/provider';
/** Largest form, in bytes. */
const largestForm = 4 * 1024;
/** Rows of each table on the page of faults. */
const shownRows = 25;

const sendPage = (reply: FastifyReply, status: number, page: string, formAction = "'none'"): FastifyReply =>
  reply.code(status).headers(pageHeaders(setupStyle, formAction)).send(page);

const cardForm = z.object({
  card: z.string().refine(isSetupCardName),
  holder: z.enum(['approves', 'refuses']).nullable().default(null),
});

const times = z.coerce.number().int().min(1).max(1_000);
const executed = z.enum(['yes', 'no']).transform((word) => word === 'yes');
const faultForm = z.discriminatedUnion('act', [
  z.object({ act: z.literal('refuse'), source: z.string(), of: z.enum(faultTargets), why: z.enum(providerRefusals), times }),
  z.object({ act: z.literal('lose'), source: z.string(), of: z.enum(faultTargets), executed, times }),
  z.object({ act: z.literal('spoil'), source: z.string(), executed, times }),
  z.object({ act: z.literal('clear'), source: z.string() }),
  z.object({ act: z.literal('go-down'), source: z.string() }),
  z.object({ act: z.literal('come-back'), source: z.string() }),
]);

/** What stands in a message that is overwritten. */
const overwritten = '[Overwritten by the helpdesk’s privacy officer.]';
const rewriteForm = z.object({
  act: z.literal('rewrite'),
  source: z.string(),
  reference: z.string().max(12),
  how: z.enum(['overwrite', 'remove']).transform((how) => (how === 'remove' ? null : overwritten)),
});

const expectHere = (request: FastifyRequest): void => {
  if (comesFromHere(request)) return;
  throw new Failure('DENIED', 'The demo provider is seen and led from this machine only.', {
    remedy: 'Open the page as http://127.0.0.1 on the machine that runs the gateway.',
  });
};

interface NamedProvider {
  readonly source: string;
  readonly payments: DemoPayments;
}

/** The demo payment providers of this gateway; none where a test put something else in their place. */
export const demoProvidersOf = ({ config, sources }: App): readonly NamedProvider[] =>
  config.sources.payments.flatMap(({ name }) => {
    const { connector } = sources.paymentsSource(name);
    return connector instanceof DemoPayments ? [{ source: name, payments: connector }] : [];
  });

export const demoHelpdesksOf = ({ config, sources }: App) =>
  config.sources.helpdesk.flatMap(({ name }) => {
    const { connector } = sources.helpdesk(name);
    return connector instanceof DemoHelpdesk ? [{ source: name, helpdesk: connector }] : [];
  });

/** The card page of the pretended provider: whoever has its address is the customer. No card number can be typed there. */
const setupRoutes = (app: App, providers: readonly NamedProvider[]) => async (server: FastifyInstance) => {
  const { name: merchant } = app.config.merchant;

  server.setErrorHandler((error, _request, reply) => {
    if (error instanceof SourceUnavailable) return sendPage(reply, 503, downPage());
    throw error;
  });

  const found = (request: FastifyRequest<{ Params: { reference: string } }>) => {
    const { reference } = request.params;
    for (const { payments } of providers) {
      const setup = payments.credentials.setupPage(reference);
      if (setup === null) continue;
      // Browsers hold a redirect that follows a form against the form's own page (CSP Level 3, form-action).
      const formAction = [...new Set(["'self'", new URL(setup.returnUrl).origin])].join(' ');
      return { reference, credentials: payments.credentials, setup, view: { merchant, cancelUrl: setup.cancelUrl }, formAction };
    }
    return null;
  };

  server.get<{ Params: { reference: string } }>(`${demoSetupPath}/:reference`, async (request, reply) => {
    const page = found(request);
    if (page === null) return sendPage(reply, 404, unknownPage());
    const { setup, view, formAction } = page;
    if (setup.status === 'COMPLETE') return sendPage(reply, 200, donePage(view, setup.returnUrl));
    if (setup.status === 'EXPIRED') return sendPage(reply, 410, expiredPage(view));
    return sendPage(reply, 200, choosePage(view), formAction);
  });

  server.post<{ Params: { reference: string } }>(`${demoSetupPath}/:reference`, async (request, reply) => {
    const page = found(request);
    if (page === null) return sendPage(reply, 404, unknownPage());
    const { reference, credentials, setup, view, formAction } = page;
    const back = () => reply.headers(pageHeaders(setupStyle, "'none'")).redirect(setup.returnUrl, 303);
    if (setup.status === 'COMPLETE') return back();
    if (setup.status === 'EXPIRED') return sendPage(reply, 410, expiredPage(view));
    const { success, data } = cardForm.safeParse(formOf(request));
    if (!success) return sendPage(reply, 400, choosePage(view, null, 'Choose one of the cards first.'), formAction);
    const again = (said: string) => sendPage(reply, 422, choosePage(view, data.card, said), formAction);
    switch (credentials.enterCard(reference, data.card, data.holder)) {
      case 'complete':
        return back();
      case 'ask':
        return sendPage(reply, 200, issuerPage(view, data.card), formAction);
      case 'declined':
        return again('The card’s issuer declined it. Nothing was changed; choose another card.');
      case 'not-authenticated':
        return again('The card’s issuer could not tell that it is you. Nothing was changed; try again or choose another card.');
      case 'ended':
        return sendPage(reply, 410, expiredPage(view));
    }
  });
};

/** The page on which faults of the demo provider are switched on and off. */
const faultRoutes = (app: App, providers: readonly NamedProvider[]) => async (server: FastifyInstance) => {
  server.get(faultsPath, async (request, reply) => {
    expectHere(request);
    const page = faultsPage({
      providers: providers.map(({ source, payments: { isReachable, credentials } }) => ({
        source,
        isReachable,
        faults: credentials.switchedOn,
        executions: credentials.executions.slice(-shownRows).reverse(),
      })),
      helpdesks: demoHelpdesksOf(app).map(({ source, helpdesk }) => ({
        source,
        notes: helpdesk.notes.slice(-shownRows).reverse(),
      })),
    });
    return reply.headers(pageHeaders(faultsStyle, "'self'")).send(page);
  });

  server.post(faultsPath, async (request, reply) => {
    expectHere(request);
    const { data: rewrite } = rewriteForm.safeParse(formOf(request));
    if (rewrite) {
      const helpdesk = demoHelpdesksOf(app).find(({ source }) => source === rewrite.source)?.helpdesk;
      if (!helpdesk?.rewrite(rewrite.reference.trim(), rewrite.how))
        throw Failure.invalid('reference', 'expected the number of a ticket in which its customer wrote something');
      return reply.header('cache-control', 'no-store').redirect(faultsPath, 303);
    }
    const { data: asked } = faultForm.safeParse(formOf(request));
    const payments = providers.find(({ source }) => source === asked?.source)?.payments;
    if (!asked || !payments) throw Failure.invalid('form', 'expected a form of the page at GET /development/provider');
    const { credentials } = payments;
    if (asked.act === 'refuse') credentials.refuse(asked.why, asked.times, asked.of);
    if (asked.act === 'lose') credentials.loseAnswers(asked.times, asked);
    if (asked.act === 'spoil') credentials.spoilKeys(asked.times, asked);
    if (asked.act === 'clear') credentials.clearFaults();
    if (asked.act === 'go-down') payments.goDown();
    if (asked.act === 'come-back') payments.comeBack();
    return reply.header('cache-control', 'no-store').redirect(faultsPath, 303);
  });
};

/** What makes the demo provider a site of its own: its card page, and the page of its faults. Registered outside production only. */
export const demoProviderRoutes = (app: App, providers: readonly NamedProvider[]) => async (server: FastifyInstance) => {
  acceptForms(server, { largest: largestForm });
  await server.register(named('provider cards', setupRoutes(app, providers)));
  await server.register(named('provider faults', faultRoutes(app, providers)));
};
