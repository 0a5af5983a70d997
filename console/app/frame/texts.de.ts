import type { FrameTexts } from './texts';

const german: FrameTexts = {
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
};

export default german;
