import type { UnshownTexts } from './unshown-texts';

const german: UnshownTexts = {
  which: 'Um welches Ticket geht es?',
  number: 'Nummer des Tickets',
  show: 'Zeigen',
  refused:
    'Was der Helpdesk für diese Seite signiert hat, ist zu alt, schon verwendet oder nicht für hier. Laden Sie die Seite neu.',
  unreached:
    'Counterfoil ist gerade nicht erreichbar oder überlastet; was der Helpdesk für diese Seite signiert hat, wurde nicht geprüft. Versuchen Sie es noch einmal; es gilt eine Minute, danach laden Sie die Seite neu.',
  again: 'Noch einmal versuchen',
};

export default german;
