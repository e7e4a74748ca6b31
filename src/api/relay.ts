/** Relays requests of a worker to the primary process, over its socket: headers and body unchanged, streams and callers who leave included. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { renderError } from '../models/client-formats/error.ts';
import { renderMessagesError } from '../models/client-formats/messages/error.ts';
import { GatewayError } from '../types/errors.ts';
import { requestId } from './admission.ts';
import { hasBody, smallBytes } from './bodies/body-admission.ts';
import { lingerMs } from './bodies/lingering-close.ts';

// An import of this module of Node would load its `fetch`, too.
const { request: sendRequest } = process.getBuiltinModule('node:http');

/** Tells the primary process the address of the caller. The primary believes it on its own socket alone. */
const addressHeader = 'x-pailou-caller-address';

/** Headers of one connection. Node sets those of the other. */
const ofConnection: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding']);
/** Headers that describe a body which was read already. */
const ofBody: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect']);

/** Names and values in turn, as in `rawHeaders`, without these names. */
function without(rawHeaders: readonly string[], names: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!names(name.toLowerCase())) kept.push(name, rawHeaders[index + 1] ?? '');
  }
  return kept;
}

export interface RelayOptions {
  /** The socket of the primary process. */
  readonly socketPath: string;
  /** True while clients are asked for a new connection. */
  readonly isStopping: () => boolean;
}

export interface Relay {
  /** `body`: its bytes, when they were read already. */
  pass(request: IncomingMessage, response: ServerResponse, body?: Buffer): void;
}

/** Ends a response whose request is not read to its end. Closing at once would reset the connection, and a reset can destroy the response. */
function endLate(response: ServerResponse): void {
  const late = setTimeout(() => response.end(), lingerMs).unref();
  response.on('close', () => clearTimeout(late));
}

/** The primary process has ended or is about to. */
function unreachable(request: IncomingMessage, response: ServerResponse): void {
  const error = new GatewayError('shutting_down', 'This node is stopping or was restarted. Send the request again.', {
    retryAfterSeconds: 1,
  });
  const id = requestId(request);
  const text = request.url?.startsWith('/v1/messages') === true ? renderMessagesError(error, id) : renderError(error, id);
  response.writeHead(error.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
    'retry-after': '1',
    'x-request-id': id,
  });
  response.write(text);
  if (request.complete) response.end();
  else endLate(response);
}

/** Without a declared length a body arrives only with its last chunk. */
const isSmall = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && headers.expect === undefined && Number(headers['content-length']) <= smallBytes;

export function createRelay({ socketPath, isStopping }: RelayOptions): Relay {
  const passAnswer = (request: IncomingMessage, response: ServerResponse, outgoing: ClientRequest, answer: IncomingMessage): void => {
    const headers = without(answer.rawHeaders, (name) => ofConnection.has(name));
    const closes = answer.headers.connection?.toLowerCase() === 'close';
    if (closes || isStopping()) headers.push('connection', 'close');
    // The primary process answers without the rest of the body, so the caller's stays unread too.
    const isUnread = closes && !request.complete;
    if (isUnread) request.unpipe(outgoing).pause();
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    // The headers of a stream leave before its first event.
    if (answer.headers['content-length'] === undefined) response.flushHeaders();
    answer.on('error', () => response.destroy());
    answer.pipe(response, { end: !isUnread });
    if (!isUnread) return;
    answer.on('end', () => {
      outgoing.destroy();
      endLate(response);
    });
  };

  const send = (request: IncomingMessage, response: ServerResponse, body?: Buffer): void => {
    const headers = without(
      request.rawHeaders,
      (name) => name === addressHeader || name === 'connection' || (body !== undefined && ofBody.has(name)),
    );
    headers.push(addressHeader, request.socket.remoteAddress ?? '');
    if (body !== undefined) headers.push('content-length', String(body.length));
    // The primary process reads what it does not need of a body before it closes a connection that its client would keep.
    headers.push('connection', 'keep-alive');
    const { method = 'GET', url = '/' } = request;
    // A new connection for each request: the primary process may close an idle one at the moment of its reuse.
    const outgoing = sendRequest({ socketPath, method, path: url, headers, agent: false, setHost: false });
    let isAnswered = false;
    outgoing.on('response', (answer) => {
      isAnswered = true;
      passAnswer(request, response, outgoing, answer);
    });
    outgoing.on('continue', () => response.writeContinue());
    outgoing.on('error', () => {
      // What follows an answer is reported by the answer itself.
      if (!isAnswered && !response.closed) unreachable(request, response);
    });
    response.on('close', () => outgoing.destroy());
    if (body !== undefined) outgoing.end(body);
    else if (!hasBody(request)) outgoing.end();
    else {
      // A caller who sends nothing further is answered too.
      outgoing.flushHeaders();
      request.pipe(outgoing);
    }
  };

  return {
    pass(request, response, body) {
      if (body !== undefined || !isSmall(request)) return send(request, response, body);
      // A body that arrives with its headers is sent with them: less work for both processes.
      setImmediate(() => {
        if (response.closed) return;
        if (!request.complete) return send(request, response);
        const parts: Buffer[] = [];
        request.on('data', (part: Buffer) => parts.push(part));
        request.on('end', () => send(request, response, Buffer.concat(parts)));
      });
    },
  };
}

/** Makes the address of the caller that of the connection, for a request that a worker has relayed. */
export function readCallerAddress(request: IncomingMessage): void {
  const { socket, headers, rawHeaders } = request;
  // Connections of the network have an address of their own.
  if (socket.remoteAddress !== undefined) return;
  const address = headers[addressHeader];
  if (typeof address !== 'string') return;
  delete headers[addressHeader];
  rawHeaders.splice(0, rawHeaders.length, ...without(rawHeaders, (name) => name === addressHeader));
  Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true });
}
