import type { FastifyInstance } from 'fastify';
import type { App } from '../../app';
import { Failure } from '../../failure';
import { html, type Markup } from '../../http/html';
import { pageHeaders, pageOf, stylesheet } from '../../http/page';
import { comesFromHere, loopbackNames } from '../../http/same-origin';
import { type OutboxMessage, readOutbox } from '../outbox/outbox-files';

/** Messages on the page. */
const shownMessages = 50;

const style = stylesheet(`
header, main { max-width: 46rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
nav { display: flex; gap: 1.25rem; margin-bottom: 1rem; }
h2 { margin: 0; font-size: 1.0625rem; line-height: 1.4; }
p { margin: 0; }
.note { margin-top: .875rem; border: 1px solid var(--act); border-radius: .625rem; background: var(--act-pale); padding: .75rem 1rem; margin-bottom: 1.5rem; }
.none, .more { color: var(--quiet); padding: 1rem 0; }
article { background: var(--sheet); border: 1px solid var(--line); border-radius: .625rem; padding: .875rem 1rem 1rem; margin-bottom: 1rem; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; color: var(--quiet); font-size: .9375rem; margin-bottom: .375rem; }
pre { margin: .75rem 0 0; padding-top: .75rem; border-top: 1px solid var(--line); font: inherit; white-space: pre-wrap; }
`);

/** Whether an address leads to this gateway: to where links of ours lead or, where nobody named that, to this machine by another name. */
const leadsHere = (address: string, { config, publicUrl }: App, host: string): boolean => {
  if (!URL.canParse(address)) return false;
  const { origin, protocol, hostname, port, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  const isLoopback = protocol === 'http:' && loopbackNames.has(hostname) && port === new URL(`http://${host}`).port;
  return origin === new URL(publicUrl).origin || (config.publicUrl === null && isLoopback);
};

/** The text with our own addresses as links; what follows a sentence's end belongs to the sentence. */
const withLinks = (text: string, isOurs: (address: string) => boolean): readonly Markup[] =>
  text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/)
    .map((part, index) =>
      index % 2 === 1 && isOurs(part) ? html`<a href="${part}" rel="noreferrer">${part}</a>` : html`${part}`,
    );

const timeOf = (at: Date): string =>
  `${at.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })} UTC`;

const messageMarkup = (
  { kind, to, at, subject, text }: OutboxMessage,
  isOurs: (address: string) => boolean,
): Markup => html`<article>
<div class="head"><span>${kind === 'mail' ? 'Mail to' : 'To'} ${to}</span> <time datetime="${at.toISOString()}">${timeOf(at)}</time></div>
<h2>${subject ?? 'Short message'}</h2>
<pre>${withLinks(text, isOurs)}</pre>
</article>
`;

type Way = 'sent' | 'written' | 'nowhere';
const wayWords: Readonly<Record<Way, string>> = {
  sent: 'sent, as counterfoil.yaml says',
  written: 'not sent: each becomes a file and is shown here',
  nowhere: 'neither sent nor kept: counterfoil.yaml names no channel for them',
};
const wayOf = (isSent: boolean, isWritten: boolean): Way => (isSent ? 'sent' : isWritten ? 'written' : 'nowhere');

const whereItGoes = ({ delivery, channels }: App['config']): string => {
  const mail = wayOf(delivery.mail !== null, channels.mail);
  const sms = wayOf(delivery.sms !== null, channels.sms);
  return mail === sms
    ? `Mails and short messages with codes are ${wayWords[mail]}.`
    : `Mails are ${wayWords[mail]}. Short messages with codes are ${wayWords[sms]}.`;
};

const page = (app: App, messages: readonly OutboxMessage[], host: string): string => {
  const { config } = app;
  const isOurs = (address: string) => leadsHere(address, app, host);
  return pageOf(
    'Mail and codes (development)',
    style,
    html`<header>
<nav aria-label="Development"><a href="/">Console</a> <a href="/explorer">Explorer</a> <a href="/development/mail">Look again</a></nav>
<h1>Mail and codes</h1>
<p class="note">This is development. ${whereItGoes(config)} The files are in <code>${config.delivery.folder}</code>. In production customers get what is sent, no copy is kept, and this page does not exist.</p>
</header>
<main>
${messages.length === 0 ? html`<p class="none">Nothing yet. Once an agent requests a credential update, the customer’s link appears here.</p>` : null}
${messages.map((message) => messageMarkup(message, isOurs))}
${messages.length === shownMessages ? html`<p class="more">The newest ${shownMessages}; older ones are in the folder.</p>` : null}
</main>`,
  );
};

/** What development writes in place of mail and short messages, as a page. Registered outside production only. */
export const developmentMailRoutes = (app: App) => async (server: FastifyInstance) => {
  server.get('/development/mail', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (!comesFromHere(request)) {
      throw new Failure('DENIED', 'Links and codes are shown to this machine only.', {
        remedy: 'Open the page as http://127.0.0.1 on the machine that runs the gateway.',
      });
    }
    const messages = await readOutbox(app.config.delivery.folder, shownMessages);
    return reply.headers(pageHeaders(style, "'none'")).send(page(app, messages, request.headers.host ?? ''));
  });
};
