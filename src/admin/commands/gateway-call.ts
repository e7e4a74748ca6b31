/** Calls of commands to a running gateway, with the caller's token. */
import { longTimeoutFetch, type Response } from '../../outbound/long-timeout-fetch.ts';
import { printError, UsageError, type ErrorFacts } from './command.ts';

/** Options for `parseArgs`. */
export const gatewayOptions = {
  url: { type: 'string' },
  token: { type: 'string' },
} as const;

export interface GatewayCall {
  /** Resolves with a response of any status; null after printing why there is none. */
  send(
    method: string,
    path: string,
    body?: { readonly type: string; readonly bytes: string | Uint8Array<ArrayBuffer> },
  ): Promise<Response | null>;
}

/** Address and token default to PAILOU_URL (or PAILOU_PORT) and PAILOU_TOKEN. Throws UsageError without a token. */
export function gatewayCall(values: { readonly url?: string | undefined; readonly token?: string | undefined }): GatewayCall {
  const { PAILOU_URL: known, PAILOU_PORT: port = '8000', PAILOU_TOKEN: kept } = process.env;
  const url = (values.url ?? known ?? `http://127.0.0.1:${port}`).replace(/\/+$/, '');
  if (!URL.canParse(url)) throw new UsageError('--url is not an address. Example: --url http://127.0.0.1:8000');
  const { username, password } = new URL(url);
  if (username !== '' || password !== '')
    throw new UsageError('--url must not contain a user name or a password. The token authenticates you.');
  const token = values.token ?? kept ?? '';
  // An error about the header would print the token.
  if (/[^\x21-\x7e]/.test(token))
    throw new UsageError('The token contains spaces, line breaks or other characters that a token cannot have. Pass the token alone.');
  if (token === '') throw new UsageError('A token is required: --token "$(npx pailou token)", or set PAILOU_TOKEN.');
  return {
    async send(method, path, body) {
      try {
        // Cases with a slow model take long and continue without a waiting client.
        return await longTimeoutFetch(`${url}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': body.type }) },
          ...(body === undefined ? {} : { body: body.bytes }),
        });
      } catch (thrown) {
        const { cause } = thrown as Error;
        printError(
          `No gateway answers at ${new URL(url).origin} (${cause instanceof Error ? cause.message : String(thrown)}). Is it running? Set its address with --url.`,
          { code: 'gateway_unreachable' },
        );
        return null;
      }
    },
  };
}

/** Prints the error of the gateway. */
export async function printFailure(response: Response): Promise<number> {
  const text = await response.text();
  let message = `The gateway answered with HTTP ${response.status}.`;
  let facts: ErrorFacts = { code: 'not_a_gateway' };
  try {
    const { error, request_id } = JSON.parse(text) as { error?: ErrorFacts & { readonly message: unknown }; request_id?: string };
    if (typeof error?.message === 'string') {
      ({ message } = error);
      facts = { code: error.code, param: error.param, request_id };
    }
  } catch {
    // The response may come from another server.
  }
  printError(message, facts);
  return 1;
}

/** The response as JSON. Throws UsageError when something other than a gateway answers. */
export async function answerOf<Answer>(response: Response): Promise<Answer> {
  try {
    return (await response.json()) as Answer;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new UsageError('The server at this address is not a Pailou gateway. Set the address with --url.');
  }
}

interface Page<Line> {
  readonly data: readonly Line[];
  /** Null on the last page; gateways of older versions give some lists without pages. */
  readonly next?: string | null;
}

/** A list of the gateway with the lines of all its pages. Null after printing why there is none. `path` has no `after`. */
export async function wholeList<List extends Page<unknown>>(call: GatewayCall, path: string): Promise<List | null> {
  const lines: unknown[] = [];
  const mark = path.includes('?') ? '&' : '?';
  for (let after: string | null = null; ;) {
    const response = await call.send('GET', after === null ? path : `${path}${mark}after=${encodeURIComponent(after)}`);
    if (response === null) return null;
    if (!response.ok) {
      await printFailure(response);
      return null;
    }
    const list: List = await answerOf(response);
    lines.push(...list.data);
    if (list.next == null) return { ...list, data: lines };
    after = list.next;
  }
}
