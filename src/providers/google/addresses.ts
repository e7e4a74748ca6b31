/** Google's paths by operation, below the path of its models. */
import type { UpstreamCall } from '../../types/provider.ts';

/** A model's name as a path segment. Slashes are kept: names of tuned models contain some. */
function escaped(model: string): string {
  return model.split('/').map(encodeURIComponent).join('/');
}

/** The path of `call`. `embed`: the method for embeddings. `models`: the path of models whose name is not a path. */
export function googlePath(call: UpstreamCall, models: string, embed: string): string {
  const model = call.model.includes('/') ? escaped(call.model) : `${models}/${escaped(call.model)}`;
  if (call.operation === 'embeddings') return `/${model}:${embed}`;
  return `/${model}:${call.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
}
