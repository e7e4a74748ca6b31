/** Parses JSON bodies once and keeps the bytes, so that a call can forward them unchanged. */
import type { FastifyInstance } from 'fastify';
import { outlineJson } from '../../models/json-outline.ts';
import type { ParsedJson } from '../../models/json-slices.ts';
import { GatewayError } from '../../types/errors.ts';
import { personOf } from './body-admission.ts';
import { createLargeBodyQueue } from './large-body-queue.ts';
import { readBody } from './read-body.ts';

/** The deepest nesting that is accepted: recursion over a deeper body could exhaust the stack. */
const maxDepth = 200;
/** Up to this size a native parse blocks other calls for a few milliseconds at most. */
const largeBytes = 524_288;

export function parseJsonBody(bytes: Buffer): ParsedJson {
  if (bytes.length === 0) throw new GatewayError('invalid_json', 'The body is empty; send a JSON object.');
  const outline = outlineJson(bytes, maxDepth);
  try {
    return { body: JSON.parse(bytes.toString('utf8')) as unknown, outline };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'not JSON';
    throw new GatewayError('invalid_json', `The body is not valid JSON: ${reason}`, { cause });
  }
}

export function addJsonBody(app: FastifyInstance, bodyLimit: number): void {
  const queue = createLargeBodyQueue({ maxDepth });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(.+\+)?json(;|$)/, (request, payload, done) => {
    readBody(request, payload, bodyLimit, (error, bytes) => {
      const finish = (failed: Error | null, parsed?: ParsedJson): void => {
        request.bodyArrival?.leave();
        if (bytes === undefined || parsed === undefined) return done(failed);
        request.jsonSource = { bytes, outline: parsed.outline };
        done(null, parsed.body);
      };
      if (bytes === undefined) return finish(error);
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
}
