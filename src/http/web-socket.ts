import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ExecutionResult, type FormattedExecutionResult, GraphQLError, type GraphQLErrorOptions, parse } from 'graphql';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import type { App } from '../app';
import type { Presented } from '../authz/identity/presented-tokens';
import { asksForNonce } from '../authz/identity/proof-fault';
import type { Failure } from '../failure';
import type { Arrival } from '../features/actors/actors.service';
import { reportFault } from '../log';
import { presentedBy } from './presented';
import type { Subscriptions } from './subscriptions';

/** What is used of a socket of `ws`. */
interface Socket {
  readonly protocol: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(data: string, done: (error?: Error) => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): void;
  on(event: 'pong' | 'ping', listener: () => void): void;
  on(event: 'close', listener: (code: number, reason: { toString(): string }) => void): void;
}

/** Largest message of a client, in bytes: a document is far below. */
const largestMessage = 64 * 1024;
/** Messages, and frames that only ask whether somebody is there, that a client may send within a minute. */
const messagesPerMinute = 240;
/** Milliseconds for the message by which a connection begins. */
const initWithin = 3_000;
/** Milliseconds between two looks at whether a client is there and may be. */
const beatEvery = 15_000;
/** Milliseconds for a message to be taken by its reader, and bytes that may wait for that. */
const takenWithin = 10_000;
const mostWaiting = 256 * 1024;
/** Subscriptions of one connection. */
const mostOfConnection = 8;
/** Connections at once. */
const mostConnections = 2_048;

/** Close codes beside those of the protocol (RFC 6455, 7.4.1). */
const code = { goingAway: 1001, policy: 1008, tooSlow: 1013 } as const;

const isOpen = ({ readyState }: Socket): boolean => readyState === 1;

/** What the protocol's library is told that it runs; what is run was looked at before. */
const anySubscription = parse('subscription { alerts { cursor } }', { noLocation: true });

/** `connectionParams.authorization` and `dpop`, as browsers can't set headers; what isn't among them may stand in these. */
const presentedIn = (params: Readonly<Record<string, unknown>> | undefined, request: FastifyRequest): Presented => {
  const { authorization, proof } = presentedBy(request);
  const textOf = (name: string, header: string): unknown => params?.[name] ?? params?.[header];
  const [given, proven] = [textOf('authorization', 'Authorization'), textOf('dpop', 'DPoP')];
  return {
    authorization: typeof given === 'string' ? given : authorization,
    ...(proof === undefined ? {} : { proof: { ...proof, text: typeof proven === 'string' ? proven : proof.text } }),
  };
};

/** The same sent as `graphql-transport-ws`; it sends nothing while its reader takes nothing, and drops who is too slow. */
class Connection {
  private messages = 0;
  private isThere = true;
  private readonly beat: NodeJS.Timeout;
  private term: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    isAllowed: () => Promise<boolean>,
  ) {
    let beats = 0;
    this.beat = setInterval(() => {
      if (!this.isThere) return socket.terminate();
      this.isThere = false;
      beats += 1;
      if (beats % Math.ceil(60_000 / beatEvery) === 0) this.messages = 0;
      socket.ping();
      void isAllowed().then((allowed) => allowed || this.close(CloseCode.Forbidden, 'Forbidden'));
    }, beatEvery);
    this.beat.unref();
    socket.on('pong', () => {
      this.isThere = true;
    });
  }

  /** False once they have sent too many, or take nothing of what is answered. */
  admits(): boolean {
    this.messages += 1;
    if (this.messages > messagesPerMinute) this.close(code.policy, 'Too many messages');
    else if (this.socket.bufferedAmount > mostWaiting) this.drop();
    else return true;
    return false;
  }

  /** Resolves once the message was taken from here. */
  send(data: string): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      if (!isOpen(socket)) return resolve();
      const late = setTimeout(() => this.drop(), takenWithin);
      socket.send(data, () => {
        clearTimeout(late);
        // The kernel took it; where what came before waits still, so does what comes next.
        void this.drained().then(resolve);
      });
    });
  }

  close(why: number, reason: string): void {
    this.socket.close(why, reason);
    // Who doesn't answer to that is gone all the same.
    setTimeout(() => this.socket.terminate(), 2_000).unref();
  }

  /** After so many milliseconds they may be here no more. */
  closeIn(milliseconds: number): void {
    clearTimeout(this.term);
    if (isOpen(this.socket)) this.term = setTimeout(() => this.close(CloseCode.Forbidden, 'Forbidden'), milliseconds).unref();
  }

  end(): void {
    clearInterval(this.beat);
    clearTimeout(this.term);
  }

  private drop(): void {
    this.close(code.tooSlow, 'Too slow');
  }

  private async drained(): Promise<void> {
    const until = performance.now() + takenWithin;
    while (isOpen(this.socket) && this.socket.bufferedAmount > 0) {
      if (performance.now() > until) return this.drop();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export interface SocketParts {
  readonly app: App;
  readonly subscriptions: Subscriptions;
  /** Whether a page may open one. */
  readonly isWelcome: (request: FastifyRequest) => boolean;
  /** Counts why somebody wasn't identified, and says it where they may be told. */
  readonly refused: (error: unknown) => Failure | undefined;
  /** Counts a token that was refused, for the address that it came from. */
  readonly countRefusal: (request: FastifyRequest) => Promise<void>;
  /** Throws `RATE_LIMITED` for an address from which too many were. */
  readonly expectFewRefused: (request: FastifyRequest) => Promise<void>;
}

/** Subscriptions by the protocol `graphql-transport-ws`, at the address of the graph. */
export const webSocketRoutes =
  ({ app, subscriptions, isWelcome, refused, countRefusal, expectFewRefused }: SocketParts) =>
  async (server: FastifyInstance): Promise<void> => {
    const open = new Set<Connection>();
    await server.register(websocket, {
      options: {
        maxPayload: largestMessage,
        perMessageDeflate: false,
        handleProtocols: (protocols: Set<string>) => handleProtocols(protocols),
      },
      errorHandler: (_error, socket) => (socket as Socket).terminate(),
      preClose: (done) => {
        for (const connection of open) connection.close(code.goingAway, 'Going away');
        done();
      },
    });

    const serve = async (socket: Socket, request: FastifyRequest): Promise<void> => {
      let arrival: Arrival | null = null;
      const isAllowed = async () => {
        if (arrival === null) return true;
        return arrival.again().then(
          () => true,
          () => false,
        );
      };
      const connection = new Connection(socket, isAllowed);
      const protocol = makeServer<Record<string, unknown>, undefined>({
        connectionInitWaitTimeout: initWithin,
        onConnect: async ({ connectionParams }) => {
          try {
            arrival = await app.actors.arrive(presentedIn(connectionParams, request));
            connection.closeIn(Math.max(0, arrival.actor.expiresAt.getTime() - app.clock().getTime()) + 1_000);
            return true;
          } catch (error) {
            const failure = refused(error);
            // What a header tells elsewhere: the library says no more than that it is forbidden.
            if (failure && asksForNonce(failure))
              connection.close(CloseCode.Forbidden, `use_dpop_nonce ${app.actors.proofNonce}`);
            else await countRefusal(request);
            return false;
          }
        },
        onSubscribe: async ({ subscriptions: ids }, _id, payload) => {
          if (Object.keys(ids).length > mostOfConnection) {
            connection.close(code.policy, 'Too many subscriptions');
            return [];
          }
          if (arrival === null) return [];
          const told = await subscriptions.subscribe({ arrival, body: payload });
          if ('refusal' in told)
            return (told.refusal.errors ?? []).map(
              ({ message, ...rest }) => new GraphQLError(message, rest as GraphQLErrorOptions),
            );
          return { schema: app.schema, document: anySubscription, rootValue: told.events };
        },
        subscribe: ({ rootValue }) => rootValue as AsyncGenerator<ExecutionResult>,
        onNext: (_context, _id, _payload, _args, result) => result as FormattedExecutionResult,
      });
      const closed = protocol.opened(
        {
          protocol: socket.protocol,
          send: (data) => connection.send(data),
          close: (why, reason) => connection.close(why ?? CloseCode.InternalServerError, reason ?? ''),
          onMessage: (listener) =>
            socket.on('message', (data) => {
              if (!connection.admits()) return;
              listener(data.toString()).catch((error: unknown) => {
                reportFault(app.log, request.id, error);
                connection.close(CloseCode.InternalServerError, 'Internal error');
              });
            }),
          onPing: async () => {},
        },
        undefined,
      );
      socket.on('ping', () => connection.admits());
      open.add(connection);
      socket.on('close', (why, reason) => {
        open.delete(connection);
        connection.end();
        void closed(why, reason.toString());
      });
      if (open.size > mostConnections) connection.close(code.tooSlow, 'Too many connections');
    };

    server.route({
      method: 'GET',
      url: '/graphql',
      exposeHeadRoute: false,
      onRequest: async (request, reply) => {
        if (!request.ws) return reply.callNotFound();
        if (!isWelcome(request)) return reply.code(403).send();
        await expectFewRefused(request);
      },
      handler: (_request, reply) => reply.callNotFound(),
      wsHandler: (socket, request) => serve(socket as Socket, request),
    });
  };
