import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { Failure } from '../failure';
import type { NewAddress } from '../features/credentials/confirm/confirmation.view';
import type { AskedView, CustomerAnswer, CustomerDesk } from '../features/customer-desk';
import { failureIn } from '../graphql/errors';
import { reportFault } from '../log';
import type { AnswerSteps } from '../privacy/answer-time';
import { clientOf } from './client-address';
import type { Merchant } from './confirm/parts';
import { style } from './confirm/style';
import type { Filling } from './confirm/update.page';
import { acceptForms, formOf } from './form';
import { named } from './named';
import { pageHeaders } from './page';
import { comesFromElsewhere } from './same-origin';

/** What an answer to a link that can't be used is made of. */
export interface DeadLinkOptions extends Merchant {
  readonly answerSteps: AnswerSteps;
}

export interface ConfirmOptions extends DeadLinkOptions {
  readonly clock: () => Date;
}

/** With names of countries and formats of dates, which nobody waits for at a start. */
const pages = () => require('./confirm/pages') as typeof import('./confirm/pages');

const prefix = '/confirm';
/** 256 bits in base64url without padding (RFC 4648, 5). */
const token = /^[A-Za-z0-9_-]{43}$/;
/** Largest form, in bytes. */
const largestForm = 8 * 1024;
/** Requests a minute from one address; from one network of 64 bits in IPv6. */
const requestsPerMinute = 60;

/** Set here and not by helmet alone: what the router can't read gets a page too, and no hook runs for that. */
const headers = {
  ...pageHeaders(style, "'self'"),
  'x-robots-tag': 'noindex, nofollow',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

const send = (reply: FastifyReply, status: number, page: string): FastifyReply => reply.code(status).headers(headers).send(page);

/** Whether an address is this page's, though it may be none that the router can read. */
export const isConfirmAddress = (url: string | undefined): boolean => url?.startsWith(`${prefix}/`) === true;

/** Answers as for every link that can't be used. `began` is when the desk was asked, by `performance.now()`. */
export const sendDeadLink = async (
  reply: FastifyReply,
  options: DeadLinkOptions,
  began = performance.now(),
): Promise<FastifyReply> => {
  const page = pages().deadPage(options);
  // A token that never was is found out sooner than one that was used.
  await options.answerSteps.end(began);
  return send(reply, 404, page);
};

const text = (most: number) => z.string().max(most).trim();
const address = z.object({
  line1: text(1_000),
  line2: text(1_000),
  city: text(1_000),
  // A page that was opened before there was this field sends none.
  state: text(1_000).default(''),
  postalCode: text(1_000),
  country: text(8),
});
const answerForm = z.object({
  answer: z.enum(['confirm', 'refuse', 'send-code']),
  shown: text(256).default(''),
  // People type it as it is written in the message, with a space or a hyphen.
  code: text(64)
    .default('')
    .transform((code) => code.replace(/[\s\p{Pd}]/gu, '')),
  agreed: z
    .literal('yes')
    .optional()
    .transform((agreed) => agreed === 'yes'),
});

interface Form extends z.infer<typeof answerForm> {
  /** Null where the form had no fields for one. */
  readonly address: NewAddress | null;
}

/** Null for what no form of this page sends. */
const readForm = (sent: Readonly<Record<string, string>>): Form | null => {
  const answer = answerForm.safeParse(sent);
  const typed = 'line1' in sent ? address.safeParse(sent) : null;
  if (!answer.success || typed?.success === false) return null;
  return { ...answer.data, address: typed?.data ?? null };
};

interface Apology {
  readonly status: number;
  readonly title: string;
  readonly advice: string;
}

const staffApology: Apology = {
  status: 403,
  title: 'This page is for the customer alone',
  advice: 'Nobody can open it in a customer’s name, and no staff session is accepted here. Nothing was changed.',
};
const foreignApology: Apology = {
  status: 403,
  title: 'This answer came from another site',
  advice: 'It was not accepted, and nothing was changed. Open the link in your message, and answer on the page that it shows.',
};
const unreadableApology: Apology = {
  status: 400,
  title: 'We could not read this answer',
  advice: 'Nothing was changed. Open the link in your message again, and answer on the page that it shows.',
};
const unknownApology: Apology = {
  status: 500,
  title: 'We could not complete this',
  advice: 'Open the link in your message again to see where it stands.',
};

/** Refusals that a customer can understand, in their words; the failure's own are for programs. */
const apologyFor = (failure: Failure): Apology | null => {
  switch (failure.code) {
    case 'RATE_LIMITED': {
      const minutes = Math.max(1, Math.ceil((failure.details.retryAfter ?? 60) / 60));
      return {
        status: 429,
        title: 'That was too often',
        advice: `Wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`}, then open the link in your message again. It still works.`,
      };
    }
    case 'UPSTREAM_UNAVAILABLE':
    case 'RECORD_UNAVAILABLE':
      return {
        status: 503,
        title: 'We could not complete this',
        advice: 'What is needed for it does not answer just now. Open the link in your message again in a few minutes.',
      };
    case 'CONFLICT':
      return {
        status: 409,
        title: 'Something changed meanwhile',
        advice: 'Your answer was not accepted. Open the link in your message again to see where it stands.',
      };
    // A form that no page of ours sends.
    case 'INVALID':
      return unreadableApology;
    default:
      return null;
  }
};

const fillingAtFirst = { address: null, problems: [], codeWasSent: false } as const;

/**
 * The customer's page. Whoever has a link is the customer, so nothing here asks who they are; whoever says that they are
 * somebody else, by a staff member's token, is refused. GET changes nothing. Needs `@fastify/rate-limit` to be registered.
 */
export const confirmRoutes = (desk: CustomerDesk, options: ConfirmOptions) => async (server: FastifyInstance) => {
  const { clock } = options;
  const limit = server.createRateLimit({
    max: requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: clientOf,
  });
  const apologize = (reply: FastifyReply, { status, title, advice }: Apology) =>
    send(reply, status, pages().apologyPage(options, title, advice));
  const pageOf = (view: AskedView, filling: Omit<Filling, 'now'>) =>
    pages()
      .pagesFor(view)
      .asked(options, view, { now: clock(), ...filling });

  const answerOf = (form: Form, link: string): Promise<CustomerAnswer> => {
    const { answer, shown, code, address, agreed } = form;
    if (answer === 'send-code') return desk.sendCode(link);
    if (answer === 'refuse') return desk.refuse(link, shown, agreed);
    return desk.confirm(link, { shown, code, address, agreed });
  };

  const sendAnswer = (reply: FastifyReply, form: Form, answer: Exclude<CustomerAnswer, { outcome: 'dead' }>) => {
    switch (answer.outcome) {
      case 'confirmed':
        return send(reply, 200, pages().pagesFor(answer.view).confirmed(options, answer.view, answer.waitsForApproval));
      case 'refused':
        return send(reply, 200, pages().pagesFor(answer.view).refused(options, answer.view));
      case 'continue':
        return send(reply, 200, pageOf(answer.view, fillingAtFirst));
      case 'again': {
        const { view, problems } = answer;
        const codeWasSent = form.answer === 'send-code' && problems.length === 0;
        return send(reply, problems.length > 0 ? 422 : 200, pageOf(view, { address: form.address, problems, codeWasSent }));
      }
    }
  };

  await server.register(
    named('confirm pages', async (page) => {
      // Its own bucket in place of everybody's, and no page of another origin may read anything here.
      const config = { rateLimit: false, cors: false } as const;

      page.addHook('onRequest', async (request, reply) => {
        const counted = await limit(request);
        if (!counted.isAllowed && counted.isExceeded)
          throw new Failure('RATE_LIMITED', 'Too many requests.', { retryAfter: counted.ttlInSeconds });
        if (request.headers.authorization !== undefined) return apologize(reply, staffApology);
        if (request.method === 'POST' && comesFromElsewhere(request, 'own')) return apologize(reply, foreignApology);
      });

      page.setErrorHandler((error, request, reply) => {
        const failure = failureIn(error);
        if (failure?.code === 'RECORD_UNAVAILABLE') reportFault(server.log, request.id, failure);
        const apology = failure ? apologyFor(failure) : null;
        if (failure && apology) {
          if (failure.details.retryAfter) reply.header('retry-after', failure.details.retryAfter);
          return apologize(reply, apology);
        }
        const { statusCode: status = 500 } = error as { statusCode?: number };
        if (!failure && status >= 400 && status < 500) return apologize(reply, { ...unreadableApology, status });
        reportFault(server.log, request.id, error);
        return apologize(reply, unknownApology);
      });

      page.removeAllContentTypeParsers();
      acceptForms(page, { largest: largestForm });

      page.get('/returned', { config }, (_request, reply) => send(reply, 200, pages().returnedPage(options)));
      page.get('/cancelled', { config }, (_request, reply) => send(reply, 200, pages().cancelledPage(options)));

      page.get<{ Params: { token: string } }>('/:token', { config }, async ({ params }, reply) => {
        const began = performance.now();
        const view = token.test(params.token) ? await desk.view(params.token) : null;
        if (view === null) return sendDeadLink(reply, options, began);
        return send(reply, 200, pageOf(view, fillingAtFirst));
      });

      page.post<{ Params: { token: string } }>('/:token', { config }, async (request, reply) => {
        const { params } = request;
        const form = readForm(formOf(request));
        if (form === null) return apologize(reply, unreadableApology);
        const began = performance.now();
        const answer = token.test(params.token) ? await answerOf(form, params.token) : null;
        if (answer === null || answer.outcome === 'dead') return sendDeadLink(reply, options, began);
        return sendAnswer(reply, form, answer);
      });

      page.all('/*', { config }, (_request, reply) => sendDeadLink(reply, options));
    }),
    { prefix },
  );
};
