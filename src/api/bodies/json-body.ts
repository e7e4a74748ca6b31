/** Bodies: parsed once, with the bytes kept, so that a call can pass them on without writing them again. */
import type { FastifyInstance } from 'fastify';
import { outlineJson } from '../../models/json-outline.ts';
import { GatewayError } from '../../types/errors.ts';

/** Deeper bodies are refused: no honest request comes near, and recursion over one would exhaust the stack. */
const maxDepth = 200;

export function parseJsonBody(bytes: Buffer): { body: unknown; source: { bytes: Buffer; outline: ReturnType<typeof outlineJson> } } {
  if (bytes.length === 0) throw new GatewayError('invalid_json', 'The body is empty; send a JSON object.');
  const outline = outlineJson(bytes, maxDepth);
  try {
    return { body: JSON.parse(bytes.toString('utf8')) as unknown, source: { bytes, outline } };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'not JSON';
    throw new GatewayError('invalid_json', `The body is not valid JSON: ${reason}`, { cause });
  }
}

export function addJsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(.+\+)?json(;|$)/, { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      const { body, source } = parseJsonBody(bytes as Buffer);
      request.jsonSource = source;
      done(null, body);
    } catch (thrown) {
      done(thrown as Error);
    }
  });
}
