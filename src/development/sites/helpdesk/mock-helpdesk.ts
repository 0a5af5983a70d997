import type { RequestListener, ServerResponse } from 'node:http';
import { html, type Markup } from '../../../http/html';
import { pageHeaders, pageOf, stylesheet } from '../../../http/page';
import type { MessageRecord, TicketSnapshot } from '../../../upstream/helpdesk/helpdesk.port';
import { demoTickets } from '../../merchant/cast';

/** It looks like somebody else's: what is the gateway's on it is the panel alone. */
const style = stylesheet(`
:root { --ground: #eef4f1; --sheet: #fff; --ink: #1c2a26; --quiet: #4d5f58; --line: #cbd9d2; --band: #17463a; --act: #12614c; --act-pale: #e3f2ec; --focus: #9a4d00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #111815; --sheet: #18211d; --ink: #e5eeea; --quiet: #a9bab3; --line: #33443d; --band: #0d2a22; --act: #7fd3b8; --act-pale: #17342b; --focus: #ffc06b; }
}
header { background: var(--band); color: #fff; padding: .75rem 1rem; }
header p { margin: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; }
header strong { font-size: 1.125rem; }
header a { color: #fff; }
main { max-width: 76rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
.quiet { color: var(--quiet); }
.tickets { list-style: none; margin: 1rem 0 0; padding: 0; background: var(--sheet); border: 1px solid var(--line); border-radius: .375rem; }
.tickets li { padding: .75rem 1rem; }
.tickets li + li { border-top: 1px solid var(--line); }
.tickets span { display: block; color: var(--quiet); font-size: .9375rem; }
.ticket { display: grid; grid-template-columns: minmax(0, 1fr) minmax(20rem, 26rem); gap: 1.5rem; align-items: start; }
@media (max-width: 60rem) { .ticket { grid-template-columns: minmax(0, 1fr); } }
.messages { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; }
.messages li { background: var(--sheet); border: 1px solid var(--line); border-radius: .375rem; padding: .75rem 1rem; }
.messages .staff { background: var(--act-pale); }
.messages p { margin: .25rem 0 0; white-space: pre-wrap; }
aside { position: sticky; top: 1rem; }
h2 { margin: 0 0 .5rem; font-size: 1.0625rem; }
counterfoil-panel { border: 1px solid var(--line); border-radius: .375rem; background: var(--sheet); overflow: hidden; }
`);

export interface MockHelpdesk {
  /** Address of the gateway, as browsers have it. */
  readonly gateway: string;
  /** The name of the demo source. */
  readonly source: string;
  readonly helpdesk: { fetchTicket(reference: string): Promise<TicketSnapshot | null> };
}

const page = (title: string, body: Markup, gateway: string): string =>
  pageOf(
    `${title} · Pretence Desk`,
    style,
    html`<header><p><strong>Pretence Desk</strong> <span>a helpdesk that isn’t one</span> <a href="/">Tickets</a></p></header>
<main>
${body}
</main>`,
    html`<script src="${gateway}/embed/panel.js" async></script>
`,
  );

const timeOf = (at: Date): Markup =>
  html`<time datetime="${at.toISOString()}">${at.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })} UTC</time>`;

const authorOf = ({ author }: MessageRecord): string => {
  if (author.kind === 'CUSTOMER') return author.displayName ?? 'The customer';
  return author.kind === 'STAFF' ? author.reference : 'Pretence Desk';
};

const ticketPage = ({ gateway, source }: MockHelpdesk, { ticket, messages }: TicketSnapshot): string => {
  const { reference, subject, status, team, assignee, customer } = ticket;
  const written = messages.map(
    (message) =>
      html`<li${message.author.kind === 'STAFF' ? html` class="staff"` : null}><b dir="auto">${authorOf(message)}</b> <span class="quiet">${timeOf(message.createdAt)}</span><p dir="auto">${message.body}</p></li>`,
  );
  return page(
    `${reference} ${subject ?? ''}`,
    html`<h1 dir="auto">${subject ?? 'Without a subject'}</h1>
<p class="quiet">${reference} · ${status.toLowerCase()} · ${team ?? 'no team'} · ${assignee === null ? 'nobody’s' : `of ${assignee}`} · ${customer === null ? 'no customer' : (customer.displayName ?? 'a customer')}</p>
<div class="ticket">
<ol class="messages">${written}</ol>
<aside aria-labelledby="panel"><h2 id="panel">Payments</h2><counterfoil-panel source="${source}" reference="${reference}" title="Payments of this ticket"></counterfoil-panel></aside>
</div>`,
    gateway,
  );
};

const listPage = async ({ gateway, helpdesk }: MockHelpdesk): Promise<string> => {
  const rows: Markup[] = [];
  for (const { reference, about } of Object.values(demoTickets)) {
    const found = await helpdesk.fetchTicket(reference);
    if (found)
      rows.push(
        html`<li><a href="/tickets/${reference}">${reference} ${found.ticket.subject ?? 'Without a subject'}</a><span>${about}</span></li>`,
      );
  }
  return page(
    'Tickets',
    html`<h1>Tickets</h1>
<p>A pretended helpdesk on another site than the gateway’s. Its ticket pages hold the panel by two lines of HTML; who reads the panel signs in to the gateway, and this page learns nothing of it.</p>
<ul class="tickets">${rows}</ul>`,
    gateway,
  );
};

/** A small helpdesk whose pages have the panel in them, as a merchant's would. */
export const mockHelpdesk = (desk: MockHelpdesk): RequestListener => {
  const { gateway, helpdesk } = desk;
  const headers = {
    ...pageHeaders(style, "'none'"),
    'content-security-policy': `default-src 'none'; style-src ${style.source}; img-src data:; script-src ${gateway}; frame-src ${gateway}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
  };
  const send = (response: ServerResponse, status: number, text: string): void => {
    response.writeHead(status, headers).end(text);
  };
  const notFound = () => page('Nothing here', html`<h1>There is no such page</h1><p><a href="/">Tickets</a></p>`, gateway);
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    if (path === '/') return send(response, 200, await listPage(desk));
    const reference = /^\/tickets\/(\w{1,20})$/.exec(path)?.[1];
    const found = reference === undefined ? null : await helpdesk.fetchTicket(reference);
    if (found === null) return send(response, 404, notFound());
    send(response, 200, ticketPage(desk, found));
  };
  return (request, response) => {
    answer(new URL(request.url ?? '/', 'http://own.invalid').pathname, response).catch(() =>
      send(response, 503, page('Down', html`<h1>The helpdesk is down</h1><p>It was told to be.</p>`, gateway)),
    );
  };
};
