/** Converts content parts of the Responses format to those of chat completions. */
import type { Demand } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { joinTextParts } from '../../text-parts.ts';
import { atOpenai, invalid, typeName } from './request-errors.ts';

/** The values of `detail` in chat completions. The Responses format has finer ones, such as `original`. */
const details: ReadonlySet<string> = new Set(['low', 'high', 'auto']);

/** What a reader of content reports. */
export interface ContentLosses {
  /** Receives what is left out. */
  readonly leaveOut: (what: string) => void;
  /** Receives what only a vendor of the Responses format can read. */
  readonly demand: (demand: Demand) => void;
}

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

function readFile(part: JsonObject, path: string, losses: ContentLosses): JsonObject {
  if (typeof part['file_id'] === 'string') throw atOpenai(`${path}.file_id`, 'a stored file', fileRemedy);
  const { file_data: data, filename, file_url: url } = part;
  if (typeof url === 'string' && url !== '') {
    losses.demand({ param: `${path}.file_url`, need: 'files by address; send the bytes in base64' });
    return { type: 'file', file: { file_url: url } };
  }
  if (typeof data !== 'string' || data === '') throw invalid(`${path}.file_data`, 'must be the file in base64.');
  return { type: 'file', file: { ...(typeof filename === 'string' ? { filename } : {}), file_data: data } };
}

function readPart(part: Json, path: string, losses: ContentLosses): readonly JsonObject[] {
  if (!isJsonObject(part)) throw invalid(path, 'must be an object with a type.');
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
    case 'reasoning_text':
      if (typeof part['text'] !== 'string') throw invalid(`${path}.text`, 'must be a text.');
      return [{ type: 'text', text: part['text'] }];
    case 'refusal':
      return [{ type: 'refusal', refusal: typeof part['refusal'] === 'string' ? part['refusal'] : '' }];
    // A message between agents: what one agent wrote in a parameter that OpenAI would encrypt.
    case 'encrypted_content':
      return [{ type: 'text', text: typeof part['encrypted_content'] === 'string' ? part['encrypted_content'] : '' }];
    case 'input_image':
    case 'computer_screenshot':
      return [readImage(part, path)];
    case 'input_file':
      return [readFile(part, path, losses)];
    case 'input_audio':
      return [part];
    default:
      if (typeof part['type'] !== 'string') throw invalid(`${path}.type`, 'is missing.');
      losses.leaveOut(`the content ${typeName(part['type'])}`);
      return [];
  }
}

/** A text unchanged; a list of text parts as one text; any other list as parts. */
export function readContent(content: Json | undefined, path: string, separator: string, losses: ContentLosses): Json {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(path, 'must be a text or a list of parts.');
  return joinTextParts(
    content.flatMap((part: Json, index) => readPart(part, `${path}[${index}]`, losses)),
    separator,
  );
}

/** The result of a call. What is neither a text nor a list becomes JSON. */
export function readOutput(output: Json | undefined, path: string, losses: ContentLosses): Json {
  if (output === undefined || output === null) return '';
  return readContent(typeof output === 'string' || Array.isArray(output) ? output : JSON.stringify(output), path, '\n', losses);
}

/** The concatenated text of a list of parts. */
export function textIn(parts: Json | undefined): string {
  if (!Array.isArray(parts)) return '';
  return parts.map((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('\n\n');
}
