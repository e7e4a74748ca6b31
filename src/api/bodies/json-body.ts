/** Parses JSON bodies once and keeps the bytes, so that a call can forward them unchanged. */
import { isAscii } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outlineJson } from '../../models/json-outline.ts';
import type { ParsedJson } from '../../models/json-slices.ts';
import { RawBody } from '../../models/raw-body.ts';
import { GatewayError } from '../../types/errors.ts';
import { hasBody, mostOfStrangers, personOf } from './body-admission.ts';
import { decodedBody, encodingOf } from './encoded-body.ts';
import { createLargeBodyQueue } from './large-body-queue.ts';
import { readBody } from './read-body.ts';

/** The deepest nesting that is accepted: recursion over a deeper body could exhaust the stack. */
const maxDepth = 200;
/** Up to this size a native parse blocks other calls for a few milliseconds at most. */
const largeBytes = 524_288;

export function notJson(cause?: unknown): GatewayError {
  return new GatewayError('unsupported_media_type', 'Send the body as JSON with the header Content-Type: application/json.', { cause });
}

export function parseJsonBody(bytes: Buffer): ParsedJson {
  if (bytes.length === 0) throw new GatewayError('invalid_json', 'The body is empty; send a JSON object.');
  const ascii = isAscii(bytes) ? bytes.toString('latin1') : null;
  const outline = outlineJson(bytes, maxDepth, ascii);
  try {
    return { body: JSON.parse(ascii ?? bytes.toString('utf8')) as unknown, outline };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'not JSON';
    throw new GatewayError('invalid_json', `The body is not valid JSON: ${reason}`, { cause });
  }
}

/** True for a route that does without a body. */
function isOptional({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body;
  return body === undefined || (body instanceof z.ZodType && body.safeParse(undefined).success);
}

/** Clients name a media type also without a body, such as Python's MCP client with DELETE. */
function isWithoutBody(request: FastifyRequest, bytes: Buffer): boolean {
  return bytes.length === 0 && isOptional(request);
}

export function addJsonBody(app: FastifyInstance, bodyLimit: number): void {
  const queue = createLargeBodyQueue({ maxDepth });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(.+\+)?json(;|$)/, (request, payload, done) => {
    const limit = encodingOf(request) !== null && request.principal === null ? Math.min(mostOfStrangers, bodyLimit) : bodyLimit;
    let source: Readable;
    try {
      source = decodedBody(request, request.raw, limit);
    } catch (thrown) {
      return done(thrown as Error);
    }
    readBody(request, source === request.raw ? payload : source, limit, (error, bytes, room) => {
      const finish = (failed: Error | null, parsed?: ParsedJson): void => {
        request.bodyArrival?.leave();
        if (bytes === undefined || parsed === undefined) return done(failed);
        request.jsonSource = new RawBody(bytes, parsed.outline, room);
        done(null, parsed.body);
      };
      if (bytes === undefined || isWithoutBody(request, bytes)) return finish(error);
      if (bytes.length > largeBytes) return queue.parse(personOf(request), bytes, finish);
      let parsed: ParsedJson;
      try {
        parsed = parseJsonBody(bytes);
      } catch (thrown) {
        return finish(thrown as Error);
      }
      finish(null, parsed);
    });
  });
  app.addContentTypeParser('*', (request, _payload, done) => {
    if (hasBody(request) || !isOptional(request)) return done(notJson());
    done(null, undefined);
  });
}
