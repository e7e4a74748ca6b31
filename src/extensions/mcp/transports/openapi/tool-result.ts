/** Converts the answer of a REST service to a tool result: bounded, with secrets redacted. */
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';
import { readBounded } from '../session/bounded-body.ts';
import type { ToolResult } from '../../../../types/tool-source.ts';
import type { SchemaCheck } from '../../../../schema/json-schema.ts';

const mostErrorCharacters = 4_000;

/** An error for the model: the reason and the remedy. */
export function failedResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** `hide` redacts secrets in a text. `fits` validates the output schema; null for an operation without one. */
export async function readAnswer(
  response: Response,
  most: number,
  hide: (text: string) => string,
  fits: SchemaCheck | null,
): Promise<ToolResult> {
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    return failedResult(`The service answered with a redirect (${status}), which is not followed. Its address may have changed.`);
  }
  const body = await readBounded(response, most);
  if (body === null)
    return failedResult(`The answer is larger than the ${most} bytes allowed. Ask for less, for example a page or a filter.`);
  const type = (response.headers.get('content-type') ?? '').toLowerCase();
  if (status >= 400)
    return failedResult(`HTTP ${status}${body.length === 0 ? '' : `: ${hide(body.toString('utf8')).slice(0, mostErrorCharacters)}`}`);
  if (body.length === 0) return { content: [{ type: 'text', text: `HTTP ${status}, without content` }] };
  if (type.startsWith('image/') && !type.startsWith('image/svg'))
    return { content: [{ type: 'image', data: body.toString('base64'), mimeType: type.split(';')[0] ?? type }] };
  const isText = type === '' || /^text\/|json|xml|javascript|yaml|urlencoded|^image\/svg/.test(type);
  if (!isText)
    return failedResult(`The service answered with ${body.length} bytes of ${type.split(';')[0]}, which cannot be shown to a model.`);
  const text = hide(body.toString('utf8'));
  const content: JsonObject[] = [{ type: 'text', text }];
  if (fits === null) return { content };
  const value = /json/.test(type) ? parsed(text) : undefined;
  const fault = isJsonObject(value) ? fits.fault(value) : { path: 'it', message: 'is no JSON object' };
  if (fault !== null)
    return {
      content: [
        {
          type: 'text',
          text: `The service's answer is not what its OpenAPI document says (${fault.path || 'it'} ${fault.message}). It was:`,
        },
        ...content,
      ],
      isError: true,
    };
  return { content, structuredContent: value as JsonObject };
}
