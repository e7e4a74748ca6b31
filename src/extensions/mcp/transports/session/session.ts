/** One connection to an MCP server: made when first needed, made anew after a loss, never used once broken. */
import type { Client, Transport } from '@modelcontextprotocol/client';
import { GatewayError } from '../../../../types/errors.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { Logger } from '../../../../types/logger.ts';
import type { ToolDefinition, ToolResult, ToolSource } from '../../../../types/tool-source.ts';

export interface SessionOptions {
  /** A new transport for each connection. */
  transport(): Transport | Promise<Transport>;
  /** `legacy` for servers that do not know the stateless protocol; `auto` asks the server first. */
  readonly protocol: 'legacy' | 'auto';
  /** What the server was given and nobody else may see, also where the server says it again. */
  readonly secrets: readonly string[];
  readonly logger: Logger;
}

const connectTimeoutMs = 15_000;
/** The caller's signal ends a call; this is only the net below it. */
const callTimeoutMs = 3_600_000;
/** A server that cannot be reached is tried again after so long, then ever more patiently. */
const firstBackoffMs = 250;
const longestBackoffMs = 10_000;
/** Larger descriptions and schemas serve nobody; they would fill the model's context. */
const mostTools = 2_000;

/** The SDK's error codes and the status of its HTTP errors, read without loading the SDK. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
function statusOf(error: unknown): number | null {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : null;
}

/** True if the server refused the session before it looked at the request: then, and only then, a call may be sent again. */
function sessionRefused(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status === 400 || status === 404;
  return ['NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error));
}

function isLoss(error: unknown): boolean {
  return (
    statusOf(error) !== null || error instanceof TypeError || ['CONNECTION_CLOSED', 'NOT_CONNECTED', 'SEND_FAILED'].includes(codeOf(error))
  );
}

/** Anything shorter is part of ordinary words. */
const shortestSecret = 8;

/** What went wrong, in the server's or the SDK's words, without the secrets. */
function wordsOf(thrown: unknown, secrets: readonly string[]): string {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return secrets
    .map((secret) => secret.slice(secret.lastIndexOf(' ') + 1))
    .filter((secret) => secret.length >= shortestSecret)
    .reduce((left, secret) => left.replaceAll(secret, '[hidden]').replaceAll(JSON.stringify(secret).slice(1, -1), '[hidden]'), words);
}

function unreachable(cause: unknown, secrets: readonly string[]): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('tool_failed', 'The MCP server cannot be reached or does not answer as it should. Tell your administrator.', {
    cause,
    details: wordsOf(cause, secrets).slice(0, 1_000),
  });
}

function removed(): GatewayError {
  return new GatewayError('tool_failed', 'This MCP server was just changed or removed. Try again.');
}

/** The connection is everybody's and goes on; only this caller stops waiting for it. */
async function unlessAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave: () => void = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([wanted, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

export function createSession(options: SessionOptions): ToolSource {
  const listeners = new Set<() => void>();
  const closing = new AbortController();
  let connecting: Promise<Client> | null = null;
  /** The client that `connecting` has become; a loss of any other one is no news. */
  let current: Client | null = null;
  let backoffMs = 0;
  let failedAt = 0;

  const forget = (client: Client): void => {
    if (current !== client) return;
    current = null;
    connecting = null;
  };

  const drop = (client: Client): void => {
    forget(client);
    client.close().catch(() => {});
  };

  const connect = async (): Promise<Client> => {
    // Loaded when the first server is connected: it is large, and the gateway should be open before.
    const { Client } = await import('@modelcontextprotocol/client');
    const client = new Client(
      { name: 'pailou', version: '0.1.0' },
      {
        versionNegotiation: { mode: options.protocol },
        listChanged: {
          tools: {
            autoRefresh: false,
            onChanged: () => {
              for (const listener of listeners) listener();
            },
          },
        },
      },
    );
    client.onerror = (error) => options.logger.debug({ reason: wordsOf(error, options.secrets) }, 'MCP connection');
    client.onclose = () => forget(client);
    const transport = await options.transport();
    try {
      await client.connect(transport, { timeout: connectTimeoutMs, signal: closing.signal });
    } catch (thrown) {
      await Promise.resolve(transport.close()).catch(() => {});
      throw thrown;
    }
    if (closing.signal.aborted) {
      await client.close();
      throw removed();
    }
    return client;
  };

  const connected = (): Promise<Client> => {
    if (closing.signal.aborted) return Promise.reject(removed());
    if (connecting !== null) return connecting;
    const wait = failedAt + backoffMs - Date.now();
    if (wait > 0)
      return Promise.reject(
        new GatewayError('tool_failed', 'The MCP server could not be reached a moment ago; it is tried again soon.', {
          retryAfterSeconds: wait / 1000,
        }),
      );
    const attempt = connect().then(
      (client) => {
        backoffMs = 0;
        if (client.transport === undefined) connecting = null;
        else current = client;
        return client;
      },
      (thrown: unknown) => {
        if (connecting === attempt) connecting = null;
        failedAt = Date.now();
        backoffMs = Math.min(Math.max(firstBackoffMs, backoffMs * 2), longestBackoffMs);
        throw unreachable(thrown, options.secrets);
      },
    );
    connecting = attempt;
    return attempt;
  };

  /** Runs `work`; after a lost connection once more on a new one if `mayRepeat` says that nothing was done yet. */
  const withClient = async <T>(
    signal: AbortSignal,
    mayRepeat: (error: unknown) => boolean,
    work: (client: Client) => Promise<T>,
  ): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const client = await unlessAborted(connected(), signal);
      try {
        return await work(client);
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        if (!isLoss(thrown)) throw thrown;
        drop(client);
        if (attempt > 1 || !mayRepeat(thrown)) throw unreachable(thrown, options.secrets);
      }
    }
  };

  return {
    async list(signal) {
      return withClient(
        signal,
        () => true,
        async (client) => {
          const { tools } = await client.listTools(undefined, { signal, cacheMode: 'bypass' } as never);
          return tools.slice(0, mostTools) as unknown as readonly ToolDefinition[];
        },
      );
    },

    async call(tool: string, input: JsonObject, { signal }): Promise<ToolResult> {
      try {
        const result = await withClient(signal, sessionRefused, (client) =>
          client.callTool({ name: tool, arguments: input }, { signal, timeout: callTimeoutMs }),
        );
        return result as unknown as ToolResult;
      } catch (thrown) {
        if (thrown instanceof GatewayError || signal.aborted) throw thrown;
        // The server answered with a protocol error: the model should read what is wrong with its call.
        return { content: [{ type: 'text', text: wordsOf(thrown, options.secrets) }], isError: true };
      }
    },

    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async [Symbol.asyncDispose]() {
      closing.abort(removed());
      listeners.clear();
      const client = await connecting?.catch(() => null);
      await client?.close();
    },
  };
}
