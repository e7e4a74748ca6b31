/** Decides whether an interrupted answer can be given to a model as a prefill, and with which text. */
import type { ChatBody, ChatRequest } from '../types/chat.ts';
import { isJsonObject } from '../types/json.ts';
import type { Deployment } from '../types/snapshot.ts';
import type { DeliveredContent, DeliveredChoice } from './delivered-content.ts';

export interface ResumePrefill {
  /** The prefill: all delivered text without trailing white space, after which no model continues correctly. */
  readonly text: string;
  /** The text that the model must repeat before new text: that white space, or everything when the vendor repeats the prefill. */
  readonly repeats: string;
  /** The conversation with the prefill. */
  readonly body: ChatBody;
}

/** Half of a surrogate pair, which a model cannot read. */
const halfCharacter = /[\ud800-\udbff]$/;

/** A forced answer form applies from the first character, so the model would start again. */
function isForced(body: ChatBody): boolean {
  const { response_format: format, tool_choice: choice } = body;
  return (
    (isJsonObject(format) && format['type'] !== 'text') ||
    (choice !== undefined && choice !== null && choice !== 'auto' && choice !== 'none')
  );
}

/** Null when this deployment, the answer or the request does not allow a prefill. */
export function resumePrefillFor(deployment: Deployment, { body }: ChatRequest, delivered: DeliveredContent): ResumePrefill | null {
  const deliveredText = delivered.plainText;
  if (!deployment.prefill || deliveredText === null) return null;
  const n = body['n'];
  if ((n !== undefined && n !== null && n !== 1) || isForced(body)) return null;
  // The caller's own prefill: a second one after it would be another turn.
  if (body.messages.at(-1)?.['role'] === 'assistant') return null;
  const text = deliveredText.trimEnd();
  if (text === '' || halfCharacter.test(text)) return null;
  const vendor = deployment.provider.instance.prefill?.(deployment.model);
  return {
    text,
    repeats: vendor?.repeats === true ? deliveredText : deliveredText.slice(text.length),
    body: { ...body, messages: [...body.messages, { role: 'assistant', content: text }] },
  };
}

/** The content that the second answer must repeat. */
export function repeatedContent({ repeats }: ResumePrefill): ReadonlyMap<number, DeliveredChoice> {
  const segments = repeats === '' ? [] : [{ channel: 'text' as const, text: repeats }];
  return new Map([[0, { segments, thoughts: 0, annotations: [], finish: null }]]);
}
