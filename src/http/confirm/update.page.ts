import type { CredentialUpdateKind } from '../../authz/policy/update-policy';
import {
  type ConfirmationField,
  type ConfirmationView,
  type NewAddress,
  needsAgreement,
} from '../../features/credentials/confirm/confirmation.view';
import { countryCodes } from '../../features/credentials/confirm/country-codes';
import { html, type Markup } from '../html';
import {
  answerButtons,
  codeField,
  field,
  isolated,
  type Merchant,
  type Problems,
  page,
  problemId,
  problemSummary,
  problemsOf,
  sentNotice,
  support,
  untilWhen,
} from './parts';

/** What a page shows beside the view. */
export interface Filling {
  readonly now: Date;
  /** What the customer typed already; null at first. Never a code. */
  readonly address: NewAddress | null;
  readonly problems: Problems<ConfirmationField>;
  /** The customer asked for a code just now, and it was sent. */
  readonly codeWasSent: boolean;
}

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

const change = ({ before, after }: ConfirmationView, afterWord: string): Markup => html`<dl class="change">
<div class="before"><dt>Now</dt><dd>${isolated(before)}</dd></div>
<div class="after"><dt>${afterWord}</dt><dd>${isolated(after)}</dd></div>
</dl>`;

/** Nobody asked for it: the gateway saw that the card ends soon. */
const isUnasked = (view: ConfirmationView): boolean => view.ticket === null;

const unaskedFacts = (view: ConfirmationView, now: Date | null): Markup => html`<dl class="facts">
<div><dt>Why you are asked</dt><dd>${isolated(view.merchant)} noticed that this card ends soon. Nobody asked for a change.</dd></div>
${now === null ? null : untilWhen(view, now)}
</dl>`;

const facts = (view: ConfirmationView, now: Date | null): Markup =>
  view.ticket === null
    ? unaskedFacts(view, now)
    : html`<dl class="facts">
<div><dt>Asked for by</dt><dd>${view.askedBy === null ? html`somebody at ${isolated(view.merchant)}` : html`${isolated(view.askedBy)}, for ${isolated(view.merchant)}`}</dd></div>
<div><dt>Reason given</dt><dd><q>${isolated(view.reason)}</q></dd></div>
<div><dt>Your ticket</dt><dd>${isolated(view.ticket)}</dd></div>
${now === null ? null : untilWhen(view, now)}
</dl>`;

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' });
const countries = [...countryCodes]
  .map((code) => ({ code, name: regionNames.of(code) ?? code }))
  .sort((one, other) => one.name.localeCompare(other.name, 'en'));

const addressFields = (typed: NewAddress | null, problems: Problems<ConfirmationField>): Markup => {
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

/** What the customer says that they asked for, before the method as it is. */
const requests: Readonly<Record<CredentialUpdateKind, string>> = {
  REPLACE_CARD: 'to replace',
  BILLING_ADDRESS: 'to change the billing address of',
  SET_DEFAULT: 'to pay from now on with',
  REMOVE: 'to remove',
};

/** Never ticked beforehand, and not by what was sent before: see `needsAgreement`. */
const agreement = (view: ConfirmationView, problems: Problems<ConfirmationField>): Markup | null => {
  if (!needsAgreement(view)) return null;
  const own = problemsOf('agreed', problems);
  const isWrong = own.length > 0;
  return html`<div class="field">
${isWrong ? html`<p class="problem" id="${problemId('agreed')}">${own}</p>` : null}
<label class="choice" for="agreed"><input id="agreed" name="agreed" type="checkbox" value="yes" required${isWrong ? html` aria-invalid="true" aria-describedby="${problemId('agreed')}"` : null}> <span>${isUnasked(view) ? 'I want' : 'I asked myself'} ${requests[view.kind]} ${isolated(view.before)}</span></label>
</div>`;
};

/** Whether the page of a view has a field. */
const has = (view: ConfirmationView, name: ConfirmationField): boolean =>
  name === 'code'
    ? view.code !== null && view.code.sentTo !== null
    : name === 'agreed'
      ? needsAgreement(view)
      : view.stage === 'ASKED' && view.kind === 'BILLING_ADDRESS';

const no = (view: ConfirmationView): Markup =>
  html`<button class="other" name="answer" value="refuse" formnovalidate>${isUnasked(view) ? 'No, leave it as it is' : 'No, I did not ask for this'}</button>`;

/** The question: what is changed, who asked and why, and the form to answer. */
export const questionPage = (site: Merchant, view: ConfirmationView, filling: Filling): string => {
  const { now, address, problems, codeWasSent } = filling;
  return page(
    site,
    problems.length > 0 ? 'Problem: confirm a change to your payment details' : 'Confirm a change to your payment details',
    html`${problemSummary(problems, (name) => has(view, name))}
${sentNotice(view, codeWasSent)}
<h1>${words[view.kind].question}</h1>
<p>${isUnasked(view) ? html`${isolated(view.merchant)} noticed that your card ends soon.` : html`${isolated(view.merchant)} was asked to change how you pay.`} Nothing changes unless you say yes.${words[view.kind].next === null ? null : ` ${words[view.kind].next}`}</p>
${change(view, 'If you say yes')}
${facts(view, now)}
<p class="care">Say yes only if you ${isUnasked(view) ? 'want' : 'asked for'} this yourself. Nobody at ${isolated(view.merchant)} may ask you to do it for them.</p>
<form method="post">
<input type="hidden" name="shown" value="${view.shown}">
${view.kind === 'BILLING_ADDRESS' ? addressFields(address, problems) : null}
${codeField(site, view, problems, view.stage === 'ASKED')}
${agreement(view, problems)}
${answerButtons(view, words[view.kind].yes, no(view))}
</form>`,
  );
};

/** To the provider's page: a link, as the policy of the page binds where a form may lead; before it the code, where it takes one. */
const onward = (site: Merchant, view: ConfirmationView, problems: Problems<ConfirmationField>): Markup => {
  if (view.continueAt !== null && /^https?:\/\//i.test(view.continueAt))
    return html`<p class="answers"><a class="button" rel="noreferrer" href="${view.continueAt}">Go on to the payment provider</a></p>`;
  if (view.code === null)
    return html`<p class="notice">The payment provider’s page is not ready yet. <a href="">Open your link again</a> in a few minutes.</p>`;
  return html`<form method="post">
<input type="hidden" name="shown" value="${view.shown}">
${codeField(site, view, problems, view.stage === 'ASKED')}
${answerButtons(view, 'Go on', null)}
</form>`;
};

/** Confirmed, and the new card is still to be entered. */
export const continuePage = (site: Merchant, view: ConfirmationView, { now, problems, codeWasSent }: Filling): string =>
  page(
    site,
    problems.length > 0 ? 'Problem: enter your new card' : 'Enter your new card',
    html`${problemSummary(problems, (name) => has(view, name))}
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
${isUnasked(view) ? null : html`<p class="care">If you did not ask for it, somebody may have pretended to be you. Then ${support(site)}.</p>`}`,
  );
