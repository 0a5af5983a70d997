/** What each code means to somebody at a screen: where the gateway gives no reason of its own, its sentence is English. */
export const codes: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Das Gateway erkennt Ihre Anmeldung nicht oder nicht mehr an. Melden Sie sich neu an.',
  NOT_FOUND: 'Es existiert nicht, oder es liegt außerhalb Ihrer Arbeit. Beides sieht gleich aus.',
  DENIED: 'Das wird Ihnen verweigert.',
  INVALID: 'Eine Angabe ist nicht so, wie das Gateway sie annimmt. Ändern Sie sie, und versuchen Sie es noch einmal.',
  CONFLICT:
    'Es passt nicht zu dem, was inzwischen gespeichert ist. Fragen Sie neu ab, und sehen Sie nach, bevor Sie es wiederholen.',
  UPSTREAM_UNAVAILABLE: 'Ein Helpdesk oder Zahlungsanbieter antwortet gerade nicht. Versuchen Sie es wieder, wenn er es tut.',
  RATE_LIMITED: 'Das waren gerade zu viele Anfragen. Versuchen Sie es in Kürze wieder.',
  OVERLOADED: 'Das Gateway hat gerade mehr zu tun, als es schafft. Nichts wurde begonnen; versuchen Sie es in Kürze wieder.',
  RECORD_UNAVAILABLE:
    'Das Gateway kann gerade nichts festhalten, und ohne Eintrag im Protokoll zeigt und ändert es nichts. Sagen Sie es dem Betrieb, wenn es anhält.',
  INTERNAL: 'Im Gateway ist etwas schiefgegangen. Versuchen Sie es noch einmal, und sagen Sie es dem Betrieb, wenn es bleibt.',
  BAD_USER_INPUT: 'Eine Angabe ist nicht so, wie das Gateway sie annimmt. Ändern Sie sie, und versuchen Sie es noch einmal.',
};

/** The same by the rule that said no, where that says more. */
export const rules: Readonly<Record<string, string>> = {
  'policy.compare': 'Gerade werden andere Richtlinien verglichen. Versuchen Sie es in Kürze wieder.',
  'policy.versions':
    'Was von dieser Richtlinie gespeichert ist, wurde verändert; damit wird nicht verglichen. Der Betrieb soll „counterfoil doctor“ ausführen: Es nennt jede Stelle.',
  'audit.export':
    'Gerade werden zu viele Exporte geschrieben. Versuchen Sie es später; ein abgebrochener Download geht dort weiter, wo er war.',
  'operation.large': 'Gerade laufen zu viele große Abfragen. Fragen Sie nach weniger, oder versuchen Sie es in Kürze wieder.',
  'operation.work': 'Das macht mehr Arbeit, als eine Anfrage machen darf. Fragen Sie nach weniger.',
  'request.actor': 'Von Ihnen warten schon so viele Anfragen, wie warten dürfen. Versuchen Sie es in Kürze wieder.',
  'subscription.actor': 'Sie haben schon so viele Seiten offen, wie zugleich mithören dürfen. Schließen Sie eine.',
};
