/** Converts content parts of the Responses format to those of chat completions. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { joinTextParts } from '../../text-parts.ts';
import { atOpenai, invalid, typeName } from './request-errors.ts';

/** The values of `detail` in chat completions. The Responses format has finer ones, such as `original`. */
const details: ReadonlySet<string> = new Set(['low', 'high', 'auto']);

const fileRemedy = 'Send the bytes in the request, as base64.';

function readImage(part: JsonObject, path: string): JsonObject {
  const { image_url: url, detail } = part;
  if (typeof part['file_id'] === 'string') throw atOpenai(`${path}.file_id`, 'a stored file', fileRemedy);
  if (typeof url !== 'string' || url === '') throw invalid(`${path}.image_url`, 'must be an address or a data: URL.');
  return {
    type: 'image_url',
    image_url: { url, ...(typeof detail === 'string' ? { detail: details.has(detail) ? detail : 'high' } : {}) },
  };
}

function readFile(part: JsonObject, path: string): JsonObject {
  if (typeof part['file_id'] === 'string') throw atOpenai(`${path}.file_id`, 'a stored file', fileRemedy);
  if (typeof part['file_url'] === 'string') throw atOpenai(`${path}.file_url`, 'a file by address', fileRemedy);
  const { file_data: data, filename } = part;
  if (typeof data !== 'string' || data === '') throw invalid(`${path}.file_data`, 'must be the file in base64.');
  return { type: 'file', file: { ...(typeof filename === 'string' ? { filename } : {}), file_data: data } };
}

function readPart(part: Json, path: string): JsonObject {
  if (!isJsonObject(part)) throw invalid(path, 'must be an object with a type.');
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
    case 'reasoning_text':
      if (typeof part['text'] !== 'string') throw invalid(`${path}.text`, 'must be a text.');
      return { type: 'text', text: part['text'] };
    case 'refusal':
      return { type: 'refusal', refusal: typeof part['refusal'] === 'string' ? part['refusal'] : '' };
    // A message between agents: what one agent wrote in a parameter that OpenAI would encrypt.
    case 'encrypted_content':
      return { type: 'text', text: typeof part['encrypted_content'] === 'string' ? part['encrypted_content'] : '' };
    case 'input_image':
    case 'computer_screenshot':
      return readImage(part, path);
    case 'input_file':
      return readFile(part, path);
    case 'input_audio':
      return part;
    default:
      throw atOpenai(path, `content of type ${typeName(part['type'])}`, 'Leave it out.');
  }
}

/** A text unchanged; a list of text parts as one text; any other list as parts. */
export function readContent(content: Json | undefined, path: string, separator: string): Json {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(path, 'must be a text or a list of parts.');
  return joinTextParts(
    content.map((part: Json, index) => readPart(part, `${path}[${index}]`)),
    separator,
  );
}

/** The concatenated text of a list of parts. */
export function textIn(parts: Json | undefined): string {
  if (!Array.isArray(parts)) return '';
  return parts.map((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('\n\n');
}
