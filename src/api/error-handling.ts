/** Turns every failure into one response: Anthropic's shape for its clients, OpenAI's for others. Internal details stay inside. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { renderError } from '../models/client-formats/error.ts';
import { renderMessagesError } from '../models/client-formats/messages/error.ts';
import type { AuditLog } from '../storage/audit.ts';
import { createDenialAudit } from './denial-audit.ts';
import { speaksMessages } from './request-context.ts';
import { metadataOf } from './routes/protected-resource.ts';
import { notJson } from './bodies/json-body.ts';
import { isBodyPending, sendAndClose } from './bodies/lingering-close.ts';
import { type ErrorCode, GatewayError, toGatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import type { Refusal } from '../types/refusal.ts';
import { firstZodFault, faultSentence } from '../schema/zod-errors.ts';
import type { Logger } from '../types/logger.ts';

/** Where a field stands that is not in the body, by Fastify's word for the place. */
const placesOfFields: Readonly<Record<string, string>> = {
  querystring: 'query parameter',
  params: 'part of the address',
  headers: 'header',
};

/** An error of Fastify as a GatewayError. */
function fromFastify(error: FastifyError, bodyLimit: number): GatewayError {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issues = error.validation.map(({ keyword, instancePath, message, params }) => ({
      code: keyword,
      message: message ?? error.message,
      path: instancePath
        .split('/')
        .filter((part) => part !== '')
        .map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
      keys: params['keys'],
    }));
    const fault = firstZodFault(issues);
    const place = placesOfFields[error.validationContext ?? ''];
    // A caller writes a list as one parameter, such as `by=day,user`.
    const param = place === undefined ? fault.param : fault.param.replace(/\[\d+\]$/, '');
    const sentence = place === undefined ? faultSentence(fault) : `${param} (${place}): ${fault.sentence}.`;
    return new GatewayError('invalid_request', sentence, { param: param || undefined, cause: error });
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new GatewayError('body_too_large', `The body is larger than ${bodyLimit} bytes, the limit of this gateway.`, { cause: error });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return notJson(error);
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new GatewayError('invalid_json', 'The body is empty; send a JSON object.', { cause: error });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new GatewayError('invalid_request', 'The body is shorter or longer than its Content-Length header says.', { cause: error });
    case 'FST_ERR_BAD_URL':
      return new GatewayError('invalid_request', 'The address is not a valid URL; check its percent-encoding.', { cause: error });
    default:
      return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
        ? new GatewayError('invalid_request', 'The request is malformed.', { cause: error, details: error.message })
        : toGatewayError(error);
  }
}

export const nothingHere = (): GatewayError =>
  new GatewayError('not_found', 'There is nothing at this address. /docs lists all addresses.');

const messagesAddress = /^\/v1\/messages(?:[/?]|$)/;
/** Addresses of both APIs: the header tells whose client asks. */
const sharedAddress = /^\/v1\/models(?:[/?]|$)/;

/** RFC 6750 3: no `error` when no credential was sent. MCP clients get the metadata address (RFC 9728 5.1). */
function challengeOf(reply: FastifyReply, error: GatewayError): string {
  const parts = ['realm="pailou"'];
  if (error.code !== 'token_missing') parts.push('error="invalid_token"');
  const path = reply.request.url.split('?', 1)[0] ?? '';
  // An address with a quotation mark belongs to no server.
  if (/^\/mcp(\/[^"\\\s]*)?$/.test(path)) parts.push(`resource_metadata="${metadataOf(reply.server.publicUrl, path)}"`);
  return `Bearer ${parts.join(', ')}`;
}

/** Sends `error` as the whole response. */
export function sendError(reply: FastifyReply, error: GatewayError, requestId: string): void {
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(error.retryAfterSeconds)));
  // OpenAI's clients retry every 429 by default; a budget returns with the next day, not the next second.
  if (error.code === 'budget_exhausted') reply.header('x-should-retry', 'false');
  if (error.status === 401) reply.header('www-authenticate', challengeOf(reply, error));
  // The place where Anthropic's clients read the request id.
  const { url } = reply.request;
  const messages = messagesAddress.test(url) || (sharedAddress.test(url) && speaksMessages(reply.request));
  if (messages) reply.header('request-id', requestId);
  const text = messages ? renderMessagesError(error, requestId) : renderError(error, requestId);
  reply.code(error.status).header('content-type', 'application/json; charset=utf-8');
  if (isBodyPending(reply.request)) sendAndClose(reply, text);
  else void reply.send(text);
}

export interface ErrorHandlingOptions {
  readonly bodyLimit: number;
  readonly logger: Logger;
  readonly audit: Pick<AuditLog, 'append'>;
  /** The tenant whose audit records callers without a known tenant. */
  readonly homeTenant: string;
  /** Called for each error of a request for which no run was opened. */
  readonly onRefusal?: ((refusal: Refusal) => void) | undefined;
}

/** Refusals that are audited. A missing token is not: only a wrong one is an attempt. */
const refusals: ReadonlySet<string> = new Set(['token_invalid', 'token_expired', 'sign_in_failed', 'permission_denied']);

function refusalOf(request: FastifyRequest, reply: FastifyReply, code: ErrorCode): Refusal {
  const principal = request.viewer ?? request.principal;
  return {
    code,
    requestId: request.id,
    // The rest of the address is untrusted text.
    route: `${request.method} ${request.routeOptions.url ?? '(nowhere)'}`,
    at: Date.now(),
    ms: Math.round(reply.elapsedTime),
    caller:
      principal === null
        ? null
        : {
            tenant: principal.tenant,
            issuer: principal.issuer,
            subject: principal.subject,
            key: principal.key ?? null,
            client: principal.client,
          },
  };
}

/** Returns the handler for unknown addresses. */
export function addErrorHandling(
  app: FastifyInstance,
  options: ErrorHandlingOptions,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const { logger, audit, homeTenant } = options;
  const denials = createDenialAudit({ audit });
  app.addHook('onClose', async () => denials.close());

  const bookRefusal = (request: FastifyRequest, { code, message }: GatewayError): void => {
    const { method, id: requestId } = request;
    // A refusal of a view is that of the administrator who views.
    const principal = request.viewer ?? request.principal;
    if (principal === null) {
      if (!refusals.has(code)) return;
      // Only the route pattern: the rest of the address is untrusted text.
      const target = `${method} ${request.routeOptions.url ?? '(nowhere)'}`;
      const actor = request.socket.remoteAddress ?? 'unknown';
      denials.book({ tenant: homeTenant, actor, act: 'refused', target, requestId, detail: `${code}: ${message}`.slice(0, 500) });
    } else if (code === 'permission_denied') {
      const target = `${method} ${request.url.split('?', 1)[0] ?? ''}`.slice(0, 300);
      denials.book({ tenant: principal.tenant, actor: personRef(principal), act: 'denied', target, requestId, detail: message });
    }
  };

  app.decorate('noteRefusal', (request: FastifyRequest, reply: FastifyReply, error: GatewayError) => {
    bookRefusal(request, error);
    // The header names the run.
    if (!reply.hasHeader('x-pailou-trace-id')) options.onRefusal?.(refusalOf(request, reply, error.code));
  });

  app.setErrorHandler((thrown: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const error = thrown instanceof GatewayError ? thrown : fromFastify(thrown, request.routeOptions.bodyLimit ?? options.bodyLimit);
    const fields = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      code: error.code,
      details: error.details,
    };
    if (error.code === 'internal_error') logger.error({ ...fields, err: error.cause ?? error }, error.message);
    else logger.debug(fields, error.message);
    app.noteRefusal(request, reply, error);
    sendError(reply, error, request.id);
  });

  const routes: { method: string; pattern: RegExp }[] = [];
  app.addHook('onRoute', (route) => {
    const source = route.url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/:[A-Za-z]+/g, '[^/]+');
    for (const method of [route.method].flat()) routes.push({ method, pattern: new RegExp(`^${source}/?$`) });
  });
  const answerUnknown = (request: FastifyRequest, reply: FastifyReply): void => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = [...new Set(routes.filter((route) => route.pattern.test(path)).map((route) => route.method))];
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '));
      if (request.headers.upgrade?.toLowerCase() === 'websocket') {
        reply.header('upgrade', 'HTTP/1.1').header('connection', 'upgrade');
        const sentence = `There is no WebSocket here; use ${allowed.join(' or ')}. Answers can be streamed.`;
        sendError(reply, new GatewayError('websocket_unsupported', sentence), request.id);
        return;
      }
      sendError(
        reply,
        new GatewayError('method_not_allowed', `${request.method} is not supported here; use ${allowed.join(' or ')}.`),
        request.id,
      );
      return;
    }
    sendError(reply, nothingHere(), request.id);
  };
  app.setNotFoundHandler(answerUnknown);
  return answerUnknown;
}

/** Answers malformed HTTP and oversized headers, before any route is known. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const failure =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new GatewayError('headers_too_large', 'The headers are larger than 64 kB; shorten the token.')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new GatewayError('request_timeout', 'The request did not arrive in time.')
        : new GatewayError('invalid_request', 'This is not valid HTTP/1.1.');
  const body = renderError(failure, '');
  socket.end(
    `HTTP/1.1 ${failure.status} Error\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
