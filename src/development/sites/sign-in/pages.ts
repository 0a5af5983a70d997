import { html, type Markup } from '../../../http/html';
import { pageHeaders, pageOf, stylesheet } from '../../../http/page';
import { type DevelopmentPerson, describePerson } from '../../issuer/development-people';

const style = stylesheet(`
header, main { max-width: 32rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.25rem; padding-bottom: .75rem; font-weight: 650; }
header p { margin: 0; }
main { background: var(--sheet); border: 1px solid var(--line); border-width: 1px 0; padding-top: 1.5rem; padding-bottom: 1.75rem; }
.note { border: 1px solid var(--act); background: var(--act-pale); border-radius: .625rem; padding: .75rem 1rem; margin: 0 0 1.25rem; }
.note strong { font: 1.375rem ui-monospace, monospace; letter-spacing: .15em; }
.wrong { color: var(--wrong); font-weight: 600; margin: 0 0 .25rem; }
.people { list-style: none; margin: 0 0 1.25rem; padding: 0; display: grid; gap: .5rem; }
label { display: block; font-weight: 600; }
input, button { font: inherit; color: inherit; }
input { width: 100%; max-width: 12rem; min-height: 2.875rem; padding: .5rem .75rem; margin-bottom: 1rem; background: var(--sheet); border: 1px solid var(--edge); border-radius: .5rem; font-size: 1.25rem; letter-spacing: .15em; }
[aria-invalid="true"] { border: 2px solid var(--wrong); }
.answers { display: flex; flex-wrap: wrap; gap: .75rem; }
button { min-height: 2.875rem; padding: .5rem 1.25rem; border: 2px solid var(--act); border-radius: .5rem; background: transparent; color: var(--act); font-weight: 600; cursor: pointer; }
button.first { background: var(--act); color: var(--on-act); }
button.first:hover { background: var(--act-over); border-color: var(--act-over); }
.people button { width: 100%; text-align: left; display: flex; flex-wrap: wrap; gap: 0 .75rem; justify-content: space-between; border: 1px solid var(--edge); }
.people button:hover { border-color: var(--act); background: var(--act-pale); }
.people span { color: var(--quiet); font-weight: 400; }
.quiet { color: var(--quiet); }
`);

/** A page, and where its forms may lead: browsers hold what a form's answer leads on to against it, too (CSP Level 3, form-action). */
export interface SignInPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const page = (title: string, gateway: string, body: Markup): SignInPage => ({
  headers: { ...pageHeaders(style, `'self' ${new URL(gateway).origin}`) },
  text: pageOf(
    `${title} · demo people`,
    style,
    html`<header><p>Demo people’s identity provider</p></header>
<main>
<h1>${title}</h1>
${body}
</main>`,
  ),
});

interface PersonPageView {
  readonly people: readonly DevelopmentPerson[];
  readonly gateway: string;
}

/** Who is it? Nobody is asked for a password. */
export const personPage = ({ people, gateway }: PersonPageView): SignInPage => {
  const choices = people.map(
    (person) =>
      html`<li><button name="person" value="${person.user}"><b>${person.user}</b> <span>${describePerson(person)}</span></button></li>`,
  );
  return page(
    'Sign in as',
    gateway,
    html`<p class="note">This is development: whoever is on this machine may be any of them, without a password. In production your own identity provider stands here.</p>
<form method="post">
<ul class="people">${choices}</ul>
<div class="answers"><button name="act" value="cancel">Don’t sign in</button></div>
</form>`,
  );
};

interface CodePageView {
  readonly person: DevelopmentPerson;
  readonly gateway: string;
  /** What an app of theirs would show now. */
  readonly code: string;
  readonly secondsLeft: number;
  /** The second factor is what was asked for. */
  readonly isNeeded: boolean;
  readonly isWrong: boolean;
}

/** The second factor, which somebody may leave out. */
export const codePage = ({ person, gateway, code, secondsLeft, isNeeded, isWrong }: CodePageView): SignInPage => {
  const problem = isWrong
    ? html`<p class="wrong" id="wrong" role="alert">That isn’t the code. It may have been replaced by the next one.</p>`
    : null;
  const invalid = isWrong ? html` aria-invalid="true" aria-describedby="wrong"` : null;
  const without = html`<button name="act" value="without" formnovalidate>Without a second factor</button>`;
  return page(
    `Second factor of ${person.user}`,
    gateway,
    html`<p>${person.user}, ${describePerson(person)}.${isNeeded ? ' What you are about to do asks for a second factor.' : ''}</p>
<p class="note">An app on a phone of theirs would show: <strong id="current">${code}</strong><br><span class="quiet">A new one comes in ${secondsLeft} s; this one is taken for half a minute more.</span></p>
<form method="post">
<input type="hidden" name="person" value="${person.user}">
${problem}<label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" maxlength="6" required autofocus${invalid}>
<div class="answers"><button class="first" name="act" value="code">Sign in</button>${isNeeded ? null : without}<button name="act" value="other" formnovalidate>Somebody else</button><button name="act" value="cancel" formnovalidate>Don’t sign in</button></div>
</form>`,
  );
};

/** `form`: the provider's own, with what proves that it was asked from here. */
export const signOutPage = (user: string, gateway: string, form: Markup): SignInPage =>
  page(
    `Sign ${user} out?`,
    gateway,
    html`<p>It ends their session here, and every session of the gateway that began with it.</p>
${form}
<div class="answers"><button class="first" form="op.logoutForm" name="logout" value="yes">Sign out</button><button form="op.logoutForm">Stay signed in here</button></div>`,
  );

const backTo = (gateway: string): Markup => html`<p><a href="${gateway}/">Back to Counterfoil</a></p>`;

export const signedOutPage = (gateway: string): SignInPage =>
  page(
    'You are signed out',
    gateway,
    html`<p>Nobody is signed in here any more, or what began here has ended.</p>${backTo(gateway)}`,
  );

export const overPage = (gateway: string, why: string): SignInPage =>
  page('This sign-in can’t go on', gateway, html`<p>${why}</p>${backTo(gateway)}`);

/** What is at the provider's own address. */
export const homePage = (gateway: string): SignInPage =>
  page(
    'Who the demo people are',
    gateway,
    html`<p>A real OpenID provider that runs with the gateway in development, on this machine alone. It names people without a password.</p>
<p><a href="/session/end">Sign out here</a>: the gateway is told by back-channel logout, and ends what it began.</p>${backTo(gateway)}`,
  );
