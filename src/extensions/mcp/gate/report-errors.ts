/** Reports the errors that the MCP endpoint answers with to the view of their request. Most leave with HTTP 200, so that no route sees them. */
import type * as Sdk from '@modelcontextprotocol/server';
import { LRUCache } from 'lru-cache';
import { type ErrorCode, errorTable, GatewayError } from '../../../types/errors.ts';
import { isJsonObject } from '../../../types/json.ts';
import type { McpView } from './mcp-view.ts';

/** Requests in progress of one connection. A cancelled one has no answer. */
const mostOpen = 1_000;

const methodNotFound = -32_601;
const internalError = -32_603;

interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

function codeOf({ code, data }: JsonRpcError): ErrorCode {
  const own = isJsonObject(data) ? data['code'] : undefined;
  if (typeof own === 'string' && Object.hasOwn(errorTable, own)) return own as ErrorCode;
  if (code === methodNotFound) return 'not_found';
  return code === internalError ? 'internal_error' : 'invalid_request';
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
};

/** For an answer that is an error of HTTP. */
export function reportStatus({ status }: Response, view: McpView): void {
  if (status < 400) return;
  const code = byStatus[status] ?? (status < 500 ? 'invalid_request' : 'internal_error');
  view.refused?.(new GatewayError(code, `The MCP endpoint answered with HTTP ${status}.`));
}

/** From the next connection on. `viewOf` finds the view in what the transport says of a request. */
export function reportErrors(server: Sdk.Server, viewOf: (authInfo: Sdk.AuthInfo | undefined) => McpView): void {
  const connect = server.connect.bind(server);
  server.connect = (transport) => {
    const views = new LRUCache<string | number, McpView>({ max: mostOpen });
    const { onmessage } = transport;
    transport.onmessage = (message, extra) => {
      if ('method' in message && 'id' in message) views.set(message.id, viewOf(extra?.authInfo));
      onmessage?.(message, extra);
    };
    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      if (!('method' in message) && message.id !== undefined) {
        const view = views.get(message.id);
        views.delete(message.id);
        if ('error' in message) view?.refused?.(new GatewayError(codeOf(message.error), message.error.message));
      }
      return send(message, options);
    };
    return connect(transport);
  };
}
