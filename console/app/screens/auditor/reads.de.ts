/**
 * What an auditor reads of each event in German; `events.ts` of the gateway has it in English. A name that is in one alone stops a test. In
 * backquotes: names of what a leaf states.
 */
const reads: Readonly<Record<string, string>> = {
  'actor.first-seen': 'Jemand fragte zum ersten Mal und hat von nun an diese Kennung.',
  'actor.name': 'Ein Token sagte zum ersten Mal, wie diese Person heißt. Das ist versiegelt aufbewahrt; kein Ereignis nennt es.',
  'actor.name-erase': 'Der zweite von zwei Datenschützern ließ den aufbewahrten Namen löschen: Niemand kann ihn mehr lesen.',
  'actor.name-propose': 'Der erste von zwei Datenschützern beantragte, den aufbewahrten Namen zu löschen.',
  'alert.concern': 'Jemand meldete, was bei einem eigenen Ticket aufgefallen war.',
  'alert.end': 'Eine Woche lang sagte niemand, was die Warnung war; sie endete von selbst.',
  'alert.forget':
    'Was mit Warnungen geschah, in so vielen Ereignissen vor dieser Stelle, wird für Leser nicht mehr aufbewahrt; die Warnungen schon.',
  'alert.raise': 'Eine Regel fand das bei einem Kunden; wer das Ticket hat, erfährt es.',
  'alert.resolve': 'Jemand, der sie nicht gemeldet hatte und um den es nicht geht, sagte, was die Warnung war.',
  'alert.snooze': 'Bis dahin warnt die Regel bei diesem Kunden nicht.',
  'alert.update': 'Die Regel fand mehr, und die offene Warnung sagt es.',
  'assistance.approve': 'Die Teamleitung stimmte der Assistenz zu, die `of` angefragt hatte; sie gilt von nun an.',
  'assistance.begin': 'Jemand öffnete ein Ticket, und eine Assistenz begann von selbst.',
  'assistance.end': 'Die Assistenz von `of` endete: Durch sie wird nichts mehr gezeigt.',
  'assistance.reject': 'Die Teamleitung lehnte die Assistenz ab, die `of` angefragt hatte; sie endete, bevor sie begann.',
  'assistance.request': 'Jemand fragte eine Assistenz mit Begründung an; sie gilt sofort, wenn sie keine Zustimmung braucht.',
  'brake.place': 'Eine Regel hielt die Person hinter `of` darin an; `actors` sind die Kennungen, unter denen sie bekannt ist.',
  'brake.extend':
    'Die Bremse für `of` gilt auch für diese weiteren Kennungen der Person und für diese Einträge in der Belegschaft.',
  'brake.propose': 'Die erste von zwei Personen beantragte, die Bremse für `of` aufzuheben.',
  'brake.renew': 'Die Regel fand es bei `of` erneut: Der Antrag, die Bremse aufzuheben, gilt nicht mehr.',
  'brake.release': 'Die zweite von zwei Personen hob die Bremse für `of` auf.',
  'browser-session.begin': 'Jemand meldete sich in einem Browser an; spätestens dann ist die Sitzung vorbei.',
  'browser-session.end':
    'Eine Sitzung in einem Browser endete: abgemeldet, erneuert, untätig, abgelaufen, oder ihre Token wurden nicht mehr angenommen oder ausgestellt.',
  'browser-session.forget': 'Sitzungen in Browsern, die vor mehr als einem Tag geendet hatten, wurden entfernt.',
  'claim.read': 'Was ein Kunde in einer Nachricht über eine Zahlung sagt, wurde mit seinen Zahlungen verglichen.',
  'claim.record': 'Jemand hielt fest, was der Kunde eines Tickets über eine Zahlung sagt; es wurde mit seinen verglichen.',
  'card-invitation.end': 'Der Kunde wurde mit dieser Änderung um eine neue Karte gebeten; oder warum er es nicht wurde.',
  'card-invitation.plan':
    'Eine Regel will den Kunden um eine neue Karte bitten, bevor diese abläuft; nicht, bevor er mit `due` an der Reihe ist.',
  'credential.apply': 'Die Änderung kam beim Anbieter voran oder endete dort.',
  'credential.approve': 'Die Teamleitung gab frei, was der Kunde bestätigt und `of` angefragt hatte.',
  'credential.cancel': 'Die Änderung wurde von Hand abgebrochen.',
  'credential.card-entered': 'Der Kunde gab auf der Seite des Anbieters eine Karte ein.',
  'credential.card-refused': 'Die eingegebene Karte eignet sich nicht für diese Änderung.',
  'credential.card-unwanted':
    'Für eine Änderung, auf die niemand mehr wartet, wurde eine Karte eingegeben; sie wird wieder entfernt.',
  'credential.code': 'Für den Kunden wurde ein Code erzeugt und wird ihm geschickt.',
  'credential.code-failed': 'Ein falscher Code wurde eingegeben.',
  'credential.code-tries-spent': 'Zu oft wurde ein falscher Code eingegeben; die Änderung ist abgebrochen.',
  'credential.code-unsent': 'Der Code ließ sich nicht senden und ist vergessen.',
  'credential.confirm': 'Der Kunde bestätigte, was ihm gezeigt wurde; dessen Prüfsumme ist `shown`.',
  'credential.contact-changed': 'Der Kontakt, über den geurteilt wurde, ist nicht mehr der beim Anbieter; die Änderung endete.',
  'credential.expire': 'Niemand antwortete rechtzeitig.',
  'credential.link': 'Ein Link für den Kunden wurde erzeugt, gültig bis dahin; oder die Änderung endete vorher.',
  'credential.link-lost':
    'Ob der Link aus der Einladung einer Regel abging, ist nicht bekannt: Ein zweiter wird nicht gesendet, damit der Kunde nicht zweimal gefragt wird; kam er an, gilt er.',
  'credential.link-sent': 'Der Link wurde dem Kunden gesendet.',
  'credential.note-dropped':
    'Die Notiz steht nicht am Ticket: Der Helpdesk nahm sie nicht an, oder das Ticket betrifft inzwischen jemand anderen.',
  'credential.plan': 'Diese Aufrufe beim Anbieter stehen an, in dieser Reihenfolge.',
  'credential.refuse': 'Der Kunde lehnte ab; `as_shown`: das, was auf seiner Seite stand.',
  'credential.reject': 'Die Teamleitung lehnte ab, was der Kunde bestätigt und `of` angefragt hatte.',
  'credential.request':
    'Jemand oder, ohne Ticket, eine Regel fragte eine Änderung dieses Zahlungsmittels an; was sie braucht, und welche Regeln der Richtlinie das sagen.',
  'credential.risk': 'Seit der Anfrage treffen auch diese Regeln zu: Die Teamleitung muss zustimmen.',
  'credential.setup-asked': 'Der Anbieter wird um eine Seite gebeten, auf der der Kunde eine Karte eingibt.',
  'credential.setup-ended': 'Die Seite des Anbieters endete ohne Karte.',
  'credential.setup-refused': 'Der Anbieter gibt für diese Änderung keine Seite; sie endete.',
  'credential.step': 'Ein Aufruf beim Anbieter: beabsichtigt, getan, abgelehnt oder ungewiss.',
  'credential.undeliverable': 'Der Link kann dem Kunden nicht gesendet werden; die Änderung endete.',
  'customer.link': 'So viele Kunden des Helpdesks wurden mit Zahlungskunden verknüpft, nach Sicherheit der Verknüpfung.',
  'decision.count': 'So viele Fragen nach Zahlungen wurden mit CLEAR beantwortet, nach Stufe, innerhalb etwa einer Minute.',
  'decision.make':
    'Ein Dienst fragte, ob eine Zahlung weitergehen darf, und erfuhr, dass sie auf eine Bestätigung, eine Prüfung oder ein Anhalten wartet.',
  'decision.remove': 'So viele Antworten oder Zählungen von Fragen wurden entfernt: Ihre Zeit ist um.',
  'demand.expire': 'Niemand erfüllte die Forderung rechtzeitig.',
  'demand.fail': 'Der Kunde scheiterte zu oft an der Abfrage seiner Bank; die Forderung ist vorbei.',
  'demand.open': 'Ein Kunde soll neu authentifiziert werden, durch eine Regel oder weil ein Dienst nach seiner Zahlung fragte.',
  'demand.present':
    'Ein Dienst erfuhr von der Forderung und hat sie von nun an zu erfüllen, durch eine Authentifizierung ab `countsFrom`.',
  'demand.rest': 'Die Regel hinter der Forderung fand mehr, und darauf beruht sie nun auch; erfahren hat es noch niemand.',
  'demand.satisfy':
    'Der Anbieter sagt, dass die Bank den Kunden um `at` abgefragt und authentifiziert hat; `device`: auf einem Gerät, mit dem er schon gezahlt hatte.',
  'demand.try': 'Der Anbieter sagt, dass der Kunde an der Abfrage seiner Bank scheiterte.',
  'demand.withdraw':
    'Die Forderung ist nicht mehr nötig: Eine andere mit derselben Grundlage wurde erfüllt, oder die Grundlage entfiel.',
  denial: 'Jemand versuchte, was eine Regel oder die Richtlinie verbietet, so oft innerhalb etwa einer Minute.',
  disclosure:
    'Jemandem wurden so viele Werte dieser Objekte gezeigt, mit Feldern und Urteilen, wie `plan` sie nach Verknüpfung hat; oder jemand nahm einen Export des Protokolls mit.',
  'frame-session.begin': 'Ein Rahmen in einer Seite dieses Helpdesks bekam eine Sitzung, innerhalb der Browsersitzung `within`.',
  'frame-session.end': 'Die Sitzung eines Rahmens endete: abgemeldet, erneuert, oder mit der Sitzung des Browsers.',
  'frame-session.forget': 'Sitzungen von Rahmen, die vor mehr als einem Tag geendet hatten, wurden entfernt.',
  'frame.refuse':
    'Was ein Rahmen mitbrachte, wurde abgewiesen: ein Code, der keiner, verbraucht oder der eines anderen Rahmens ist, oder etwas vom Helpdesk Signiertes, das gefälscht, zu alt, verbraucht oder von jemand anderem ist. Von jeder Art höchstens 20 in einer Minute.',
  'hold.approve': 'Die Teamleitung stimmte dem vorgeschlagenen Anhalten zu; es gilt von nun an.',
  'hold.effect':
    'Etwas, das das Anhalten bewirken soll, ist nun so, und wer es einhält; oder welche Aufrufe beim Anbieter das braucht und was aus einem davon wurde; oder alles ist erledigt; oder der eigene Auftrag des Gateways fehlte und ist wieder da.',
  'hold.expire': 'Die Zeit des Anhaltens ist um: Was es anhielt, geht weiter.',
  'hold.extend': 'Das Ende des Anhaltens wurde verlegt: später durch die Teamleitung, oder früher, weil die Autorisierung endet.',
  'hold.fail': 'Das Anhalten konnte nichts bewirken, oder was es anhielt, ließ sich nicht freigeben.',
  'hold.lapse': 'Der Anbieter war schneller: Es gibt nichts mehr anzuhalten.',
  'hold.place': 'Etwas wurde angehalten; es endet von selbst um `until`.',
  'hold.propose': 'Ein Anhalten wurde vorgeschlagen; es hält nichts an, bevor die Teamleitung zustimmt.',
  'hold.reject': 'Die Teamleitung lehnte das vorgeschlagene Anhalten ab.',
  'hold.release': 'Das Anhalten wurde von Hand aufgehoben: Was es anhielt, geht weiter; oder alles davon tut es inzwischen.',
  'installation.examine':
    'Die Kommandozeile sah die Installation durch und fand so viele Abweichungen, nach Bereich; `sources`, wenn sie auch die Quellen fragte.',
  'log.begin': 'Das Protokoll beginnt unter diesem Namen.',
  'log.fork':
    'Das Protokoll geht nach einer Wiederherstellung unter neuem Namen weiter: woran es zuletzt bekannt war, und wie viele Blätter fehlen.',
  'log.key': 'Von hier an signiert dieser Schlüssel.',
  'log.time': 'Es ist `at`.',
  'operation.register': 'Der Betrieb registrierte das Dokument mit dieser SHA-256; von nun an darf damit danach gefragt werden.',
  'operation.retire': 'Der Betrieb zog das Dokument mit dieser SHA-256 zurück; danach darf nicht mehr gefragt werden.',
  'outreach.effect': 'Was aus dem Ticket wurde, das beim Helpdesk zu öffnen war: Bei `LOST` weiß es noch niemand.',
  'outreach.open':
    'Eine Regel will, dass jemand nach den Zahlungen dieses Kunden sieht: Beim Helpdesk ist ein Ticket zu öffnen, eines je Warnung.',
  'plan.register': 'Diese Felder werden mit diesen Urteilen gezeigt, nach Verknüpfung, wo Offenlegungen diese Prüfsumme nennen.',
  'policy.in-force': 'Die Richtlinie mit dieser Prüfsumme gilt von nun an; was sie bedeutet, in so vielen Bytes, ist aufbewahrt.',
  'recognition.answer':
    'Der Kunde sagte zu dem, was ihm gezeigt wurde (Prüfsumme `shown`), ob es seines ist; ein Nein löste `hold` aus.',
  'recognition.ask': 'Jemand fragte den Kunden, ob diese Zahlung, die noch aussteht, seine ist.',
  'recognition.expire': 'Der Kunde antwortete nicht rechtzeitig.',
  'recognition.fail': 'Der Kunde konnte nicht gefragt werden.',
  'recognition.link': 'Ein Link für den Kunden wurde erzeugt, gültig bis dahin.',
  'recognition.link-sent': 'Der Link wurde dem Kunden gesendet.',
  'recognition.note-dropped':
    'Die Notiz steht nicht am Ticket: Der Helpdesk nahm sie nicht an, oder das Ticket betrifft inzwischen jemand anderen.',
  'rule.verdict': 'Eine Regel fand das in den genannten Signalen; `done` folgte daraus, und nichts von den anderen Wirkungen.',
  'rules.in-force':
    'Von nun an wird über Signale nach diesen Regeln geurteilt, deren Prüfsumme das ist; die anderen sind ausgeschaltet.',
  'secret.create': 'Die Installation erzeugte ein eigenes Geheimnis.',
  'session.revoke': 'Eine Sitzung oder alle von jemandem wurden beendet: durch den Identitätsanbieter oder die genannte Regel.',
  'sign-in.refuse':
    'Jemand kam von einem Identitätsanbieter mit etwas zurück, das keine Sitzung beginnt: einer fremden, alten oder veränderten Antwort, oder einem Nein. Von jeder Art höchstens zwanzig in einer Minute.',
  'signal.consume': 'Unter diesem Namen beginnt etwas, auf Signale zu reagieren; was getan wurde, sagen eigene Ereignisse.',
  'signal.holds-spent':
    'Auf das hin, was dieser Absender meldete, wurde an einem Tag so oft angehalten, wie es sein darf: Dieses Anhalten wurde nur vorgeschlagen.',
  'signal.receive': 'Ein Absender meldete so viele Signale, die nicht bekannt waren.',
  'signal.remove': 'So viele Signale, oder Tage davon, wurden entfernt: Ihre Zeit ist um.',
  'source.first-seen': 'Eine Quelle ist zum ersten Mal eingerichtet.',
  'source.ingest-payments':
    'Was eine Zahlungsquelle über so viele Kunden sagt, wurde gespeichert; oder sie hat diesen nicht mehr.',
  'source.ingest-tickets':
    'Was ein Helpdesk über Tickets sagt, wurde gespeichert, und so viele Assistenzen endeten dadurch; oder ein Ticket ist weg oder nicht lesbar.',
  'source.messages-changed':
    'So viele Nachrichten dieses Tickets wurden im Helpdesk geändert, geleert oder entfernt, und damit hier; nie, was dort stand.',
  'source.sync': 'Jemand ließ das laufende Gateway von der Kommandozeile aus jede Quelle bis zum Ende lesen.',
  'source.webhook': 'Die Nachricht einer Quelle wurde angenommen oder ist erledigt.',
  'webhook.attempt':
    'Eine Nachricht wurde an einen Endpunkt gesendet oder konnte es nicht; `disables`: Er sagte, dass es ihn nicht mehr gibt, und erfährt nichts mehr.',
  'webhook.endpoint': 'Ein Endpunkt erfährt von nun an, was geschieht; `url` ist die SHA-256 seiner Adresse.',
  'webhook.forget': 'So viele Nachrichten an Endpunkte und Versuche, sie zu senden, wurden entfernt: Ihre Zeit ist um.',
  'webhook.queue': 'Ein Endpunkt soll erfahren, was das Protokoll von `from` bis vor `to` zu seinen Arten sagt.',
  'webhook.replay': 'Jemand ließ so viele Nachrichten noch einmal senden.',
};

export default reads;
