/** A form with files as the input of a skill: each file becomes `{ name, media_type, base64 }` under the field's name. */
import { Busboy } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

/** All files together, as they are. */
const mostBytes = 64 * 1024 * 1024;
const limits = { files: 16, fields: 64, fieldSize: 4 * 1024 * 1024, fileSize: mostBytes, parts: 80, headerPairs: 32 };

export function isForm(request: FastifyRequest): boolean {
  return /^multipart\/form-data\s*;/i.test(request.headers['content-type'] ?? '');
}

function parseInput(text: string): JsonObject {
  try {
    const input = JSON.parse(text) as Json;
    if (isJsonObject(input)) return input;
  } catch {
    // Told below.
  }
  throw new GatewayError('invalid_request', 'input: must be a JSON object.', { param: 'input' });
}

/** The fields of the form; `input` is JSON, to which files and other fields are added. Throws `invalid_request` or `body_too_large`. */
export async function receiveSkillForm(
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<{ input: JsonObject; stream: boolean; async: boolean }> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  const files: [string, JsonObject][] = [];
  let size = 0;
  const tooLarge = new GatewayError('body_too_large', `The files are larger than ${mostBytes} bytes together.`);
  await new Promise<void>((resolve, reject) => {
    const form = new Busboy({ headers: request.headers as { 'content-type': string }, limits });
    const fail = (error: Error): void => {
      request.raw.unpipe(form);
      request.raw.resume();
      reject(error);
    };
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
    form.on('field', (name, value, _nameCut, valueCut) => {
      if (valueCut) fail(new GatewayError('body_too_large', `${name}: is too long for a field; send it as a file.`, { param: name }));
      else fields[name] = value;
    });
    form.on('file', (name, stream, fileName, _encoding, type) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => {
        size += part.length;
        if (size > mostBytes) fail(tooLarge);
        else parts.push(part);
      });
      stream.on('end', () => files.push([name, { name: fileName, media_type: type, base64: Buffer.concat(parts).toString('base64') }]));
    });
    form.on('partsLimit', () => fail(new GatewayError('invalid_request', 'The form has too many parts.')));
    form.on('filesLimit', () => fail(new GatewayError('invalid_request', 'The form has too many files.')));
    form.on('error', (cause) =>
      fail(new GatewayError('invalid_request', 'The form cannot be read; it is cut or not multipart/form-data.', { cause })),
    );
    form.on('finish', () => resolve());
    request.raw.on('aborted', () => fail(new GatewayError('client_closed_request', 'The caller left.')));
    request.raw.pipe(form);
  });
  const { input, stream, async: detached, ...more } = fields;
  const refused = [...Object.keys(more), ...files.map(([name]) => name)].find((name) => name === '__proto__' || name === 'constructor');
  if (refused !== undefined) throw new GatewayError('invalid_request', `${refused}: is no field of a form here.`, { param: refused });
  return {
    input: { ...more, ...(input === undefined ? {} : parseInput(input)), ...Object.fromEntries(files) },
    stream: stream === 'true',
    async: detached === 'true',
  };
}
