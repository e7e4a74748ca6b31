/** The few fields of a chat request that Pailou reads, checked; all others pass on untouched. */
import { z } from 'zod';
import type { ChatBody, ChatRequest } from '../../types/chat.ts';
import type { Decision } from '../../types/approval-decision.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import { zodSentence } from '../../schema/zod-errors.ts';
import { messageRoles } from '../../types/message-roles.ts';
import { nearMatches } from '../../text/did-you-mean.ts';
import { passesFastCheck } from './fast-body-check.ts';

const positive = z.int().min(1);

/** Pailou's own switches, the same on every face. */
export const gatewaySchema = z
  .strictObject({
    max_steps: z.int().min(1).max(32).optional().describe('Rounds of server-side tools; 8 unless given.'),
    approvals: z
      .array(z.strictObject({ id: z.string().min(1).max(100), approve: z.boolean() }))
      .max(100)
      .optional()
      .describe('What a person says to calls that an earlier answer asked about (steps with the status approval_required).'),
    reasoning: z.boolean().optional().describe('false leaves out what the model thought.'),
  })
  .optional()
  .describe("Pailou's own switches; never sent to a vendor.");

const knownRoles = [...messageRoles] as string[];

/** A role of one vendor's alone passes; one that is nearly another is mistyped, and its message would be lost. */
const messageRole = z
  .string()
  .min(1)
  .refine((role) => messageRoles.has(role) || nearMatches(role, knownRoles).length === 0, {
    error: ({ input }) => `must be one of ${knownRoles.join(', ')}; did you mean ${nearMatches(String(input), knownRoles)[0]}?`,
  });

/** Loose: unknown fields pass. `messages` is only looked at as far as needed; the vendor knows its own rules. */
export const chatBodySchema = z.looseObject({
  model: z.string().min(1).max(256).describe('A model from GET /v1/models, or skill/<name>.'),
  messages: z.array(z.looseObject({ role: messageRole })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(z.looseObject({ type: z.string().min(1) })).nullish(),
  n: z.int().min(1).max(128).nullish(),
  max_tokens: positive.nullish(),
  max_completion_tokens: positive.nullish(),
  temperature: z.number().nullish(),
  gateway: gatewaySchema,
});

/** The first fault of a zod check, as one sentence that names the field. */
export function refuseInvalid(error: z.ZodError): GatewayError {
  const { param, sentence } = zodSentence(error);
  return new GatewayError('invalid_request', sentence, { param: param || undefined });
}

/** What the walk of a call needs to know of any request, whichever face it came by. */
export interface ParsedCall {
  readonly request: ChatRequest;
  readonly stream: boolean;
  readonly maxSteps: number | undefined;
  /** What a person said to held calls of tools, once for each. */
  readonly decisions: readonly Decision[];
}

export interface ParsedChat extends ParsedCall {
  readonly includeUsage: boolean;
  readonly reasoning: boolean;
}

/** The body as an object that fits `schema`. Throws `invalid_request` naming the first field that is wrong. */
export function checkBody<T>(body: unknown, schema: z.ZodType<T>): { readonly body: JsonObject; readonly checked: T } {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object with the field model and more.');
  const checked = schema.safeParse(body);
  if (!checked.success) throw refuseInvalid(checked.error);
  return { body, checked: checked.data };
}

/** Throws `invalid_request` naming the first field that is wrong. */
export function parseChat(body: unknown, raw: ChatRequest['raw'] | null): ParsedChat {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object with the fields model and messages.');
  const { stream, stream_options: streamOptions, gateway } = passesFastCheck(body) ? (body as CheckedChat) : checkChat(body);
  const chat = body as ChatBody;
  return {
    request: gateway === undefined && raw !== null && raw !== undefined ? { body: chat, raw } : { body: withoutGateway(chat) },
    stream: stream === true,
    includeUsage: streamOptions?.include_usage === true,
    reasoning: gateway?.reasoning !== false,
    maxSteps: gateway?.max_steps,
    decisions: decisionsOf(gateway),
  };
}

/** Decisions by Pailou's own switch, and by what the face itself has for them. */
export function decisionsOf(gateway: z.infer<typeof gatewaySchema>, others: readonly Decision[] = []): Decision[] {
  const own = (gateway?.approvals ?? []).map((each, index) => ({ ...each, place: `gateway.approvals[${index}].id` }));
  const twice = own.find(({ id }, index) => own.findIndex((each) => each.id === id) !== index);
  if (twice !== undefined) throw new GatewayError('invalid_request', `${twice.place}: is there twice.`, { param: twice.place });
  // Once each, the last word counts: clients of some faces send their earlier ones again.
  return [...new Map([...own, ...others].map((each) => [each.id, each])).values()];
}

type CheckedChat = z.infer<typeof chatBodySchema>;

function checkChat(body: JsonObject): CheckedChat {
  const checked = chatBodySchema.safeParse(body);
  if (!checked.success) throw refuseInvalid(checked.error);
  return checked.data;
}

function withoutGateway(body: ChatBody): ChatBody {
  const { gateway: _own, ...rest } = body as JsonObject;
  return rest as ChatBody;
}
