/** Requests a vendor's list of models, to check that the vendor is reachable and accepts the credential. */
import type { OutboundClient } from '../outbound/client.ts';
import { GatewayError } from '../types/errors.ts';
import type { Deployment } from '../types/snapshot.ts';
import { readStart } from './bounded-body.ts';
import { classifyFailure } from './classify-failure.ts';

/** Bytes read of the list, to see that it arrives, and of an error, for classification. */
const listBytes = 65_536;

/** True for a reachable server without this list, which says nothing about its models. */
function hasNoList(status: number): boolean {
  return status < 400 || status === 404 || status === 405 || status === 410 || status === 501;
}

/** Resolves when the list arrives. Throws a GatewayError, which is not retryable when the answer says nothing about the vendor's health. */
export async function requestModelsList(client: OutboundClient, deployment: Deployment, signal: AbortSignal): Promise<void> {
  const provider = deployment.provider.instance;
  const url = provider.modelsAddress?.();
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
  if (status >= 200 && status < 300) {
    let size = 0;
    for await (const part of response.body) {
      size += part.length;
      if (size >= listBytes) break;
    }
    return;
  }
  const failure = { status, headers: response.headers, body: (await readStart(response.body, listBytes)).toString('utf8') };
  if (hasNoList(status))
    throw new GatewayError('upstream_error', 'The vendor has no list of models at its usual address; let the probe ask for a token.', {
      details: { status },
      retryable: false,
    });
  throw provider.classify?.(failure) ?? classifyFailure(failure, undefined, provider.reading?.errorCodes);
}
