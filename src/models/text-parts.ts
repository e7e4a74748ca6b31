/** Joins text-only content to one string: some vendors accept no lists of parts for some roles. */
import { isJsonObject, type Json } from '../types/json.ts';

/** One string when all parts are plain text without further members, otherwise the parts unchanged. */
export function joinTextParts(parts: readonly Json[], separator: string): string | readonly Json[] {
  const texts: string[] = [];
  for (const part of parts) {
    if (!isJsonObject(part) || part['type'] !== 'text' || typeof part['text'] !== 'string' || Object.keys(part).length !== 2) return parts;
    texts.push(part['text']);
  }
  return texts.join(separator);
}
