/** A form with files as the input of a skill: each file becomes `{ name, media_type, base64 }` under the field's name. */
import { createRequire } from 'node:module';
import type * as BusboyLibrary from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { BodyReservation } from './body-budget.ts';
import { decodedBody } from './encoded-body.ts';

const require = createRequire(import.meta.url);

/** The limit of all files together, in bytes. */
const mostBytes = 64 * 1024 * 1024;
/** The limit of everything but the files, in bytes. */
const mostBetween = 1024 * 1024;
// One byte more than the limit, so that an excess is noticed.
const limits = { files: 16, fields: 64, fieldSize: 4 * 1024 * 1024, fileSize: mostBytes + 1, parts: 80, headerPairs: 32 };

export function isForm(request: FastifyRequest): boolean {
  return /^multipart\/form-data\s*;/i.test(request.headers['content-type'] ?? '');
}

function parseInput(text: string): JsonObject {
  try {
    const input = JSON.parse(text) as Json;
    if (isJsonObject(input)) return input;
  } catch {
    // Reported below.
  }
  throw new GatewayError('invalid_request', 'input: must be a JSON object.', { param: 'input' });
}

/** A field that the skill's schema does not declare as text is parsed as JSON. */
function valueOf(name: string, text: string, schema: JsonObject): Json {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
  const type = isJsonObject(own) ? own['type'] : undefined;
  if (typeof type !== 'string' || type === 'string') return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new GatewayError('invalid_request', `${name}: must be JSON, because it is of the type ${type}.`, { param: name });
  }
}

function flagOf(name: string, text = 'false'): boolean {
  if (text !== 'true' && text !== 'false') throw new GatewayError('invalid_request', `${name}: must be true or false.`, { param: name });
  return text === 'true';
}

function tooLarge(): GatewayError {
  return new GatewayError('body_too_large', `The form is larger than ${mostBytes} bytes.`);
}

/** Parts of the form with a meaning of their own. */
const words = new Set(['input', 'stream', 'async']);

export interface SkillForm {
  readonly input: JsonObject;
  readonly stream: boolean;
  readonly async: boolean;
}

/** Reads the fields of a form; `input` is JSON, extended by files and other fields. Throws `invalid_request`, `body_too_large`, or `rate_limited` when the reservation finds no room. */
export async function receiveSkillForm(
  request: FastifyRequest,
  schema: JsonObject,
  { signal, room }: { readonly signal: AbortSignal; readonly room: Pick<BodyReservation, 'reach'> },
): Promise<SkillForm> {
  signal.throwIfAborted();
  if (Number(request.headers['content-length'] ?? 0) > mostBytes + mostBetween) throw tooLarge();
  const source = decodedBody(request, request.raw, mostBytes + mostBetween);
  const fields = new Map<string, string>();
  const files = new Map<string, JsonObject>();
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    // Loaded for the first form.
    const { Busboy } = require('@fastify/busboy') as typeof BusboyLibrary;
    const form = new Busboy({ headers: request.headers as { 'content-type': string }, limits });
    const fail = (error: Error): void => {
      source.unpipe(form);
      source.pause();
      reject(error);
    };
    const refuse = (sentence: string, param?: string): void => fail(new GatewayError('invalid_request', sentence, { param }));
    /** False when the form exceeds its limit. */
    const grow = (bytes: number): boolean => {
      size += bytes;
      try {
        if (size > mostBytes) throw tooLarge();
        room.reach(size);
        return true;
      } catch (thrown) {
        fail(thrown as Error);
        return false;
      }
    };
    const take = <T>(name: string, into: Map<string, T>, value: T): void => {
      if (name === '__proto__' || name === 'constructor') refuse(`${name}: is not a field of this form.`, name);
      else if (fields.has(name) || files.has(name)) refuse(`${name}: occurs twice; send a list as JSON in the field input.`, name);
      else into.set(name, value);
    };
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
    form.on('field', (name, value, _nameCut, valueCut) => {
      if (valueCut) fail(new GatewayError('body_too_large', `${name}: is too long for a field; send it as a file.`, { param: name }));
      else if (grow(Buffer.byteLength(value))) take(name, fields, value);
    });
    form.on('file', (name, stream, fileName, _encoding, type) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => {
        if (grow(part.length)) parts.push(part);
      });
      stream.on('end', () => {
        const base64 = Buffer.concat(parts).toString('base64');
        if (words.has(name)) refuse(`${name}: is a field, not a file.`, name);
        else take(name, files, { name: fileName, media_type: type, base64 });
      });
    });
    form.on('partsLimit', () => refuse('The form has too many parts.'));
    form.on('filesLimit', () => refuse(`The form has more than ${limits.files} files.`));
    form.on('fieldsLimit', () => refuse(`The form has more than ${limits.fields} fields; put them into the field input, as JSON.`));
    form.on('error', (cause) =>
      fail(new GatewayError('invalid_request', 'The form cannot be read; it is cut or not multipart/form-data.', { cause })),
    );
    form.on('finish', () => resolve());
    request.raw.on('aborted', () => fail(new GatewayError('client_closed_request', 'The caller left.')));
    source.on('error', fail);
    source.pipe(form);
  });
  const whole = fields.get('input');
  const input = whole === undefined ? {} : parseInput(whole);
  const twice = [...fields.keys(), ...files.keys()].find((name) => Object.hasOwn(input, name));
  if (twice !== undefined)
    throw new GatewayError('invalid_request', `${twice}: is also in the field input; send it once.`, { param: twice });
  const more = [...fields].filter(([name]) => !words.has(name)).map(([name, text]): [string, Json] => [name, valueOf(name, text, schema)]);
  return {
    input: { ...Object.fromEntries(more), ...input, ...Object.fromEntries(files) },
    stream: flagOf('stream', fields.get('stream')),
    async: flagOf('async', fields.get('async')),
  };
}
