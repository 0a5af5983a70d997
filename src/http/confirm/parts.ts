import type { Again, InvitationView } from '../../features/invitations/invitation.view';
import { html, Markup } from '../html';
import { pageOf } from '../page';
import { style } from './style';

/** Whose page it is, as the configuration has it. */
export interface Merchant {
  /** As customers know it. */
  readonly merchant: string;
  /** Where a customer turns to who is unsure; `https:` or `mailto:`. */
  readonly supportUrl: string | null;
}

/** What hinders an answer. */
export type Problems<Field extends string> = Again<InvitationView, Field>['problems'];

/** A text of others: escaped, and kept from turning the words around it (Unicode TR9). */
export const isolated = (text: string): Markup => html`<bdi>${text}</bdi>`;

/** Where a customer turns to who is unsure. */
export const support = ({ merchant, supportUrl }: Merchant): Markup =>
  supportUrl !== null && /^(?:https|mailto):/i.test(supportUrl)
    ? html`<a href="${supportUrl}" rel="noreferrer">contact ${isolated(merchant)}</a>`
    : html`contact ${isolated(merchant)} in the way you usually do`;

/** A page with the merchant's name above it. */
export const page = (site: Merchant, title: string, content: Markup): string =>
  pageOf(
    title,
    style,
    html`<header>${isolated(site.merchant)}</header>
<main>
${content}
</main>
<footer>
<p>This page never asks for a card number or a password. If something looks wrong, ${support(site)}.</p>
</footer>`,
    html`<meta name="format-detection" content="telephone=no, date=no, email=no, address=no">
`,
  );

export const instant = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

/** How long from now, rounded down: nobody comes too late for it. */
const fromNow = (until: Date, now: Date): string => {
  const minutes = Math.floor((until.getTime() - now.getTime()) / 60_000);
  if (minutes < 2) return 'in about a minute';
  if (minutes < 120) return `in about ${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours < 72 ? `in about ${hours} hours` : `in about ${Math.floor(hours / 24)} days`;
};

/** Until when the link works. */
export const untilWhen = ({ expiresAt }: InvitationView, now: Date): Markup =>
  html`<div><dt>This link works until</dt><dd><time datetime="${expiresAt.toISOString()}">${instant.format(expiresAt)} UTC</time> <span class="together">(${fromNow(expiresAt, now)})</span></dd></div>`;

export const problemId = (field: string): string => `${field}-problem`;

/** What is said beside a field. */
export const problemsOf = (field: string, problems: Problems<string>): Markup[] =>
  problems
    .filter((problem) => problem.field === field)
    .map(({ message }) => html`<span class="problem">${isolated(message)}</span> `);

/** One labelled control with its hint and its problems, which the control refers to. */
export const field = (
  name: string,
  label: string,
  hint: Markup | null,
  problems: Problems<string>,
  control: (attributes: Markup) => Markup,
): Markup => {
  const own = problemsOf(name, problems);
  const described = [...(own.length > 0 ? [problemId(name)] : []), ...(hint === null ? [] : [`${name}-hint`])].join(' ');
  const attributes = html`id="${name}" name="${name}"${described === '' ? null : html` aria-describedby="${described}"`}${own.length > 0 ? html` aria-invalid="true"` : null}`;
  return html`<div class="field">
<label for="${name}">${label}</label>
${hint === null ? null : html`<p class="hint" id="${name}-hint">${hint}</p>`}
${own.length === 0 ? null : html`<p class="problem" id="${problemId(name)}">${own}</p>`}
${control(attributes)}
</div>`;
};

/** Where the code is entered, or, before one was sent, what it is for. `isForYes`: it is what a yes takes, and a no is possible. */
export const codeField = (
  site: Merchant,
  { code, merchant }: InvitationView,
  problems: Problems<string>,
  isForYes: boolean,
): Markup | null => {
  if (code === null) return null;
  if (code.sentTo === null)
    return html`<div class="notice"><h2>You need a code to ${isForYes ? 'say yes' : 'go on'}</h2>
<p>${
      code.sendsLeft > 0
        ? html`It is sent to the telephone that ${isolated(merchant)} has for your payments.`
        : html`No more codes can be sent for this link: ${support(site)}.`
    }${isForYes ? ' Saying no needs no code.' : null}</p></div>`;
  const hint = html`Sent to ${isolated(code.sentTo)}. You have ${code.triesLeft === 1 ? '1 try' : `${code.triesLeft} tries`} left. Tell it to nobody, not even to ${isolated(merchant)}.`;
  return field(
    'code',
    'Code from the message',
    hint,
    problems,
    (attributes) =>
      html`<input ${attributes} class="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="16" required>`,
  );
};

/** The first button is what Enter in a field presses: to say yes, or, before that is possible, to get a code. */
export const answerButtons = ({ code }: InvitationView, yes: string, other: Markup | null): Markup => {
  const isCodeMissing = code !== null && code.sentTo === null;
  const canSend = code !== null && code.sendsLeft > 0;
  const first = isCodeMissing
    ? canSend && html`<button name="answer" value="send-code" formnovalidate>Send me the code</button>`
    : html`<button name="answer" value="confirm">${yes}</button>`;
  return html`<div class="answers">
${first || null}
${other}
</div>
${
  !isCodeMissing && canSend
    ? html`<div class="again"><p>No message after a few minutes?</p>
<button class="other" name="answer" value="send-code" formnovalidate>Send a new code</button></div>`
    : null
}`;
};

/** What hinders an answer, each with a link to the field that it is about where the page has it. */
export const problemSummary = <Field extends string>(
  problems: Problems<Field>,
  hasField: (name: Field) => boolean,
): Markup | null => {
  if (problems.length === 0) return null;
  return html`<div class="problems" role="alert" tabindex="-1" autofocus aria-labelledby="problems-title">
<h2 id="problems-title">Nothing was changed yet</h2>
<ul>${problems.map(({ field: name, message }) => html`<li>${name !== null && hasField(name) ? html`<a href="#${name}">${isolated(message)}</a>` : isolated(message)}</li>`)}</ul>
</div>`;
};

/** Says that a code was sent just now. */
export const sentNotice = ({ code }: InvitationView, codeWasSent: boolean): Markup | null =>
  codeWasSent && code !== null && code.sentTo !== null
    ? html`<p class="notice" role="status">A code is on its way to ${isolated(code.sentTo)}.</p>`
    : null;
