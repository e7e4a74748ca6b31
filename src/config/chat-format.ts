/** Chooses the wire format of a deployment's chats: by the row, by the catalogue, then by the provider's own rule. */
import { GatewayError } from '../types/errors.ts';
import type { KnownModel } from '../types/known-model.ts';
import type { ModelSpec } from '../types/resources.ts';
import type { ProviderEntry } from '../types/snapshot.ts';

const formats = { chat_completions: 'openai', responses: 'openai-responses' } as const;

/** Undefined for the provider's usual format. Reports a row that asks for an API that its vendor does not have. */
export function chatFormatFor(
  { api, model }: ModelSpec['deployments'][number],
  { kind, instance }: ProviderEntry,
  index: number,
  report: (error: GatewayError) => void,
  known: KnownModel | undefined,
): string | undefined {
  const { formats: usual, otherChatFormats = [] } = instance;
  const chosen =
    api === undefined
      ? known?.formats?.includes('responses') === true && otherChatFormats.includes(formats.responses)
        ? formats.responses
        : instance.chatFormat?.(model)
      : formats[api];
  if (chosen === undefined || chosen === usual.chat) return undefined;
  if (otherChatFormats.includes(chosen)) return chosen;
  const param = `spec.deployments[${index}].api`;
  report(new GatewayError('configuration_invalid', `${param}: ${kind} has no ${api ?? chosen} API; leave it out.`, { param }));
  return undefined;
}
