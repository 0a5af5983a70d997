import type { ReasonTexts } from './reasons';

const german: ReasonTexts = {
  ROLE: 'Ihre Rolle darf das nicht sehen oder tun. Darüber entscheidet das Zahlungsteam.',
  MFA_REQUIRED: 'Melden Sie sich mit einem zweiten Faktor an.',
  NO_ASSISTANCE: 'Sie haben hier keinen Zugriff auf diesen Kunden. Fragen Sie ihn mit Begründung an.',
  ASSISTANCE_ENDED: 'Ihr Zugriff ist beendet. Öffnen Sie das Ticket neu, wenn es noch Ihres ist.',
  APPROVAL_REQUIRED:
    'Die Teamleitung hat Ihren Zugriff auf dieses Ticket beendet. Fragen Sie neu an; die Teamleitung muss zustimmen.',
  OWN_REQUEST: 'Das muss jemand anders tun.',
  OWN_CONTACT: 'Die Nachricht käme in Ihr eigenes Postfach. Das muss jemand anders tun.',
  CONTACT: 'Die Adresse des Kunden hat sich kürzlich geändert oder gehört jemandem aus dem Team. Fragen Sie auf anderem Weg.',
  RECENT_LOGIN_REQUIRED: 'Bestätigen Sie, dass Sie es sind, und tun Sie es innerhalb weniger Minuten noch einmal.',
  SELF_MADE: 'Sie haben dieses Ticket angelegt oder seinen Kunden gesetzt. Fragen Sie den Zugriff mit Begründung an.',
  TICKET_CLOSED: 'Das Ticket ist geschlossen. Öffnen Sie es im Helpdesk wieder, wenn die Arbeit weitergeht.',
  QUOTA: 'Sie haben eine Grenze erreicht. Warten Sie, oder fragen Sie die Teamleitung.',
  STALE: 'Der Helpdesk antwortet gerade nicht. Versuchen Sie es wieder, wenn er es tut.',
  LINK: 'Niemand auf der Zahlungsseite ist als dieser Kunde bekannt. Das Zahlungsteam kann ihn dort verknüpfen.',
  NOT_FILTERABLE: 'Ihre Rolle darf danach nicht filtern.',
  NOT_SORTABLE: 'Ihre Rolle darf danach nicht sortieren.',
  SCOPE: 'Das liegt außerhalb Ihrer Arbeit.',
  BRAKE:
    'Eine Regel hat Sie angehalten, bis zwei andere das lösen. Fragen Sie die Leitung eines anderen Teams oder die Revision.',
  UNREGISTERED: 'Das Gateway kennt diese Fassung der Seite nicht. Laden Sie sie neu, oder sagen Sie es dem Betrieb.',
  FRAME: 'Das geht nicht auf der Seite des Helpdesks. Öffnen Sie das Ticket in der Konsole.',
  UNSIGNED: 'Der Helpdesk hat für dieses Ticket nichts signiert. Laden Sie seine Seite neu.',
  ACTOR_MISMATCH: 'Der Helpdesk nennt eine andere Person als die, die hier angemeldet ist.',
};

export default german;
