/** Content that is text alone, as one string: not every vendor takes a list of parts for every role. */
import { isJsonObject, type Json } from '../types/json.ts';

/** One string if all parts are plain text without further members, else the parts as they are. */
export function joinTextParts(parts: readonly Json[], separator: string): string | readonly Json[] {
  const texts: string[] = [];
  for (const part of parts) {
    if (!isJsonObject(part) || part['type'] !== 'text' || typeof part['text'] !== 'string' || Object.keys(part).length !== 2) return parts;
    texts.push(part['text']);
  }
  return texts.join(separator);
}
