/** Requests a vendor's list of models: to check that the vendor is reachable and accepts the credential, or to read it. */
import type { OutboundClient } from '../outbound/client.ts';
import { GatewayError } from '../types/errors.ts';
import type { Deployment } from '../types/snapshot.ts';
import { readStart, readWhole } from './bounded-body.ts';
import { classifyFailure } from './classify-failure.ts';

/** Bytes read of the list, to see that it arrives, and of an error, for classification. */
const listBytes = 65_536;
/** A list of thousands of models with descriptions. */
const longestList = 8_000_000;

/** True for a reachable server without this list, which says nothing about its models. */
function hasNoList(status: number): boolean {
  return status < 400 || status === 404 || status === 405 || status === 410 || status === 501;
}

const unreadable = (): GatewayError =>
  new GatewayError('upstream_invalid_response', "The vendor's list of models cannot be read. Check the address of the provider.");

/** The response with the list. Throws a GatewayError, which is not retryable when the answer says nothing about the vendor's health. */
async function requestList(
  client: OutboundClient,
  deployment: Deployment,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal },
): Promise<AsyncIterable<Buffer>> {
  const provider = deployment.provider.instance;
  const url = provider.modelsAddress?.(most);
  if (url === undefined)
    throw new GatewayError('unsupported_parameter', `The vendor behind "${deployment.provider.name}" has no list of models.`, {
      param: 'probe.ask',
    });
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'pailou' };
  const call = { operation: 'chat', model: deployment.model, stream: false, warn: () => {} } as const;
  const authorized = provider.authorize(headers, call, { method: 'GET', url, body: null });
  if (authorized !== undefined) await authorized;
  const response = await client.send({ method: 'GET', url, headers, signal });
  const { status } = response;
  if (status >= 200 && status < 300) return response.body;
  const failure = { status, headers: response.headers, body: (await readStart(response.body, listBytes)).toString('utf8') };
  if (hasNoList(status))
    throw new GatewayError('upstream_error', 'The vendor has no list of models at its usual address; let the probe ask for a token.', {
      details: { status },
      retryable: false,
    });
  throw provider.classify?.(failure) ?? classifyFailure(failure, undefined, provider.reading?.errorCodes);
}

/** Resolves when the list arrives; it is not read. */
export async function requestModelsList(client: OutboundClient, deployment: Deployment, signal: AbortSignal): Promise<void> {
  let size = 0;
  for await (const part of await requestList(client, deployment, { most: 1, signal })) {
    size += part.length;
    if (size >= listBytes) break;
  }
}

interface ListedModel {
  readonly id?: unknown;
  readonly name?: unknown;
}

/** OpenAI and Anthropic list `data` with ids, some compatible servers the bare array, Gemini and Ollama `models` with names. */
function entriesOf(list: unknown): readonly (ListedModel | null)[] {
  if (Array.isArray(list)) return list as readonly (ListedModel | null)[];
  const { data, models } = (typeof list === 'object' ? (list ?? {}) : {}) as { data?: unknown; models?: unknown };
  const entries = data ?? models;
  if (!Array.isArray(entries)) throw unreadable();
  return entries as readonly (ListedModel | null)[];
}

/** The vendor's own names of its models, sorted, at most `most`. Throws a GatewayError. */
export async function readModelsList(
  client: OutboundClient,
  deployment: Deployment,
  options: { readonly most: number; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const bytes = await readWhole(await requestList(client, deployment, options), longestList);
  let list: unknown;
  try {
    list = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw unreadable();
  }
  const names = entriesOf(list).flatMap((entry) => {
    const { id, name } = entry ?? {};
    const found = typeof id === 'string' ? id : name;
    // Gemini writes models/gemini-3-pro, and calls it without the folder.
    return typeof found === 'string' && found !== '' && found.length <= 256 ? [found.replace(/^models\//, '')] : [];
  });
  return [...new Set(names)].toSorted().slice(0, options.most);
}
