import { html, Markup } from '../../../http/html';
import { pageOf, stylesheet } from '../../../http/page';
import { type SetupCard, type SetupCardName, setupCards } from '../../sources/setup-cards';

/** It looks like somebody else's: customers see that they left the merchant. */
export const setupStyle = stylesheet(`
:root { --ground: #f4efe4; --sheet: #fffdf8; --ink: #22301f; --quiet: #55604f; --line: #cfc7b4; --band: #1f4d36; --act: #1f6b45; --act-pale: #e6f0e4; --wrong: #8c2416; --wrong-pale: #fbeae5; --focus: #9a4d00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #141a13; --sheet: #1d251c; --ink: #e9eee4; --quiet: #b0bba8; --line: #3c4a39; --band: #0f2a1c; --act: #8fd6ad; --on-act: #10261a; --act-pale: #20382a; --wrong: #ffb3a3; --wrong-pale: #3c1f19; --focus: #ffc06b; }
}
body { font: 1rem/1.5 Georgia, 'Times New Roman', serif; }
header { background: var(--band); color: #fff; padding: .875rem 1rem; border-bottom: .375rem double #c9a227; }
header p { max-width: 32rem; margin: 0 auto; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
header strong { font-size: 1.25rem; letter-spacing: .02em; }
header span { color: #e4ecdf; align-self: center; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { margin: 0 0 .75rem; font-weight: 600; }
p { margin: 0 0 1rem; }
fieldset { border: 0; margin: 1.25rem 0 0; padding: 0; min-width: 0; }
legend { padding: 0; font-weight: 600; margin-bottom: .5rem; }
label { display: grid; grid-template-columns: auto 1fr; gap: 0 .75rem; padding: .75rem 1rem; background: var(--sheet); border: 1px solid var(--line); border-bottom-width: 0; cursor: pointer; }
label:first-of-type { border-radius: .25rem .25rem 0 0; }
label:last-of-type { border-bottom-width: 1px; border-radius: 0 0 .25rem .25rem; }
label:has(:checked) { background: var(--act-pale); }
label input { grid-row: span 2; align-self: center; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--act); }
label span { color: var(--quiet); font-size: .9375rem; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem 1.5rem; margin-top: 1.5rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.5rem; border: 2px solid var(--act); border-radius: .25rem; background: var(--act); color: var(--on-act); cursor: pointer; }
button.other { background: transparent; color: var(--act); }
a { text-underline-offset: .2em; padding: .375rem 0; }
.said { background: var(--wrong-pale); color: var(--wrong); border-left: .25rem solid var(--wrong); padding: .75rem 1rem; }
`);

const brands: Readonly<Record<SetupCard['brand'], string>> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  amex: 'American Express',
};

const page = (title: string, content: Markup): string =>
  pageOf(
    `${title} · Pretence Pay`,
    setupStyle,
    html`<header><p><strong>Pretence Pay</strong> <span>a payment provider that isn’t one</span></p></header>
<main>
${content}
</main>`,
  );

export interface SetupPageView {
  /** The merchant's name. */
  readonly merchant: string;
  readonly cancelUrl: string;
}

const goBack = ({ merchant, cancelUrl }: SetupPageView): Markup =>
  html`<a href="${cancelUrl}" rel="noreferrer">Go back to ${merchant} without a card</a>`;

const option = (name: SetupCardName, chosen: SetupCardName | null): Markup => {
  const { brand, last4, about } = setupCards[name];
  const checked = name === chosen ? new Markup(' checked') : null;
  return html`<label><input type="radio" name="card" value="${name}" required${checked}><b>${brands[brand]} •••• ${last4}</b><span>${about}</span></label>
`;
};

/** Where the customer chooses a card. `said` is why the one before was not taken. */
export const choosePage = (view: SetupPageView, chosen: SetupCardName | null = null, said: string | null = null): string =>
  page(
    said === null ? 'Your new card' : 'Not taken',
    html`<h1>Your new card for ${view.merchant}</h1>
${said === null ? null : html`<p class="said" role="alert">${said}</p>`}
<p>A real payment provider asks for the card’s number here, where the merchant can’t see it. This one is for trying things out: choose a card that behaves as you need it. There is nothing to type, and nothing is charged.</p>
<form method="post">
<fieldset>
<legend>Choose a card</legend>
${(Object.keys(setupCards) as SetupCardName[]).map((name) => option(name, chosen))}</fieldset>
<div class="actions"><button type="submit">Use this card</button> ${goBack(view)}</div>
</form>`,
  );

/** Where the issuer of the chosen card asks its holder. */
export const issuerPage = (view: SetupPageView, name: SetupCardName): string => {
  const { brand, last4 } = setupCards[name];
  return page(
    'Is it you?',
    html`<h1>The issuer of your card asks: is it you?</h1>
<p>${view.merchant} wants to keep ${brands[brand]} •••• ${last4}. In life your bank’s app or a code would ask you this (3-D Secure).</p>
<form method="post">
<input type="hidden" name="card" value="${name}">
<div class="actions"><button type="submit" name="holder" value="approves">Yes, it’s me</button> <button class="other" type="submit" name="holder" value="refuses">No</button></div>
</form>`,
  );
};

/** The setup has its card: nothing is left to do here. */
export const donePage = ({ merchant }: SetupPageView, returnUrl: string): string =>
  page(
    'Done',
    html`<h1>Your card was entered</h1>
<p>Nothing is left to do on this page.</p>
<p><a href="${returnUrl}" rel="noreferrer">Continue at ${merchant}</a></p>`,
  );

export const expiredPage = (view: SetupPageView): string =>
  page(
    'Too late',
    html`<h1>The time for this page is over</h1>
<p>No card was entered and nothing was changed.</p>
<p>${goBack(view)}</p>`,
  );

export const unknownPage = (): string =>
  page(
    'Nothing here',
    html`<h1>There is no such page</h1>
<p>The address may be incomplete or too old. Go back to the message that brought you here, or ask the merchant for a new one.</p>`,
  );

export const downPage = (): string =>
  page(
    'Out of order',
    html`<h1>We can’t be reached at the moment</h1>
<p>No card was entered and nothing was changed. Try again in a few minutes.</p>`,
  );
