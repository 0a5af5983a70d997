import { z } from 'zod';
import type { Lane } from '../../../lanes';
import { Resilience, type ResilienceSettings } from '../../resilience';
import { SourceUnavailable } from '../../source-unavailable';
import { collectionOf, rtMade } from './rt.records';

/** Bytes of one answer; a longer one is refused before it is held in memory. */
const answerLimit = 24 * 1024 * 1024;

/** RT gives at most this many rows a page, whatever is asked. */
const pageSize = 100;

/** One condition of RT's JSON searches; those on the same field are alternatives when `entry_aggregator` says so. */
export interface Condition {
  readonly field: string;
  readonly operator?: string;
  readonly value: string | number;
  readonly entry_aggregator?: 'AND' | 'OR';
}

export const oneOf = (field: string, values: readonly (string | number)[]): Condition[] =>
  values.map((value) => ({ field, value, entry_aggregator: 'OR' }));

export interface Page<Item> {
  readonly items: Item[];
  /** Rows of all pages, where RT tells. */
  readonly total: number | null;
  /** Rows that a page holds when nothing is withheld. */
  readonly perPage: number;
}

/** The answer has more bytes than are read; less may be asked for. */
export class AnswerTooLong extends SourceUnavailable {}

type Parameters = Readonly<Record<string, string | number>>;

export interface Rest2Options {
  readonly source: string;
  readonly url: string;
  readonly token: string;
  readonly resilience?: ResilienceSettings | undefined;
}

/**
 * RT's REST2 as the connector uses it: every request but `write` is a read, every answer is checked, and RT's habits
 * (errors with status 200, withheld totals, pages shorter than what they stand for) are dealt with here. Throws
 * `SourceUnavailable`, which names the source and never what was sent or received.
 */
export class Rest2 {
  readonly source: string;
  private readonly root: string;
  private readonly authorization: string;
  private readonly resilience: Resilience;

  constructor(
    private readonly options: Rest2Options,
    private readonly lane: Lane = 'interactive',
    resilience = new Resilience(options.source, options.resilience),
  ) {
    const { protocol, href } = new URL(options.url);
    if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('url: an http or https address is expected');
    this.source = options.source;
    this.root = `${href.replace(/\/+$/, '')}/REST/2.0`;
    this.authorization = `token ${options.token}`;
    this.resilience = resilience;
  }

  /** The same RT under the same limits, in the lane that gives way to people. */
  inBackground(): Rest2 {
    return new Rest2(this.options, 'background', this.resilience);
  }

  /** Null where RT says that the record doesn't exist or isn't this account's to see. */
  async read<Shape extends z.ZodType>(path: string, shape: Shape, parameters: Parameters = {}): Promise<z.output<Shape> | null> {
    const answer = await this.ask(path, parameters);
    return answer === null ? null : this.checked(shape, answer);
  }

  /** One page in the order of ids, and the number of rows of all pages where RT tells it. */
  async page<Item extends z.ZodType>(
    path: string,
    item: Item,
    parameters: Parameters,
    conditions?: readonly Condition[],
  ): Promise<Page<z.output<Item>>> {
    const answer = await this.ask(path, { orderby: 'id', order: 'ASC', per_page: pageSize, ...parameters }, conditions);
    if (answer === null) throw new SourceUnavailable(this.source, 'unauthorized', 403);
    const { items, total, per_page } = this.checked(collectionOf(item), answer);
    return { items, total: total ?? null, perPage: per_page };
  }

  /**
   * All rows with ids above `after`, page by page in the order of ids. RT leaves rows out of a page that this account may
   * not see, so neither a short page nor an empty one is the end: it is reached when `patience` pages behind an empty one
   * are empty too. With a patience of 0 the first page that isn't full is the last: right where nothing can be withheld.
   */
  async *pages<Item extends z.ZodType<{ id: number }>>(
    path: string,
    item: Item,
    search: (after: number) => { parameters: Parameters; conditions?: readonly Condition[] },
    { after, patience }: { after: number; patience: number },
  ): AsyncGenerator<Page<z.output<Item>>> {
    let last = after;
    for (;;) {
      const { parameters, conditions } = search(last);
      let found = await this.page(path, item, { ...parameters, page: 1 }, conditions);
      for (let page = 2; found.items.length === 0 && page <= patience + 1; page += 1) {
        found = await this.page(path, item, { ...parameters, page }, conditions);
      }
      if (found.items.length === 0) return;
      const isFull = found.items.length >= found.perPage;
      // Where nothing can be withheld, a page with less than there is was cut on its way: what is missing isn't gone.
      if (patience === 0 && found.total !== null && !isFull && found.items.length < found.total)
        throw new SourceUnavailable(this.source, 'malformed');
      for (const { id } of found.items) {
        // an answer in another order, or of another search, would make us skip rows or never end
        if (id <= last) throw new SourceUnavailable(this.source, 'malformed');
        last = id;
      }
      yield found;
      if (patience === 0 && !isFull) return;
    }
  }

  /** Everything that `pages` yields, at once. */
  async rows<Item extends z.ZodType<{ id: number }>>(
    path: string,
    item: Item,
    search: (after: number) => { parameters: Parameters; conditions?: readonly Condition[] },
    from: { after: number; patience: number },
  ): Promise<z.output<Item>[]> {
    const rows: z.output<Item>[] = [];
    for await (const { items } of this.pages(path, item, search, from)) rows.push(...items);
    return rows;
  }

  /**
   * Posts what changes something, once. False where RT refuses: it says 400 of a record that doesn't exist or isn't this
   * account's to write to. Whatever is thrown, it may have been done.
   */
  write(path: string, fields: Readonly<Record<string, string>>): Promise<boolean> {
    return this.resilience.once(async (signal) => {
      const response = await this.fetched(path, signal, fields);
      const { status } = response;
      await response.body?.cancel();
      if (status === 201) return true;
      if (status === 400 || status === 403 || status === 404) return false;
      throw this.fault(status);
    });
  }

  /**
   * Posts what makes a record, once, and gives the record's id; null where RT refuses. Whatever is thrown, it may have been made.
   */
  create(path: string, fields: Readonly<Record<string, unknown>>): Promise<string | null> {
    return this.resilience.once(async (signal) => {
      const response = await this.fetched(path, signal, fields);
      const { status } = response;
      if (status === 201) return this.checked(rtMade, this.parsed(await this.text(response))).id;
      await response.body?.cancel();
      if (status === 400 || status === 403 || status === 404) return null;
      throw this.fault(status);
    }, this.lane);
  }

  /** Puts a record's fields, once. Nothing of RT's answer tells whether it did: read the record. Whatever is thrown, it may have. */
  change(path: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    return this.resilience.once(async (signal) => {
      const response = await this.fetched(path, signal, fields, 'PUT');
      const { status } = response;
      await response.body?.cancel();
      if (status !== 200 && status !== 400 && status !== 403 && status !== 404) throw this.fault(status);
    }, this.lane);
  }

  private checked<Shape extends z.ZodType>(shape: Shape, answer: unknown): z.output<Shape> {
    const result = shape.safeParse(answer);
    // RT sends some of its errors with status 200 as {"message": …} or as a list of sentences: they end here as well.
    // The finding itself quotes the answer, so that it goes no further.
    if (!result.success) throw new SourceUnavailable(this.source, 'malformed');
    return result.data;
  }

  private ask(path: string, parameters: Parameters, conditions?: readonly Condition[]): Promise<unknown> {
    const query = new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]));
    return this.resilience.call(async (signal) => {
      const response = await this.fetched(`${path}?${query}`, signal, conditions);
      const { status } = response;
      if (status === 200) return this.parsed(await this.text(response));
      await response.body?.cancel();
      if (status === 403 || status === 404) return null;
      throw this.fault(status);
    }, this.lane);
  }

  private fetched(
    path: string,
    signal: AbortSignal,
    body?: object,
    method = body === undefined ? 'GET' : 'POST',
  ): Promise<Response> {
    return fetch(`${this.root}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        authorization: this.authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // the token must not follow a redirect to another host
      redirect: 'manual',
      signal,
    });
  }

  private fault(status: number): SourceUnavailable {
    if (status === 401) return new SourceUnavailable(this.source, 'unauthorized', status);
    if (status === 429) return new SourceUnavailable(this.source, 'rate-limited', status);
    return new SourceUnavailable(this.source, status >= 500 ? 'fault' : 'malformed', status);
  }

  private async text(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.byteLength;
      if (length > answerLimit) throw new AnswerTooLong(this.source, 'malformed');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  private parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new SourceUnavailable(this.source, 'malformed');
    }
  }
}
