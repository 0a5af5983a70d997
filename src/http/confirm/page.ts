import type { CredentialUpdateKind } from '../../authz/policy/update-policy';
import {
  type ConfirmationAnswer,
  type ConfirmationField,
  type ConfirmationView,
  type NewAddress,
  needsAgreement,
} from '../../features/credentials/confirm/confirmation.view';
import { countryCodes } from '../../features/credentials/confirm/country-codes';
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

export type Problems = Extract<ConfirmationAnswer, { outcome: 'again' }>['problems'];

/** What a page shows beside the view. */
export interface Filling {
  readonly now: Date;
  /** What the customer typed already; null at first. Never a code. */
  readonly address: NewAddress | null;
  readonly problems: Problems;
  /** The customer asked for a code just now, and it was sent. */
  readonly codeWasSent: boolean;
}

/** A text of others: escaped, and kept from turning the words around it (Unicode TR9). */
const isolated = (text: string): Markup => html`<bdi>${text}</bdi>`;

const support = ({ merchant, supportUrl }: Merchant): Markup =>
  supportUrl !== null && /^(?:https|mailto):/i.test(supportUrl)
    ? html`<a href="${supportUrl}" rel="noreferrer">contact ${isolated(merchant)}</a>`
    : html`contact ${isolated(merchant)} in the way you usually do`;

const page = (site: Merchant, title: string, content: Markup): string =>
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

/** What is asked, what the answer says that will be done, and what happens next where that isn't all. */
const words: Readonly<
  Record<CredentialUpdateKind, { readonly question: string; readonly yes: string; readonly next: string | null }>
> = {
  REPLACE_CARD: {
    question: 'Replace your card?',
    yes: 'Yes, replace this card',
    next: 'You enter the new card in the next step, at the payment provider.',
  },
  BILLING_ADDRESS: { question: 'Change your billing address?', yes: 'Yes, use this address', next: null },
  SET_DEFAULT: { question: 'Change your default payment method?', yes: 'Yes, make this my default', next: null },
  REMOVE: { question: 'Remove this payment method?', yes: 'Yes, remove this payment method', next: null },
};

const instant = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

/** How long from now, rounded down: nobody comes too late for it. */
const fromNow = (until: Date, now: Date): string => {
  const minutes = Math.floor((until.getTime() - now.getTime()) / 60_000);
  if (minutes < 2) return 'in about a minute';
  if (minutes < 120) return `in about ${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours < 72 ? `in about ${hours} hours` : `in about ${Math.floor(hours / 24)} days`;
};

const change = ({ before, after }: ConfirmationView, afterWord: string): Markup => html`<dl class="change">
<div class="before"><dt>Now</dt><dd>${isolated(before)}</dd></div>
<div class="after"><dt>${afterWord}</dt><dd>${isolated(after)}</dd></div>
</dl>`;

const facts = (view: ConfirmationView, now: Date | null): Markup => html`<dl class="facts">
<div><dt>Asked for by</dt><dd>${view.askedBy === null ? html`somebody at ${isolated(view.merchant)}` : html`${isolated(view.askedBy)}, for ${isolated(view.merchant)}`}</dd></div>
<div><dt>Reason given</dt><dd><q>${isolated(view.reason)}</q></dd></div>
<div><dt>Your ticket</dt><dd>${isolated(view.ticket)}</dd></div>
${now === null ? null : html`<div><dt>This link works until</dt><dd><time datetime="${view.expiresAt.toISOString()}">${instant.format(view.expiresAt)} UTC</time> <span class="together">(${fromNow(view.expiresAt, now)})</span></dd></div>`}
</dl>`;

const problemId = (field: ConfirmationField): string => `${field}-problem`;

const problemsOf = (field: ConfirmationField, problems: Problems): Markup[] =>
  problems
    .filter((problem) => problem.field === field)
    .map(({ message }) => html`<span class="problem">${isolated(message)}</span> `);

/** One labelled control with its hint and its problems, which the control refers to. */
const field = (
  name: ConfirmationField,
  label: string,
  hint: Markup | null,
  problems: Problems,
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

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' });
const countries = [...countryCodes]
  .map((code) => ({ code, name: regionNames.of(code) ?? code }))
  .sort((one, other) => one.name.localeCompare(other.name, 'en'));

const addressFields = (typed: NewAddress | null, problems: Problems): Markup => {
  const input =
    (name: keyof NewAddress, autocomplete: string, isRequired: boolean, className = '') =>
    (attributes: Markup) =>
      html`<input ${attributes} type="text" dir="auto" maxlength="200" autocomplete="billing ${autocomplete}" class="${className}" value="${typed?.[name] ?? ''}"${isRequired ? html` required` : null}>`;
  return html`<fieldset>
<legend>Your new billing address</legend>
${field('line1', 'Street and house number', null, problems, input('line1', 'address-line1', true))}
${field('line2', 'More, such as a flat or a company (optional)', null, problems, input('line2', 'address-line2', false))}
${field('city', 'Town or city', null, problems, input('city', 'address-level2', true))}
${field('state', 'State, province, prefecture or county (where your country uses them)', null, problems, input('state', 'address-level1', false))}
${field('postalCode', 'Postal code (where your country has them)', null, problems, input('postalCode', 'postal-code', false, 'short'))}
${field(
  'country',
  'Country',
  null,
  problems,
  (attributes) =>
    html`<select ${attributes} autocomplete="billing country" required>
<option value="">Choose a country</option>
${countries.map(({ code, name }) => html`<option value="${code}"${typed?.country === code ? html` selected` : null}>${name}</option>`)}
</select>`,
)}
</fieldset>`;
};

const codeField = (site: Merchant, { code, merchant, stage }: ConfirmationView, problems: Problems): Markup | null => {
  if (code === null) return null;
  if (code.sentTo === null)
    return html`<div class="notice"><h2>You need a code to ${stage === 'ASKED' ? 'say yes' : 'go on'}</h2>
<p>${
      code.sendsLeft > 0
        ? html`It is sent to the telephone that ${isolated(merchant)} has for your payments.`
        : html`No more codes can be sent for this link: ${support(site)}.`
    }${stage === 'ASKED' ? ' Saying no needs no code.' : null}</p></div>`;
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

/** What the customer says that they asked for, before the method as it is. */
const requests: Readonly<Record<CredentialUpdateKind, string>> = {
  REPLACE_CARD: 'to replace',
  BILLING_ADDRESS: 'to change the billing address of',
  SET_DEFAULT: 'to pay from now on with',
  REMOVE: 'to remove',
};

/** Never ticked beforehand, and not by what was sent before: see `needsAgreement`. */
const agreement = (view: ConfirmationView, problems: Problems): Markup | null => {
  if (!needsAgreement(view)) return null;
  const own = problemsOf('agreed', problems);
  const isWrong = own.length > 0;
  return html`<div class="field">
${isWrong ? html`<p class="problem" id="${problemId('agreed')}">${own}</p>` : null}
<label class="choice" for="agreed"><input id="agreed" name="agreed" type="checkbox" value="yes" required${isWrong ? html` aria-invalid="true" aria-describedby="${problemId('agreed')}"` : null}> <span>I asked myself ${requests[view.kind]} ${isolated(view.before)}</span></label>
</div>`;
};

/** The first button is what Enter in a field presses: to say yes, or, before that is possible, to get a code. */
const answerButtons = ({ code }: ConfirmationView, yes: string, other: Markup | null): Markup => {
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

const problemSummary = (view: ConfirmationView, problems: Problems): Markup | null => {
  if (problems.length === 0) return null;
  const hasField = (name: ConfirmationField) =>
    name === 'code'
      ? view.code !== null && view.code.sentTo !== null
      : name === 'agreed'
        ? needsAgreement(view)
        : view.stage === 'ASKED' && view.kind === 'BILLING_ADDRESS';
  return html`<div class="problems" role="alert" tabindex="-1" autofocus aria-labelledby="problems-title">
<h2 id="problems-title">Nothing was changed yet</h2>
<ul>${problems.map(({ field: name, message }) => html`<li>${name !== null && hasField(name) ? html`<a href="#${name}">${isolated(message)}</a>` : isolated(message)}</li>`)}</ul>
</div>`;
};

const sentNotice = ({ code }: ConfirmationView, codeWasSent: boolean): Markup | null =>
  codeWasSent && code !== null && code.sentTo !== null
    ? html`<p class="notice" role="status">A code is on its way to ${isolated(code.sentTo)}.</p>`
    : null;

const no = html`<button class="other" name="answer" value="refuse" formnovalidate>No, I did not ask for this</button>`;

/** The question: what is changed, who asked and why, and the form to answer. */
export const questionPage = (site: Merchant, view: ConfirmationView, filling: Filling): string => {
  const { now, address, problems, codeWasSent } = filling;
  return page(
    site,
    problems.length > 0 ? 'Problem: confirm a change to your payment details' : 'Confirm a change to your payment details',
    html`${problemSummary(view, problems)}
${sentNotice(view, codeWasSent)}
<h1>${words[view.kind].question}</h1>
<p>${isolated(view.merchant)} was asked to change how you pay. Nothing changes unless you say yes.${words[view.kind].next === null ? null : ` ${words[view.kind].next}`}</p>
${change(view, 'If you say yes')}
${facts(view, now)}
<p class="care">Say yes only if you asked for this yourself. Nobody at ${isolated(view.merchant)} may ask you to do it for them.</p>
<form method="post">
<input type="hidden" name="shown" value="${view.shown}">
${view.kind === 'BILLING_ADDRESS' ? addressFields(address, problems) : null}
${codeField(site, view, problems)}
${agreement(view, problems)}
${answerButtons(view, words[view.kind].yes, no)}
</form>`,
  );
};

/** To the provider's page: a link, as the policy of the page binds where a form may lead; before it the code, where it takes one. */
const onward = (site: Merchant, view: ConfirmationView, problems: Problems): Markup => {
  if (view.continueAt !== null && /^https?:\/\//i.test(view.continueAt))
    return html`<p class="answers"><a class="button" rel="noreferrer" href="${view.continueAt}">Go on to the payment provider</a></p>`;
  if (view.code === null)
    return html`<p class="notice">The payment provider’s page is not ready yet. <a href="">Open your link again</a> in a few minutes.</p>`;
  return html`<form method="post">
<input type="hidden" name="shown" value="${view.shown}">
${codeField(site, view, problems)}
${answerButtons(view, 'Go on', null)}
</form>`;
};

/** Confirmed, and the new card is still to be entered. */
export const continuePage = (site: Merchant, view: ConfirmationView, { now, problems, codeWasSent }: Filling): string =>
  page(
    site,
    problems.length > 0 ? 'Problem: enter your new card' : 'Enter your new card',
    html`${problemSummary(view, problems)}
${sentNotice(view, codeWasSent)}
<h1>Enter your new card</h1>
<p>You said yes. The new card is entered at the payment provider of ${isolated(view.merchant)}, not here. Until you have done that, your card stays as it is.</p>
${change(view, 'Then')}
${facts(view, now)}
${onward(site, view, problems)}`,
  );

/** After a yes that is complete. */
export const confirmedPage = (site: Merchant, view: ConfirmationView, waitsForApproval: boolean): string =>
  page(
    site,
    'You confirmed the change',
    html`<h1>Thank you, you confirmed this change</h1>
<p>${
      waitsForApproval
        ? html`Somebody else at ${isolated(view.merchant)} checks it once more before it is made.`
        : html`It is made as soon as the payment provider answers.`
    } Nothing more is to be done; you can close this page.</p>
${change(view, 'What you said yes to')}
${facts(view, null)}`,
  );

/** After a no. */
export const refusedPage = (site: Merchant, view: ConfirmationView): string =>
  page(
    site,
    'You refused the change',
    html`<h1>You said no, nothing was changed</h1>
<p>${isolated(view.merchant)} is told that you did not want this. Nothing more is to be done; you can close this page.</p>
${change(view, 'What you said no to')}
${facts(view, null)}
<p class="care">If you did not ask for it, somebody may have pretended to be you. Then ${support(site)}.</p>`,
  );

/** The one answer for a link that can't be used: unknown, used, expired and cancelled look the same. */
export const deadPage = (site: Merchant): string =>
  page(
    site,
    'This link cannot be used',
    html`<h1>This link can’t be used</h1>
<p>If you answered already, nothing more is to be done.</p>
<p>Otherwise it may have run out or been called off, or a part of the address is missing. Copy it as a whole from the message; if that doesn’t help, ${support(site)} and ask for a new one.</p>`,
  );

/** Where the provider sends the browser once the card was entered there. It says nothing of whether that is so. */
export const returnedPage = (site: Merchant): string =>
  page(
    site,
    'Back from the payment provider',
    html`<h1>You are back from the payment provider</h1>
<p>If you entered your new card there, it is being checked and nothing more is to be done. You can close this page.</p>
<p>If you did not finish, open the link in your message again.</p>`,
  );

/** Where the provider sends the browser of whoever left its page. */
export const cancelledPage = (site: Merchant): string =>
  page(
    site,
    'You left the payment provider',
    html`<h1>You left the payment provider’s page</h1>
<p>No new card was entered, and yours stays as it is.</p>
<p>To go on, open the link in your message again.</p>`,
  );

/** What a request that was not carried out is told. `advice` says what to do next. */
export const apologyPage = (site: Merchant, title: string, advice: string): string =>
  page(
    site,
    title,
    html`<h1>${title}</h1>
<p>${advice}</p>`,
  );
