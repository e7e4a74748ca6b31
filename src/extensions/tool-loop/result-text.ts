/** The text of a tool result for the model. Binary content is named, not included: it would only cost tokens. */
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import type { ToolResult } from '../../types/tool-source.ts';

const sizeOf = (base64: string): string => `${Math.floor((base64.length * 3) / 4)} bytes`;

function partText(part: JsonObject): string {
  const { type, text, data, mimeType, resource } = part;
  if (type === 'text' && typeof text === 'string') return text;
  if ((type === 'image' || type === 'audio') && typeof data === 'string')
    return `[${type} ${typeof mimeType === 'string' ? mimeType : ''}, ${sizeOf(data)}: it cannot be shown here]`;
  if (type !== 'resource' || !isJsonObject(resource)) return JSON.stringify(part);
  if (typeof resource['text'] === 'string') return resource['text'];
  const { blob, ...rest } = resource;
  return typeof blob === 'string' ? `[file ${JSON.stringify(rest)}, ${sizeOf(blob)}: it cannot be shown here]` : JSON.stringify(part);
}

/** The text parts; the structured content when there are none. */
export function resultText({ content, structuredContent }: ToolResult): string {
  if (content.length === 0 && structuredContent !== undefined) return JSON.stringify(structuredContent);
  return content.map(partText).join('\n');
}
