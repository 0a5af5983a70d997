import { html, Markup } from '../../../http/html';
import { pageOf, stylesheet } from '../../../http/page';
import { type ProviderRefusal, providerRefusals } from '../../../upstream/payments/payments.port';
import { demoTickets } from '../../merchant/cast';
import { type DemoFault, type FaultTarget, faultTargets } from '../../sources/demo-faults';
import type { DemoNote } from '../../sources/demo-helpdesk';
import type { DemoExecution } from '../../sources/demo-state';

export const faultsStyle = stylesheet(`
header, main { max-width: 58rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
main { padding-bottom: 3rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-bottom: 1rem; }
h2 { margin: 2rem 0 .75rem; font-size: 1.1875rem; line-height: 1.3; }
h3 { margin: 0; font-size: 1rem; }
.state { border: 1px solid var(--act); border-radius: .625rem; background: var(--act-pale); padding: .75rem 1rem; }
.state.off { border-color: var(--wrong); background: var(--wrong-pale); }
.state p, .state ul { margin: 0; }
.state ul { padding-left: 1.25rem; }
.state form { display: inline-block; margin: .75rem .5rem 0 0; }
.forms { display: grid; grid-template-columns: repeat(auto-fit, minmax(16.5rem, 1fr)); gap: 1rem; margin-top: 1rem; }
.forms form { background: var(--sheet); border: 1px solid var(--line); border-radius: .625rem; padding: 1rem; display: flex; flex-direction: column; gap: .625rem; }
.forms form p { color: var(--quiet); font-size: .9375rem; margin: 0; flex: 1; }
label { display: flex; flex-direction: column; gap: .125rem; font-size: .9375rem; }
select, input { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--quiet); border-radius: .375rem; padding: .375rem .5rem; min-height: 2.5rem; width: 100%; }
button { font: inherit; font-weight: 600; min-height: 2.5rem; padding: .375rem 1rem; border: 1px solid var(--act); border-radius: .375rem; background: var(--act); color: var(--on-act); cursor: pointer; }
button.other { background: transparent; color: var(--act); }
.scroll { overflow-x: auto; background: var(--sheet); border: 1px solid var(--line); border-radius: .625rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; overflow-wrap: normal; }
th, td { text-align: left; padding: .5rem .875rem; vertical-align: top; white-space: nowrap; }
td.note { white-space: pre-line; min-width: 16rem; }
tbody tr { border-top: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 600; }
.none { color: var(--quiet); }
`);

export interface FaultsView {
  readonly providers: readonly {
    readonly source: string;
    readonly isReachable: boolean;
    readonly faults: readonly DemoFault[];
    /** Newest first. */
    readonly executions: readonly DemoExecution[];
  }[];
  readonly helpdesks: readonly {
    readonly source: string;
    /** Newest first. */
    readonly notes: readonly DemoNote[];
  }[];
}

const timeOf = (at: Date): Markup =>
  html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 19).replace('T', ' ')} UTC</time>`;

const refusalWords: Readonly<Record<ProviderRefusal, string>> = {
  CARD_DECLINED: 'the card’s issuer declined',
  CARD_EXPIRED: 'the card has expired',
  METHOD_GONE: 'there is no such method any more',
  CUSTOMER_GONE: 'there is no such customer any more',
  METHOD_IN_USE: 'the method is in use',
  ADDRESS_REFUSED: 'the address was not taken',
  NOT_PERMITTED: 'this account may not do that',
  REFUSED: 'without saying why',
};

const targetWords: Readonly<Record<FaultTarget, string>> = {
  steps: 'changing a method',
  setups: 'opening a card page',
};

const faultWords = (fault: DemoFault): string => {
  const next = `the next ${fault.times === 1 ? 'call' : `${fault.times} calls`} for ${targetWords[fault.of]}`;
  if (fault.kind === 'refuse') return `Refuses ${next}: ${refusalWords[fault.why]} (${fault.why}).`;
  const done = fault.executed ? 'after it was executed' : 'before it was executed';
  if (fault.kind === 'lose') return `Loses the answer to ${next}, ${done}.`;
  return `Answers ${next} by a fault that the key repeats, ${done}.`;
};

const executionWords: Readonly<Record<DemoExecution['action'], string>> = {
  ATTACH: 'method attached',
  SET_DEFAULT: 'default method set',
  SET_SUBSCRIPTION_DEFAULT: 'method of a subscription set',
  SET_ADDRESS: 'billing address set',
  DETACH: 'method detached',
  OPEN_SETUP: 'card page opened',
  PAUSE_RENEWAL: 'renewal paused',
  RESUME_RENEWAL: 'renewal goes on',
  LIST: 'put into a list',
  UNLIST: 'taken out of a list',
};

const times = html`<label>How often <input type="number" name="times" value="1" min="1" max="1000" required></label>`;
const executed = html`<label>The call <select name="executed"><option value="yes">was executed</option><option value="no">was not executed</option></select></label>`;
const target = html`<label>Which calls <select name="of">${faultTargets.map((each) => html`<option value="${each}">${targetWords[each]}</option>`)}</select></label>`;

const form = (source: string, act: string, content: Markup, button: string, isOther = false): Markup =>
  html`<form method="post" action="/development/provider">
<input type="hidden" name="source" value="${source}"><input type="hidden" name="act" value="${act}">
${content}<button type="submit"${isOther ? new Markup(' class="other"') : null}>${button}</button>
</form>
`;

const provider = ({ source, isReachable, faults, executions }: FaultsView['providers'][number]): Markup => html`<section>
<h2>Demo provider <code>${source}</code></h2>
<div class="state${isReachable && faults.length === 0 ? '' : ' off'}" role="status">
${isReachable ? null : html`<p><strong>It is down:</strong> every call fails before it has an effect, and its card page is out of order.</p>`}
${isReachable && faults.length === 0 ? html`<p>It works: no fault is switched on.</p>` : null}
${faults.length === 0 ? null : html`<ul>${faults.map((fault) => html`<li>${faultWords(fault)}</li>`)}</ul>`}
${isReachable ? form(source, 'go-down', html``, 'Take it down', true) : form(source, 'come-back', html``, 'Bring it back')}
${faults.length === 0 ? null : form(source, 'clear', html``, 'Switch all faults off')}</div>
<div class="forms">
${form(
  source,
  'refuse',
  html`<h3>Refuse</h3><p>The provider says no, and what was asked for is not done.</p>
${target}<label>Because <select name="why">${providerRefusals.map((why) => html`<option value="${why}">${refusalWords[why]}</option>`)}</select></label>${times}`,
  'Refuse',
)}${form(
  source,
  'lose',
  html`<h3>Lose the answer</h3><p>The connection breaks. Whether it was done is unknown until the provider is asked.</p>
${target}${executed}${times}`,
  'Lose',
)}${form(
  source,
  'spoil',
  html`<h3>Spoil the key</h3><p>A fault that is repeated for the same idempotency key. A second try needs to ask first, and another key.</p>
${executed}${times}`,
  'Spoil',
)}</div>
<h2>What was executed at <code>${source}</code></h2>
${
  executions.length === 0
    ? html`<p class="none">Nothing yet.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Executed calls"><table>
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Customer</th><th scope="col">Method</th><th scope="col">Subscription</th></tr></thead>
<tbody>
${executions.map(
  ({ at, action, customer, method, subscription }) =>
    html`<tr><td>${timeOf(at)}</td><td>${executionWords[action]}</td><td><code>${customer}</code></td><td>${method === null ? '–' : html`<code>${method}</code>`}</td><td>${subscription === null ? '–' : html`<code>${subscription}</code>`}</td></tr>
`,
)}</tbody></table></div>`
}
</section>`;

const helpdesk = ({ source, notes }: FaultsView['helpdesks'][number]): Markup => html`<section>
<h2>Demo helpdesk <code>${source}</code></h2>
<div class="forms">
${form(
  source,
  'rewrite',
  html`<h3>Change what was said</h3><p>What the customer wrote first in a ticket is changed behind the helpdesk’s own history, as an erasure is.
Who works on the ticket has it so within half a minute, everybody else within a day or when they open it.</p>
<label>Ticket <input name="reference" value="${demoTickets.own.reference}" maxlength="12" required></label>
<label>It <select name="how"><option value="overwrite">is overwritten</option><option value="remove">is removed</option></select></label>`,
  'Change',
)}</div>
<h2>Notes on tickets of <code>${source}</code></h2>
${
  notes.length === 0
    ? html`<p class="none">Nothing yet.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Notes"><table>
<thead><tr><th scope="col">When</th><th scope="col">Ticket</th><th scope="col">Note</th></tr></thead>
<tbody>
${notes.map(
  ({ at, reference, text }) => html`<tr><td>${timeOf(at)}</td><td>${reference}</td><td class="note">${text}</td></tr>
`,
)}</tbody></table></div>`
}
</section>`;

/** What the demo provider was told to do wrong, what it did, and what is noted and changed at the demo helpdesk. */
export const faultsPage = ({ providers, helpdesks }: FaultsView): string =>
  pageOf(
    'Demo provider (development)',
    faultsStyle,
    html`<header>
<nav aria-label="Development"><a href="/">Console</a> <a href="/explorer">Explorer</a> <a href="/development/mail">Mail and codes</a> <a href="/development/provider">Look again</a></nav>
<h1>Demo provider</h1>
<p>What can go wrong at a payment provider, switched on by hand, to see what becomes of an update then. A restart switches all of it off; what was changed at the provider stays. At the helpdesk, what was said is changed until a restart.</p>
</header>
<main>
${providers.map(provider)}
${helpdesks.map(helpdesk)}
</main>`,
  );
