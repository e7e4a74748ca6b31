/** When a cut answer can be given to a model as the beginning of its own, and with which words. */
import type { ChatBody, ChatRequest } from '../types/chat.ts';
import { isJsonObject } from '../types/json.ts';
import type { Deployment } from '../types/snapshot.ts';
import type { DeliveredContent, DeliveredChoice } from './delivered-content.ts';

export interface ResumePrefill {
  /** What the model is given: all that was said, without white space at its end, which no model goes on from as it should. */
  readonly text: string;
  /** What it must say before anything new: that white space, or everything where the vendor repeats it. */
  readonly repeats: string;
  /** The conversation with it. */
  readonly body: ChatBody;
}

/** Half of a character that is written in two halves: a model would be given nonsense. */
const halfCharacter = /[\ud800-\udbff]$/;

/** The form of the answer is forced from its first character: a model would begin it anew. */
function isForced(body: ChatBody): boolean {
  const { response_format: format, tool_choice: choice } = body;
  return (
    (isJsonObject(format) && format['type'] !== 'text') ||
    (choice !== undefined && choice !== null && choice !== 'auto' && choice !== 'none')
  );
}

/** Null where this deployment cannot, or the answer or the request is not of that kind. */
export function resumePrefillFor(deployment: Deployment, { body }: ChatRequest, said: DeliveredContent): ResumePrefill | null {
  const words = said.plainText;
  if (!deployment.prefill || words === null) return null;
  const n = body['n'];
  if ((n !== undefined && n !== null && n !== 1) || isForced(body)) return null;
  // The caller gave a beginning of their own, and a second one behind it would be another turn.
  if (body.messages.at(-1)?.['role'] === 'assistant') return null;
  const text = words.trimEnd();
  if (text === '' || halfCharacter.test(text)) return null;
  const vendor = deployment.provider.instance.prefill?.(deployment.model);
  return {
    text,
    repeats: vendor?.repeats === true ? words : words.slice(text.length),
    body: { ...body, messages: [...body.messages, { role: 'assistant', content: text }] },
  };
}

/** What the second answer is held to. */
export function repeatedContent({ repeats }: ResumePrefill): ReadonlyMap<number, DeliveredChoice> {
  const stretches = repeats === '' ? [] : [{ channel: 'text' as const, text: repeats }];
  return new Map([[0, { stretches, thoughts: 0, annotations: [], finish: null }]]);
}
