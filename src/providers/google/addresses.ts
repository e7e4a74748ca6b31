/** Where Google takes each kind of call, below the place of its models. */
import type { UpstreamCall } from '../../types/provider.ts';

/** A model's name as a part of a path, its slashes kept: tuned models have some. */
function escaped(model: string): string {
  return model.split('/').map(encodeURIComponent).join('/');
}

/** The path of `call`; `embed` is the method for embeddings. `models` is the place of models whose name is no path. */
export function googlePath(call: UpstreamCall, models: string, embed: string): string {
  const model = call.model.includes('/') ? escaped(call.model) : `${models}/${escaped(call.model)}`;
  if (call.operation === 'embeddings') return `/${model}:${embed}`;
  return `/${model}:${call.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
}
