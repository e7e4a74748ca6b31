/** Commands that speak with a gateway that is running, as whoever the token says. */
import { complain, UsageError } from './command.ts';

/** For `parseArgs`. */
export const gatewayOptions = {
  url: { type: 'string' },
  token: { type: 'string' },
} as const;

export const gatewayUsage = '[--url http://127.0.0.1:8000] [--token <token>]';

export interface GatewayCall {
  /** Resolves with the answer of any status; null once it was told why there is none. */
  send(
    method: string,
    path: string,
    body?: { readonly type: string; readonly bytes: string | Uint8Array<ArrayBuffer> },
  ): Promise<Response | null>;
}

/** The address and the token also come from PAILOU_URL (or PAILOU_PORT) and PAILOU_TOKEN. Throws UsageError without a token. */
export function gatewayCall(values: { readonly url?: string | undefined; readonly token?: string | undefined }): GatewayCall {
  const { PAILOU_URL: known, PAILOU_PORT: port = '8000', PAILOU_TOKEN: kept } = process.env;
  const url = (values.url ?? known ?? `http://127.0.0.1:${port}`).replace(/\/+$/, '');
  const token = values.token ?? kept ?? '';
  if (!URL.canParse(url)) throw new UsageError(`"${url}" is no address; say --url http://127.0.0.1:8000`);
  if (token === '') throw new UsageError('Give a token: --token "$(npx pailou token)", or set PAILOU_TOKEN.');
  return {
    async send(method, path, body) {
      try {
        return await fetch(`${url}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': body.type }) },
          ...(body === undefined ? {} : { body: body.bytes }),
        });
      } catch (thrown) {
        const { cause } = thrown as Error;
        complain(
          `No gateway answers at ${url} (${cause instanceof Error ? cause.message : String(thrown)}). Is it running? Say where with --url.`,
        );
        return null;
      }
    },
  };
}

/** What the gateway says is wrong. */
export async function tellFailure(response: Response): Promise<number> {
  const text = await response.text();
  let message = `The gateway answered with HTTP ${response.status}.`;
  try {
    message = (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    // Not the gateway itself, perhaps.
  }
  complain(message);
  return 1;
}
