/** Validates the fields of a chat request that Pailou reads. All others pass unchanged. */
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

/** Pailou's own options, the same in every client format. */
export const gatewaySchema = z
  .strictObject({
    max_steps: z.int().min(1).max(32).optional().describe('The most rounds of server-side tools. Default: 8.'),
    approvals: z
      .array(z.strictObject({ id: z.string().min(1).max(100), approve: z.boolean() }))
      .max(100)
      .optional()
      .describe('Decisions of a person about calls that an earlier answer listed (steps with the status approval_required).'),
    reasoning: z.boolean().optional().describe('false leaves out the reasoning of the model.'),
  })
  .optional()
  .describe("Pailou's own options; never sent to a vendor.");

const knownRoles = [...messageRoles] as string[];

/** A vendor's own role passes. A near miss of a standard role is refused, because its message would be lost. */
const messageRole = z
  .string()
  .min(1)
  .refine((role) => messageRoles.has(role) || nearMatches(role, knownRoles).length === 0, {
    error: ({ input }) => `must be one of ${knownRoles.join(', ')}; did you mean ${nearMatches(String(input), knownRoles)[0]}?`,
  });

/** Unknown fields pass. `messages` is validated only as far as Pailou reads it; the vendor validates the rest. */
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

/** The first zod error as one sentence that names the field. */
export function refuseInvalid(error: z.ZodError): GatewayError {
  const { param, sentence } = zodSentence(error);
  return new GatewayError('invalid_request', sentence, { param: param || undefined });
}

/** A parsed request, independent of its client format. */
export interface ParsedCall {
  readonly request: ChatRequest;
  readonly stream: boolean;
  readonly maxSteps: number | undefined;
  /** The decisions on tool calls that wait for approval, one for each call. */
  readonly decisions: readonly Decision[];
}

export interface ParsedChat extends ParsedCall {
  readonly includeUsage: boolean;
  readonly reasoning: boolean;
}

/** The body as an object that matches `schema`. `fields` names the required ones. Throws `invalid_request` naming the first invalid field. */
export function checkBody<T>(body: unknown, schema: z.ZodType<T>, fields: string): { readonly body: JsonObject; readonly checked: T } {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', `The body must be a JSON object with the fields ${fields}.`);
  const checked = schema.safeParse(body);
  if (!checked.success) throw refuseInvalid(checked.error);
  return { body, checked: checked.data };
}

/** Throws `invalid_request` naming the first invalid field. */
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

const none: readonly Decision[] = [];

/** The decisions from Pailou's own option and from the client format. */
export function decisionsOf(gateway: z.infer<typeof gatewaySchema>, others: readonly Decision[] = none): readonly Decision[] {
  if (gateway?.approvals === undefined && others.length === 0) return none;
  const own = (gateway?.approvals ?? []).map((each, index) => ({ ...each, place: `gateway.approvals[${index}].id` }));
  const twice = own.find(({ id }, index) => own.findIndex((each) => each.id === id) !== index);
  if (twice !== undefined) throw new GatewayError('invalid_request', `${twice.place}: occurs twice.`, { param: twice.place });
  // One decision for each call; the last one counts, because clients of some formats send earlier decisions again.
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
