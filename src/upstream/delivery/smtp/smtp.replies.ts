import type { DeliveryFailed } from '../delivery.port';

/** What a server answered, and to what. */
export interface SmtpReply {
  /** The basic code (RFC 5321, 4.2): 400 to 599. */
  readonly code: number;
  /** The command that it answers, `DATA` for the content too. */
  readonly command: string;
  /** All of its lines. */
  readonly text: string;
}

/** Replies that mean our account, whatever command they answer (RFC 4954, 6). */
const accountReplies = new Set([530, 534, 535, 538]);

/** What only a sender, a relay or an account can be the matter of. */
const ofOurs =
  /\b(?:relay(?:ing)?\b.{0,40}\b(?:den|prohibit|not|refus|disallow)|(?:den|prohibit|not|refus|disallow|unable)\w*\b.{0,40}\brelay|authenticat|authorization|log ?in first|not in my list of allowed|rcpthosts|(?:daily|hourly|sending|outgoing|outbound|message|rate) (?:\w+ )?(?:limit|quota)|(?:limit|quota) (?:\w+ ){0,4}(?:sender|account|outgoing)|throttl|block(?:ed|list)|blacklist|spam|reputation|spf|dkim|dmarc)|\b(?:your|this|sending|sender['’]?s?) (?:ip|account|host|domain|address)\b|\bsender\b/i;

/** What is said of us even where a recipient is named beside it, as one who was looked for and isn't there: a check of our sender. */
const ofOursAlone =
  /\bsender (?:verif|address rejected)|\bverification failed for\b|\bsend ?as ?denied|\bnot (?:allowed|permitted|authori[sz]ed) to send\b|\bdelivery not authori[sz]ed|\bis not authori[sz]ed\b|\baddress is not verified|\bidentit(?:y|ies) failed|\b(?:dns ptr|reverse dns|rdns|rbl|dnsbl|junk ?mail)\b|\bmessages? from\b/i;

/** What tells of the recipient, where no code does. */
const ofRecipient =
  /\b(?:recipient|mailbox|user|address|account)\b.{0,60}\b(?:unknown|unavailable|not found|no longer|disabled|inactive|invalid|does ?n.?t exist|does not exist|not exist)|\b(?:unknown|no such|invalid|bad) (?:\w+ )?(?:user|recipient|mailbox|address)/i;

const isFull = /\b(?:mailbox|inbox|user|recipient|account)\b.{0,40}\b(?:full|over ?quota|exceed\w*)|\bover ?quota\b/i;

/** The enhanced status code (RFC 3463) of the first line that has one of the reply's own class (RFC 2034, 4). */
const enhancedOf = ({ code, text }: SmtpReply): readonly [subject: number, detail: number] | null => {
  const kind = String(code).charAt(0);
  for (const [, digit, subject, detail] of text.matchAll(/(?:^|\n)\s*\d{3}[ -]\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\d)/g))
    if (digit === kind) return [Number(subject), Number(detail)];
  return null;
};

const speaksOfUs = (text: string): boolean =>
  ofOursAlone.test(text) || (ofOurs.test(text) && !ofRecipient.test(text) && !isFull.test(text));

/** By its basic code and command, and by its words where these say plainly whom it is about. */
const judgePlain = ({ command, text }: SmtpReply): DeliveryFailed['why'] => {
  if (command !== 'RCPT TO' && command !== 'DATA') return 'refused';
  if (speaksOfUs(text)) return 'refused';
  return isFull.test(text) ? 'fault' : 'rejected';
};

/** Of subjects 1 and 2: what IANA's registry knows; 0 doesn't say what, and further ones are a server's own. */
const isRegistered = (detail: number): boolean => detail > 0 && detail <= 10;

/**
 * What a negative reply means, by its enhanced status code (RFC 3463) before its basic one. `rejected`, for good: the recipient's address, or
 * what we sent. `refused`: our sender, account, settings or the relay's policy. `fault`: it may pass.
 */
export const judgeReply = (reply: SmtpReply): DeliveryFailed['why'] => {
  const { code, command } = reply;
  const [subject, detail] = enhancedOf(reply) ?? [0, 0];
  // The conversation went wrong, not the message.
  if (code === 503) return 'fault';
  if (code < 500) return subject === 4 || subject === 7 || speaksOfUs(reply.text) ? 'refused' : 'fault';
  if (accountReplies.has(code)) return 'refused';
  const isOfRecipient = command === 'RCPT TO' || command === 'DATA';
  switch (subject) {
    case 1:
      // 7 and 8 are of the sender's address.
      if (!isOfRecipient || detail === 7 || detail === 8) return 'refused';
      return isRegistered(detail) ? 'rejected' : judgePlain(reply);
    case 2:
      if (!isOfRecipient) return 'refused';
      if (detail === 2) return 'fault';
      return isRegistered(detail) ? 'rejected' : judgePlain(reply);
    case 3:
      // The other system is full, or takes nothing just now.
      return detail === 1 || detail === 2 ? 'fault' : detail === 5 ? 'refused' : judgePlain(reply);
    case 4:
    case 7:
      return 'refused';
    default:
      return judgePlain(reply);
  }
};
