/** Selects the fallback model after every deployment of a model failed: by the class of the failure, and with all features of the call. */
import type { ChatBody } from '../types/chat.ts';
import type { ErrorCode, GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json } from '../types/json.ts';
import type { FailureClass } from '../types/resources.ts';
import type { ModelEntry } from '../types/snapshot.ts';
import type { Operation } from '../types/wire-format.ts';

const classes: Readonly<Partial<Record<ErrorCode, FailureClass>>> = {
  rate_limited: 'overload',
  upstream_unavailable: 'overload',
  upstream_quota_exhausted: 'overload',
  upstream_error: 'error',
  upstream_model_not_found: 'error',
  upstream_timeout: 'error',
  upstream_invalid_response: 'error',
  upstream_interrupted: 'error',
  upstream_authentication: 'error',
  output_invalid: 'error',
  context_length_exceeded: 'context_length',
  content_filter: 'content_filter',
};

/** The features that a call needs. */
export interface RequiredFeatures {
  readonly operation: Operation;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly json_schema: boolean;
}

function hasPicture(content: Json | undefined): boolean {
  return Array.isArray(content) && content.some((part: Json) => isJsonObject(part) && part['type'] === 'image_url');
}

/** Computed only when a fallback is searched. */
export function requiredFeatures(operation: Operation, body?: ChatBody): RequiredFeatures {
  const format = body?.['response_format'];
  return {
    operation,
    // The older field for tools.
    tools: [body?.tools, body?.['functions']].some((given) => Array.isArray(given) && given.length > 0),
    vision: body?.messages.some((message) => hasPicture(message['content'])) ?? false,
    json_schema: isJsonObject(format) && format['type'] === 'json_schema',
  };
}

export function supportsFeatures({ spec }: ModelEntry, needs: RequiredFeatures): boolean {
  const { features } = spec;
  return (
    spec.operations.includes(needs.operation) &&
    (features.tools || !needs.tools) &&
    (features.vision || !needs.vision) &&
    (features.json_schema || !needs.json_schema)
  );
}

/** The next model after `failed` ended with `error`, or null. `find` returns a model only if the caller may use it. `tried`: the names of models that this call tried. */
export function nextFallback(
  failed: ModelEntry,
  error: GatewayError,
  needs: () => RequiredFeatures,
  find: (name: string) => ModelEntry | null,
  tried: ReadonlySet<string>,
): ModelEntry | null {
  const failure = classes[error.code];
  if (failure === undefined || failed.spec.fallbacks.length === 0) return null;
  for (const rule of failed.spec.fallbacks) {
    if (!rule.on.includes(failure) || tried.has(rule.model)) continue;
    const model = find(rule.model);
    if (model !== null && supportsFeatures(model, needs())) return model;
  }
  return null;
}
