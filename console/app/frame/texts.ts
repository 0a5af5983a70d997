import { catalogue } from '../text/catalogue';

export const frameTexts = catalogue(
  {
    signIn: 'Sign in',
    why: 'Counterfoil shows payments here once you have signed in to it yourself, in a window of its own.',
    waiting: 'Waiting for the other window …',
    continue: 'Continue',
    gone: 'The other window was closed or cut off. If it said that you are signed in, continue here; the browser may ask whether this frame may use that.',
    blocked: 'The browser opened no window. Allow windows for this page, or open the ticket in the console.',
    refused: 'That didn’t work in this frame. Try again, or open the ticket in the console.',
    console: 'Open the ticket in the console',
    ticket: 'Ticket {reference}',
    signOut: 'Sign out of this frame',
  },
  {
    signIn: 'Anmelden',
    why: 'Counterfoil zeigt hier Zahlungen, sobald Sie sich selbst in einem eigenen Fenster angemeldet haben.',
    waiting: 'Warten auf das andere Fenster …',
    continue: 'Weiter',
    gone: 'Das andere Fenster wurde geschlossen oder abgetrennt. Wenn dort stand, dass Sie angemeldet sind, geht es hier weiter; der Browser fragt vielleicht, ob dieser Rahmen das nutzen darf.',
    blocked:
      'Der Browser hat kein Fenster geöffnet. Erlauben Sie Fenster für diese Seite, oder öffnen Sie das Ticket in der Konsole.',
    refused: 'Das hat in diesem Rahmen nicht geklappt. Versuchen Sie es noch einmal, oder öffnen Sie das Ticket in der Konsole.',
    console: 'Das Ticket in der Konsole öffnen',
    ticket: 'Ticket {reference}',
    signOut: 'In diesem Rahmen abmelden',
  },
);
