/** Where Google takes each kind of call, below the place of its models. */
import type { UpstreamCall } from '../../types/provider.ts';

/** A model's name as a part of a path, its slashes kept: tuned models have some. */
function escaped(model: string): string {
  return model.split('/').map(encodeURIComponent).join('/');
}

/** The address of `call`; `embed` is the method for embeddings. `models` is the place of models whose name is no path. */
export function googleAddress(call: UpstreamCall, base: string, models: string, embed: string): string {
  const model = call.model.includes('/') ? escaped(call.model) : `${models}/${escaped(call.model)}`;
  if (call.operation === 'embeddings') return `${base}/${model}:${embed}`;
  return `${base}/${model}:${call.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
}

/** A configured address without a query and without slashes at its end. */
export function cleanBase(url: URL): string {
  return url.href.replace(/[?#].*$/, '').replace(/\/+$/, '');
}
