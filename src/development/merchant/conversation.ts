import type { Topic } from './cast';
import type { DemoLanguage } from './people';

/**
 * `{order}`, `{amount}`, `{last4}`, `{date}`, `{item}`, `{name}`, `{agent}` and `{card}` stand for what the ticket is about. No text ever asks for
 * or holds a card's security code.
 */
interface Phrases {
  readonly subjects: Readonly<Record<Topic, string>>;
  readonly openings: Readonly<Record<Topic, readonly string[]>>;
  readonly greeting: string;
  readonly answers: Readonly<Record<Topic, string>>;
  readonly agentLines: readonly string[];
  readonly customerLines: readonly string[];
  readonly pasted: string;
  readonly closing: string;
}

export const phrases: Readonly<Record<DemoLanguage, Phrases>> = {
  en: {
    subjects: {
      declined: 'Payment for order {order} declined',
      twice: 'Charged twice for {order}',
      expired: 'My card has expired',
      refund: 'Where is my refund for {order}?',
      authentication: 'Bank confirmation doesn’t come through',
      unrecognized: 'I don’t recognize a charge of {amount}',
      change: 'Please change my card',
      receipt: 'Receipt for {order}',
    },
    openings: {
      declined: [
        'Hello,\n\nI tried to pay for order {order} ({item}, {amount}) on {date} and my card ending in {last4} was declined. There is enough money on it. What is going on?\n\n{name}',
        'Hi, your shop says "payment failed" for {order}. I tried a few times now with the card ending {last4}. Can you see why? Thanks, {name}',
        'My payment of {amount} keeps failing and I would like to have the {item} before the weekend. The order is {order}.',
      ],
      twice: [
        'Hi there, on {date} I was charged {amount} twice for order {order}. I only ordered once. Please send one of them back.\n{name}',
        'I see two payments of {amount} on my statement, both for {order}. Is one of them a mistake?',
      ],
      expired: [
        'Good morning, the card you have on file ({last4}) has run out and my bank sent a new one. How do I get the new one to you? {name}',
        'Your mail says that my card ending in {last4} no longer works. Do I lose order {order} now?',
      ],
      refund: [
        'Hello, I sent back the {item} from order {order}, but the {amount} have not arrived yet. When can I expect them?\n\nKind regards\n{name}',
        'Still waiting for the refund of {order}. It has been more than a week!',
      ],
      authentication: [
        'I never get the code from my bank when I pay for {order}. The page waits and then says that the payment of {amount} was not confirmed. {name}',
        'The confirmation in my banking app appears, I accept it, and your page still says "authentication required" for {order}.',
      ],
      unrecognized: [
        'There is a charge of {amount} from your shop dated {date} on my card ending in {last4}. I did not buy anything that day. Please look into this urgently.\n{name}',
        'Somebody ordered "{item}" with my card?! I want this stopped. The statement shows {amount} on {date}.',
      ],
      change: ['Hello, I would like future orders to go to a different card. What do you need from me? {name}'],
      receipt: ['Could you send me a receipt for order {order} over {amount}? It is for my employer. Thank you, {name}'],
    },
    greeting: 'Hello {name},\n\nthank you for getting in touch. {answer}\n\n{agent}',
    answers: {
      declined:
        'I see the attempts for {order}. The bank turned the payment down; nothing was charged. I am checking what we can do from our side.',
      twice: 'I found both payments for {order}. One of them looks like a duplicate, and I have asked for its refund.',
      expired:
        'A new card can be added on our secure page; I will send you a link to it. Please don’t send card details by message.',
      refund: 'The refund for {order} is on its way. Banks take five to ten working days until it shows on your statement.',
      authentication:
        'Your bank asks for a confirmation that did not reach us. Please make sure that the bank has your current phone number.',
      unrecognized: 'I am sorry about this. I have passed the payment of {amount} to the colleagues who look into disputes.',
      change: 'I will send you a link to our secure page where you enter the new card yourself.',
      receipt: 'The receipt for {order} is attached to a separate mail, which should arrive within the hour.',
    },
    agentLines: [
      'Could you tell me roughly when you last tried?',
      'I have looked at it together with a colleague and will come back to you today.',
      'Please try once more, and let me know what the page says.',
      'Your bank can tell you more about the reason than we are allowed to see.',
      'I have set the order aside for you, so nothing gets lost meanwhile.',
      'Is there anything else that I can do for you?',
    ],
    customerLines: [
      'I tried again just now, same result.',
      'My bank says that everything is fine on their side.',
      'OK, thanks. How long does that take?',
      'Could you please have another look? This is getting annoying.',
      'That worked, at least I think so. The page now shows "processing".',
      'I am travelling this week, maybe that is why?',
    ],
    pasted:
      'Here is my card so that you can check it yourself: {card}, valid until the end of next year. Please just charge that one.',
    closing: 'Thank you, all sorted now. Best wishes, {name}',
  },
  de: {
    subjects: {
      declined: 'Zahlung für Bestellung {order} abgelehnt',
      twice: 'Doppelt abgebucht: {order}',
      expired: 'Meine Karte ist abgelaufen',
      refund: 'Wo bleibt die Erstattung für {order}?',
      authentication: 'Freigabe der Bank klappt nicht',
      unrecognized: 'Unbekannte Abbuchung über {amount}',
      change: 'Bitte andere Karte hinterlegen',
      receipt: 'Rechnung für {order}',
    },
    openings: {
      declined: [
        'Guten Tag,\n\nich wollte am {date} die Bestellung {order} ({amount}) bezahlen, aber meine Karte mit der Endung {last4} wurde abgelehnt. Das Konto ist gedeckt. Woran liegt das?\n\nMit freundlichen Grüßen\n{name}',
        'Hallo, bei {order} heißt es immer „Zahlung fehlgeschlagen“. Ich habe es mehrmals versucht. Können Sie das prüfen? {name}',
      ],
      twice: [
        'Hallo, für {order} wurden mir am {date} zweimal {amount} abgebucht. Bitte erstatten Sie einen Betrag. Danke, {name}',
      ],
      expired: [
        'Guten Morgen, die hinterlegte Karte ({last4}) ist abgelaufen, ich habe schon eine neue. Was muss ich tun? {name}',
      ],
      refund: [
        'Guten Tag, die Ware aus {order} ist längst zurückgeschickt, aber die {amount} sind noch nicht da. Wann kommt das Geld?\n{name}',
      ],
      authentication: [
        'Ich bekomme von meiner Bank keine TAN, wenn ich {order} bezahlen will. Nach ein paar Minuten bricht alles ab. {name}',
      ],
      unrecognized: [
        'Auf meiner Abrechnung stehen {amount} vom {date}, Karte {last4}. Ich habe an dem Tag nichts bei Ihnen gekauft! {name}',
      ],
      change: ['Hallo, ich möchte künftig mit einer anderen Karte bezahlen. Wie geht das? {name}'],
      receipt: ['Bitte schicken Sie mir die Rechnung zu {order} über {amount} noch einmal. Vielen Dank, {name}'],
    },
    greeting: 'Guten Tag {name},\n\nvielen Dank für Ihre Nachricht. {answer}\n\n{agent}',
    answers: {
      declined:
        'Ich sehe die Versuche zu {order}. Die Bank hat abgelehnt, es wurde nichts abgebucht. Ich prüfe, was wir von hier aus tun können.',
      twice: 'Ich habe beide Zahlungen zu {order} gefunden. Eine davon ist wohl doppelt, die Erstattung ist beantragt.',
      expired:
        'Die neue Karte geben Sie bitte auf unserer gesicherten Seite ein; den Link schicke ich Ihnen. Bitte keine Kartendaten per Nachricht senden.',
      refund: 'Die Erstattung zu {order} ist unterwegs. Bis sie auf dem Konto erscheint, vergehen fünf bis zehn Bankarbeitstage.',
      authentication:
        'Ihre Bank verlangt eine Freigabe, die bei uns nicht angekommen ist. Bitte prüfen Sie, ob dort die richtige Handynummer steht.',
      unrecognized:
        'Das tut mir leid. Ich habe die Zahlung über {amount} an die Kollegen weitergegeben, die Rückbuchungen bearbeiten.',
      change: 'Ich schicke Ihnen einen Link zu unserer gesicherten Seite, dort geben Sie die neue Karte selbst ein.',
      receipt: 'Die Rechnung zu {order} kommt mit getrennter Post, innerhalb der nächsten Stunde.',
    },
    agentLines: [
      'Wann haben Sie es ungefähr zuletzt versucht?',
      'Ich kläre das mit einer Kollegin und melde mich heute noch.',
      'Bitte versuchen Sie es noch einmal und schreiben Sie mir, was auf der Seite steht.',
      'Die Bestellung ist so lange für Sie zurückgelegt.',
    ],
    customerLines: [
      'Gerade noch einmal versucht, gleiches Ergebnis.',
      'Meine Bank sagt, bei ihnen sei alles in Ordnung.',
      'Gut, danke. Wie lange dauert das ungefähr?',
      'Ich bin gerade auf Reisen, liegt es vielleicht daran?',
    ],
    pasted: 'Hier ist meine Kartennummer, dann können Sie selbst nachsehen: {card}. Bitte einfach darüber abbuchen.',
    closing: 'Vielen Dank, jetzt passt alles. Viele Grüße, {name}',
  },
  fr: {
    subjects: {
      declined: 'Paiement refusé pour la commande {order}',
      twice: 'Débité deux fois : {order}',
      expired: 'Ma carte a expiré',
      refund: 'Où en est le remboursement de {order} ?',
      authentication: 'La validation bancaire ne passe pas',
      unrecognized: 'Prélèvement inconnu de {amount}',
      change: 'Changer ma carte',
      receipt: 'Facture de la commande {order}',
    },
    openings: {
      declined: [
        'Bonjour,\n\nle {date}, j’ai voulu régler la commande {order} ({amount}) et ma carte se terminant par {last4} a été refusée. Le compte est pourtant approvisionné. Que se passe-t-il ?\n\nCordialement,\n{name}',
        'Bonjour, le paiement de {order} échoue à chaque fois. Pouvez-vous regarder ? Merci, {name}',
      ],
      twice: [
        'Bonjour, j’ai été débitée deux fois de {amount} pour {order} le {date}. Merci de me rembourser l’un des deux. {name}',
      ],
      expired: ['Bonjour, la carte enregistrée ({last4}) n’est plus valable, j’en ai reçu une nouvelle. Comment faire ? {name}'],
      refund: [
        'Bonjour, j’ai renvoyé les articles de {order} mais je n’ai toujours pas reçu les {amount}. Quand arriveront-ils ? {name}',
      ],
      authentication: ['Je ne reçois jamais le code de ma banque pour payer {order}, et la page finit par abandonner. {name}'],
      unrecognized: [
        'Je vois {amount} du {date} sur ma carte {last4}, alors que je n’ai rien acheté chez vous ce jour-là ! {name}',
      ],
      change: ['Bonjour, je voudrais payer mes prochaines commandes avec une autre carte. Que dois-je faire ? {name}'],
      receipt: ['Pourriez-vous me renvoyer la facture de {order}, d’un montant de {amount} ? Merci, {name}'],
    },
    greeting: 'Bonjour {name},\n\nmerci pour votre message. {answer}\n\n{agent}',
    answers: {
      declined:
        'Je vois les tentatives pour {order}. La banque a refusé et rien n’a été débité. Je regarde ce que nous pouvons faire.',
      twice: 'J’ai retrouvé les deux paiements de {order}. L’un est un doublon, j’en ai demandé le remboursement.',
      expired:
        'La nouvelle carte se saisit sur notre page sécurisée, je vous envoie le lien. Merci de ne pas transmettre de numéro par message.',
      refund: 'Le remboursement de {order} est parti. Il faut compter cinq à dix jours ouvrés.',
      authentication:
        'Votre banque demande une validation qui ne nous est pas parvenue. Vérifiez qu’elle a bien votre numéro actuel.',
      unrecognized: 'Je suis désolée. J’ai transmis le paiement de {amount} aux collègues chargés des litiges.',
      change: 'Je vous envoie un lien vers notre page sécurisée, où vous saisirez vous-même la nouvelle carte.',
      receipt: 'La facture de {order} vous parviendra dans l’heure par un courriel séparé.',
    },
    agentLines: [
      'Quand avez-vous essayé pour la dernière fois, à peu près ?',
      'J’en parle avec une collègue et je reviens vers vous aujourd’hui.',
      'Pourriez-vous réessayer et me dire ce qu’affiche la page ?',
      'La commande reste réservée à votre nom en attendant.',
    ],
    customerLines: [
      'Je viens de réessayer : même résultat.',
      'Ma banque dit que tout va bien de son côté.',
      'D’accord, merci. Cela prendra combien de temps ?',
      'Je suis en voyage cette semaine, c’est peut-être pour cela ?',
    ],
    pasted: 'Voici ma carte pour vérifier vous-même : {card}. Vous pouvez débiter dessus.',
    closing: 'Merci beaucoup, tout est en ordre. Bonne journée, {name}',
  },
  es: {
    subjects: {
      declined: 'Pago rechazado del pedido {order}',
      twice: 'Cobro doble: {order}',
      expired: 'Mi tarjeta ha caducado',
      refund: '¿Y el reembolso de {order}?',
      authentication: 'No llega la confirmación del banco',
      unrecognized: 'No reconozco un cargo de {amount}',
      change: 'Cambiar la tarjeta',
      receipt: 'Factura de {order}',
    },
    openings: {
      declined: [
        'Buenas tardes: el {date} intenté pagar el pedido {order} ({amount}) y rechazaron mi tarjeta terminada en {last4}. Hay saldo de sobra. ¿Qué ocurre?\n{name}',
        'Hola, el pago de {order} falla una y otra vez. ¿Pueden mirarlo? Gracias, {name}',
      ],
      twice: ['Hola, me han cobrado dos veces {amount} por {order} el {date}. Por favor, devuélvanme uno. {name}'],
      expired: ['Buenos días, la tarjeta guardada ({last4}) ya no vale y tengo una nueva. ¿Qué tengo que hacer? {name}'],
      refund: ['Devolví lo de {order} hace días y los {amount} no aparecen. ¿Cuándo llegarán? {name}'],
      authentication: ['No me llega el código del banco al pagar {order} y la página se queda esperando. {name}'],
      unrecognized: ['Tengo un cargo de {amount} del {date} en la tarjeta {last4} y ese día no compré nada. {name}'],
      change: ['Hola, quiero pagar los próximos pedidos con otra tarjeta. ¿Cómo se hace? {name}'],
      receipt: ['¿Me pueden enviar otra vez la factura de {order} por {amount}? Gracias, {name}'],
    },
    greeting: 'Hola, {name}:\n\ngracias por escribirnos. {answer}\n\n{agent}',
    answers: {
      declined: 'Veo los intentos de {order}. El banco los rechazó y no se ha cobrado nada. Estoy mirando qué podemos hacer.',
      twice: 'He encontrado los dos pagos de {order}. Uno está repetido y ya he pedido el reembolso.',
      expired:
        'La tarjeta nueva se introduce en nuestra página segura; le envío el enlace. Por favor, no mande números por mensaje.',
      refund: 'El reembolso de {order} está en camino. Suele tardar de cinco a diez días hábiles.',
      authentication: 'Su banco pide una confirmación que no nos ha llegado. Compruebe que tiene su teléfono actual.',
      unrecognized: 'Lo siento mucho. He pasado el pago de {amount} al equipo de disputas.',
      change: 'Le envío un enlace a nuestra página segura para que introduzca usted la tarjeta nueva.',
      receipt: 'La factura de {order} le llegará en otro correo dentro de una hora.',
    },
    agentLines: [
      '¿Cuándo lo intentó por última vez?',
      'Lo reviso con una compañera y le escribo hoy mismo.',
      'El pedido queda reservado a su nombre.',
    ],
    customerLines: [
      'Acabo de probar otra vez y nada.',
      'Mi banco dice que por su parte todo está bien.',
      'De acuerdo, gracias. ¿Cuánto tarda?',
    ],
    pasted: 'Esta es mi tarjeta, para que lo comprueben: {card}. Cobren ahí, por favor.',
    closing: 'Muchas gracias, ya está todo. Un saludo, {name}',
  },
  pt: {
    subjects: {
      declined: 'Pagamento recusado no pedido {order}',
      twice: 'Cobrança em dobro: {order}',
      expired: 'Meu cartão venceu',
      refund: 'Cadê o reembolso do pedido {order}?',
      authentication: 'A confirmação do banco não chega',
      unrecognized: 'Não reconheço uma cobrança de {amount}',
      change: 'Trocar o cartão',
      receipt: 'Nota fiscal do pedido {order}',
    },
    openings: {
      declined: [
        'Olá, tentei pagar o pedido {order} ({amount}) no dia {date} e o cartão com final {last4} foi recusado. Tem limite. O que houve?\n{name}',
        'Oi, o pagamento do {order} falha toda vez. Podem verificar? Obrigado, {name}',
      ],
      twice: ['Olá, fui cobrado duas vezes em {amount} pelo pedido {order}, dia {date}. Devolvam uma delas, por favor. {name}'],
      expired: ['Bom dia, o cartão salvo ({last4}) venceu e já recebi outro. Como faço? {name}'],
      refund: ['Devolvi os itens do {order} e os {amount} ainda não apareceram. Quando chegam? {name}'],
      authentication: ['O código do banco nunca chega quando pago o {order}, e a página desiste. {name}'],
      unrecognized: ['Apareceu {amount} do dia {date} no cartão {last4}, mas eu não comprei nada! {name}'],
      change: ['Oi, quero usar outro cartão nos próximos pedidos. O que preciso fazer? {name}'],
      receipt: ['Podem me mandar de novo a nota do {order}, de {amount}? Obrigada, {name}'],
    },
    greeting: 'Olá, {name},\n\nobrigado pelo contato. {answer}\n\n{agent}',
    answers: {
      declined: 'Vejo as tentativas do {order}. O banco recusou e nada foi cobrado. Estou vendo o que dá para fazer.',
      twice: 'Encontrei os dois pagamentos do {order}. Um é repetido e já pedi o estorno.',
      expired: 'O cartão novo é cadastrado na nossa página segura; envio o link. Por favor, não mande números por mensagem.',
      refund: 'O reembolso do {order} está a caminho. Leva de cinco a dez dias úteis.',
      authentication: 'Seu banco pede uma confirmação que não chegou até nós. Confira se o telefone lá está certo.',
      unrecognized: 'Sinto muito. Passei o pagamento de {amount} para a equipe de contestações.',
      change: 'Envio um link da nossa página segura, onde você mesmo cadastra o cartão.',
      receipt: 'A nota do {order} chega em outro e-mail dentro de uma hora.',
    },
    agentLines: [
      'Quando foi a última tentativa, mais ou menos?',
      'Vou ver com uma colega e respondo ainda hoje.',
      'O pedido está reservado para você.',
    ],
    customerLines: ['Tentei de novo agora, mesma coisa.', 'O banco diz que está tudo certo.', 'Está bem. Quanto tempo demora?'],
    pasted: 'Segue o meu cartão para vocês conferirem: {card}. Pode cobrar nele.',
    closing: 'Obrigado, resolvido! Abraço, {name}',
  },
  ja: {
    subjects: {
      declined: 'ご注文 {order} の決済エラーについて',
      twice: '二重請求の件（{order}）',
      expired: 'カードの有効期限切れ',
      refund: '{order} の返金について',
      authentication: '本人認証が完了しません',
      unrecognized: '身に覚えのない請求 {amount}',
      change: 'カードの変更をお願いします',
      receipt: '{order} の領収書',
    },
    openings: {
      declined: [
        'お世話になっております。{date} に注文 {order}（{amount}）を末尾 {last4} のカードで支払おうとしましたが、エラーになりました。残高はあります。原因を教えてください。{name}',
        '何度試しても {order} の支払いができません。確認をお願いします。',
      ],
      twice: ['{date} に {order} の代金 {amount} が二回引き落とされています。一回分の返金をお願いします。{name}'],
      expired: ['登録済みのカード（末尾 {last4}）の期限が切れ、新しいカードが届きました。変更方法を教えてください。{name}'],
      refund: ['{order} を返品しましたが、{amount} がまだ戻っていません。いつ頃になりますか。{name}'],
      authentication: ['{order} の支払いで、銀行の確認コードが届きません。{name}'],
      unrecognized: ['末尾 {last4} のカードに {date} 付で {amount} の請求がありますが、購入した覚えがありません。{name}'],
      change: ['次回から別のカードで支払いたいのですが、どうすればよいですか。{name}'],
      receipt: ['{order}（{amount}）の領収書を再送していただけますか。{name}'],
    },
    greeting: '{name} 様\n\nお問い合わせありがとうございます。{answer}\n\n{agent}',
    answers: {
      declined: '{order} の決済はカード会社で承認されず、請求は発生しておりません。対応を確認いたします。',
      twice: '{order} の決済が二件確認できました。重複分の返金を手配いたしました。',
      expired: '新しいカードは専用の安全なページでご登録ください。カード番号をメッセージに書かないようお願いいたします。',
      refund: '{order} の返金は手続き済みです。反映まで五〜十営業日かかります。',
      authentication: '銀行の本人認証が当店に届いておりません。銀行に登録の電話番号をご確認ください。',
      unrecognized: 'ご心配をおかけしております。{amount} の件は担当部署に引き継ぎました。',
      change: '安全な登録ページのリンクをお送りしますので、ご自身でご入力ください。',
      receipt: '{order} の領収書を別メールでお送りいたします。',
    },
    agentLines: [
      '最後にお試しになったのはいつ頃でしょうか。',
      '担当者に確認のうえ、本日中にご連絡いたします。',
      'ご注文は確保しております。',
    ],
    customerLines: [
      'もう一度試しましたが、同じでした。',
      '銀行では問題ないと言われました。',
      'わかりました。どのくらいかかりますか。',
    ],
    pasted: 'カード番号をお送りします。{card} です。こちらで決済してください。',
    closing: '解決しました。ありがとうございました。{name}',
  },
};

/** Text with every `{word}` replaced that `facts` has. */
export const filled = (text: string, facts: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, word: string) => (Object.hasOwn(facts, word) ? (facts[word] ?? whole) : whole));
