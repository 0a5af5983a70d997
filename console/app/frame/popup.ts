/*
 * The window that a frame opens. It has the browser's session, or sends to where one begins, and gives the frame a code: to a page of this origin and to no other.
 */

const texts = {
  en: {
    title: 'Signing in to Counterfoil',
    working: 'Signing in …',
    back: 'You are signed in. Go back to the ticket.',
    cutOff: 'You are signed in, but this window can’t tell the ticket’s page.',
    allow: 'Let the ticket’s page use this',
    handOff: 'You are signed in. Go back to the ticket and choose “Continue”, within a minute.',
    failed: 'You could not be signed in. Close this window and try again.',
  },
  de: {
    title: 'Anmeldung bei Counterfoil',
    working: 'Anmeldung läuft …',
    back: 'Sie sind angemeldet. Gehen Sie zurück zum Ticket.',
    cutOff: 'Sie sind angemeldet, aber dieses Fenster kann es der Seite des Tickets nicht sagen.',
    allow: 'Die Seite des Tickets darf das nutzen',
    handOff: 'Sie sind angemeldet. Gehen Sie zurück zum Ticket und wählen Sie innerhalb einer Minute „Weiter“.',
    failed: 'Die Anmeldung hat nicht geklappt. Schließen Sie dieses Fenster und versuchen Sie es noch einmal.',
  },
} as const;
const language = navigator.language.toLowerCase().startsWith('de') ? 'de' : 'en';
document.documentElement.lang = language;

const shown = document.createElement('p');
shown.setAttribute('role', 'status');
const title = document.createElement('h1');
title.textContent = texts[language].title;
const main = document.createElement('main');
main.append(title, shown);
document.getElementById('app')?.replaceChildren(main);
const say = (key: keyof (typeof texts)['en']): void => {
  shown.textContent = texts[language][key];
};

/**
 * Leaves a code with the browser, for a minute, once somebody clicks: browsers let a frame ask only for the cookies of a site that its reader has
 * used by itself (Storage Access API).
 */
const offer = (): void => {
  say('cutOff');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = texts[language].allow;
  button.addEventListener('click', () => {
    button.disabled = true;
    void code(true).then((answer) => {
      say(answer?.ok === true ? 'handOff' : 'failed');
      button.remove();
    });
  });
  main.append(button);
  button.focus();
};

const query = new URLSearchParams(location.search);
const asked = { source: query.get('source') ?? '', challenge: query.get('challenge') ?? '' };
/** It was sent to sign in already. */
const isAgain = query.has('again');

const code = async (handOff: boolean): Promise<Response | null> =>
  fetch('/frame/codes', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'counterfoil-browser': '1' },
    body: JSON.stringify({ ...asked, handOff }),
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
  }).catch(() => null);

const bring = async (): Promise<void> => {
  say('working');
  const opener = window.opener as Window | null;
  const answer = await code(false);
  if (answer?.status === 401 && !isAgain) {
    const back = `/frame/sign-in?${new URLSearchParams({ ...asked, again: '1' })}`;
    location.replace(`/sign-in?${new URLSearchParams({ return: back })}`);
    return;
  }
  if (answer?.ok !== true) return say('failed');
  // Cut off on the way, by a page that asks for that (HTML, cross-origin opener policy).
  if (opener === null) return offer();
  const { code: given } = (await answer.json()) as { readonly code: string };
  // The browser delivers it only where a page of this origin is there, whoever opened this window.
  opener.postMessage({ counterfoilCode: given }, location.origin);
  say('back');
  // The frame closes this window; where it doesn't, it has heard nothing.
  setTimeout(offer, 4_000);
};

void bring();
