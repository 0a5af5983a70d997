import type { MailPart } from '../../src/upstream/helpdesk/mail-parts';

/** A mail as text, cut into its parts as RT cuts it: those of an attached message stand below it. Contents in 8bit, or in base64. */
export interface CutMail {
  readonly parts: readonly MailPart[];
  readonly contentOf: (part: Pick<MailPart, 'id'>) => string;
}

const parameter = (header: string, name: string): string | null => {
  const [, quoted, bare] = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(header) ?? [];
  return quoted ?? bare ?? null;
};

const withoutBrackets = (id: string | null | undefined): string | null => id?.replace(/^<|>$/g, '') ?? null;

export const cutMail = (mail: string): CutMail => {
  const parts: MailPart[] = [];
  const contents = new Map<number, string>();
  const cut = (text: string, parent: number | null): void => {
    const lines = text.replace(/\r\n/g, '\n');
    const end = lines.startsWith('\n') ? 0 : lines.indexOf('\n\n');
    const headers = new Map(
      [...lines.slice(0, end === -1 ? lines.length : end).matchAll(/^([\w-]+):[ \t]*((?:.*(?:\n[ \t].*)*))/gm)].map(
        ([, name = '', value = '']) => [name.toLowerCase(), value.replace(/\n/g, '')] as const,
      ),
    );
    const body = end === -1 ? '' : lines.slice(end === 0 ? 1 : end + 2);
    const declared = headers.get('content-type') ?? 'text/plain';
    const type = (/^[^\s;]+/.exec(declared)?.[0] ?? 'text/plain').toLowerCase();
    const disposition = headers.get('content-disposition') ?? null;
    const id = parts.length + 1;
    const boundary = type.startsWith('multipart/') ? parameter(declared, 'boundary') : null;
    const holds = boundary !== null || type === 'message/rfc822';
    const isEncoded = /base64/i.test(headers.get('content-transfer-encoding') ?? '');
    const content = Buffer.from(body, isEncoded ? 'base64' : 'utf8');
    parts.push({
      id,
      parent,
      type,
      disposition: /^[^\s;]+/.exec(disposition ?? '')?.[0]?.toLowerCase() ?? null,
      name: parameter(disposition ?? '', 'filename') ?? parameter(declared, 'name'),
      size: holds ? 0 : content.length,
      contentId: withoutBrackets(headers.get('content-id')),
      start: withoutBrackets(parameter(declared, 'start')),
    });
    if (!holds) contents.set(id, content.toString());
    if (type === 'message/rfc822') cut(body, id);
    if (boundary === null) return;
    const [, ...pieces] = `\n${body}`.split(`\n--${boundary}`);
    for (const piece of pieces) {
      if (piece.startsWith('--')) break;
      cut(piece.replace(/^[ \t]*\n/, ''), id);
    }
  };
  cut(mail, null);
  return { parts, contentOf: ({ id }) => contents.get(id) ?? '' };
};
