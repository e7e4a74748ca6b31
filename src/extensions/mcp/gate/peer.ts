/** The caller's MCP client as a tool source sees it during one request. */
import type * as Sdk from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { JsonObject } from '../../../types/json.ts';
import type { McpPeer } from '../../../types/tool-source.ts';

/** State of a session besides the SDK's own. */
export interface SessionMemory {
  readonly id: string;
  /** As the client set it; null for none. */
  logLevel: string | null;
}

const severities = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const logLevelKey = 'io.modelcontextprotocol/logLevel';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
/** Allows time for a person to answer. */
const questionTimeoutMs = 600_000;
const anything = z.looseObject({});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function isWanted(message: JsonObject, level: string | null | undefined): boolean {
  if (level === null) return true;
  return level !== undefined && severities.indexOf(textOf(message['level'])) >= severities.indexOf(level);
}

/** `session` is null in the stateless protocol, and for a client of the older one without a session. */
export function peerOf(server: Sdk.Server, context: Sdk.ServerContext, session: SessionMemory | null): McpPeer {
  const { mcpReq } = context;
  const envelope = mcpReq.envelope as JsonObject | undefined;
  const isStateless = envelope !== undefined;
  const capabilities = ((isStateless ? envelope[capabilitiesKey] : session === null ? undefined : server.getClientCapabilities()) ??
    {}) as JsonObject;
  const token = mcpReq._meta?.progressToken;
  const level = isStateless ? (envelope[logLevelKey] as string | undefined) : session === null ? undefined : session.logLevel;
  const state = mcpReq.requestState<string>();
  const sendNotification = (method: string, params: JsonObject): void => {
    // The notification may fail when the client has disconnected; the call's signal reports that.
    mcpReq.notify({ method, params }).catch(() => {});
  };
  const canAnswer = ['elicitation', 'sampling', 'roots'].some((each) => capabilities[each] !== undefined);
  return {
    connection: session?.id ?? null,
    capabilities,
    ...(token === undefined
      ? {}
      : { progress: (report) => sendNotification('notifications/progress', { ...report, progressToken: token }) }),
    ...(typeof level === 'string' ? { logLevel: level } : {}),
    log(message) {
      if (isWanted(message, level)) sendNotification('notifications/message', message);
    },
    ...(session === null || !canAnswer
      ? {}
      : {
          ask: async (method, params, signal) =>
            (await mcpReq.send({ method, params }, anything, { signal, timeout: questionTimeoutMs })) as unknown as JsonObject,
        }),
    ...(mcpReq.inputResponses === undefined ? {} : { inputResponses: mcpReq.inputResponses as JsonObject }),
    ...(state === undefined ? {} : { requestState: state }),
  };
}
