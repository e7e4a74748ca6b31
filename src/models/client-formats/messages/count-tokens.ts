/** Estimates the tokens of a request, including pictures and files. */
import type { ChatBody } from '../../../types/chat.ts';
import { isJsonObject, type Json } from '../../../types/json.ts';
import { estimateUsage } from '../../estimate-usage.ts';

/** Anthropic's count for the largest picture that it does not shrink. */
const tokensPerPicture = 1_600;
/** A PDF page counts as its text and a picture of it. Scans and plain pages lie on both sides of this value. */
const tokensPerPage = 2_000;
const charactersPerPage = 67_000;

function tokensOfPart(part: Json): number {
  if (!isJsonObject(part)) return 0;
  if (part['type'] === 'image_url') return tokensPerPicture;
  const file = part['file'];
  if (part['type'] !== 'file' || !isJsonObject(file) || typeof file['file_data'] !== 'string') return 0;
  return tokensPerPage * Math.max(1, Math.round(file['file_data'].length / charactersPerPage));
}

/** An estimate: texts by a tokenizer, pictures and files by the constants above. */
export function countTokens(body: ChatBody): number {
  let tokens = estimateUsage(body, '').inputTokens;
  for (const { content } of body.messages) {
    if (Array.isArray(content)) for (const part of content as readonly Json[]) tokens += tokensOfPart(part);
  }
  return tokens;
}
