import type { RecognitionView } from '../../features/recognitions/recognition.view';
import { html, type Markup } from '../html';
import {
  instant,
  isolated,
  type Merchant,
  type Problems,
  page,
  problemId,
  problemSummary,
  problemsOf,
  support,
  untilWhen,
} from './parts';
import type { Filling } from './update.page';

/** With the currency's code: a sign alone stands for several currencies. Its decimals are those of ISO 4217. */
const amountOf = ({ minorUnits, currency }: RecognitionView['payment']): string => {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' });
  return format.format(minorUnits / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
};

const methodOf = ({ brand, last4 }: RecognitionView['payment']): string | null => {
  const name = brand === null ? null : `${brand.charAt(0).toUpperCase()}${brand.slice(1)}`;
  const number = last4 === null ? null : `•••• ${last4}`;
  return name === null && number === null ? null : [name ?? 'Card', number].filter((part) => part !== null).join(' ');
};

/** The payment, as it was when the question was asked. */
const payment = ({ payment: of, merchant }: RecognitionView): Markup => {
  const at = new Date(of.at);
  const method = methodOf(of);
  return html`<dl class="payment">
<div><dt>Amount</dt><dd>${isolated(amountOf(of))}</dd></div>
<div><dt>Paid to</dt><dd>${isolated(merchant)}</dd></div>
<div><dt>When</dt><dd><time datetime="${at.toISOString()}">${instant.format(at)} UTC</time></dd></div>
${method === null ? null : html`<div><dt>Paid with</dt><dd>${isolated(method)}</dd></div>`}
${of.order === null ? null : html`<div><dt>For</dt><dd>${isolated(of.order)}</dd></div>`}
</dl>`;
};

const facts = (view: RecognitionView, now: Date | null): Markup => html`<dl class="facts">
<div><dt>Asked by</dt><dd>${view.askedBy === null ? html`somebody at ${isolated(view.merchant)}` : html`${isolated(view.askedBy)}, for ${isolated(view.merchant)}`}</dd></div>
<div><dt>Your ticket</dt><dd>${isolated(view.ticket)}</dd></div>
${now === null ? null : untilWhen(view, now)}
</dl>`;

/** Never ticked beforehand, and needed for either answer: a program that opens links and presses buttons answers nothing. */
const agreement = (problems: Problems<string>): Markup => {
  const own = problemsOf('agreed', problems);
  const isWrong = own.length > 0;
  return html`<div class="field">
${isWrong ? html`<p class="problem" id="${problemId('agreed')}">${own}</p>` : null}
<label class="choice" for="agreed"><input id="agreed" name="agreed" type="checkbox" value="yes" required${isWrong ? html` aria-invalid="true" aria-describedby="${problemId('agreed')}"` : null}> <span>I looked at this payment myself</span></label>
</div>`;
};

/** The question, and the two answers, of which none looks like the usual one. */
export const paymentPage = (
  site: Merchant,
  view: RecognitionView,
  { now, problems }: Pick<Filling, 'now'> & { readonly problems: Problems<string> },
): string =>
  page(
    site,
    problems.length > 0 ? 'Problem: was this payment you?' : 'Was this payment you?',
    html`${problemSummary(problems, (name) => name === 'agreed')}
<h1>Was this payment you?</h1>
<p>${isolated(view.merchant)} wants to know whether you made this payment. It is not complete yet.</p>
${payment(view)}
${facts(view, now)}
<p class="care">Nobody at ${isolated(view.merchant)} may ask you for a certain answer. If you are not sure, ${support(site)} first. If you say no, the payment is held for a while so that somebody can look at it.</p>
<form method="post">
<input type="hidden" name="shown" value="${view.shown}">
${agreement(problems)}
<div class="answers even">
<button class="other" name="answer" value="confirm">Yes, I made this payment</button>
<button class="other" name="answer" value="refuse">No, this was not me</button>
</div>
</form>`,
  );

/** After a yes. */
export const recognizedPage = (site: Merchant, view: RecognitionView): string =>
  page(
    site,
    'You made this payment',
    html`<h1>Thank you, you said that this payment is yours</h1>
<p>Nothing more is to be done; you can close this page.</p>
${payment(view)}
${facts(view, null)}`,
  );

/** After a no. It promises nothing that a provider may not be able to do. */
export const disownedPage = (site: Merchant, view: RecognitionView): string =>
  page(
    site,
    'You did not make this payment',
    html`<h1>Thank you, you said that this payment is not yours</h1>
<p>${isolated(view.merchant)} is told at once and looks at it before anything more is done with it, as far as it can still be stopped.</p>
${payment(view)}
${facts(view, null)}
<p class="care">Somebody may be using your card or your account. Call the bank that issued your card, change the password of your account, and ${support(site)} if anything else looks wrong.</p>`,
  );
