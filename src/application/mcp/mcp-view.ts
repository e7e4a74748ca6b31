/** What one caller finds at /mcp (all servers, prefixed names) or at /mcp/<server> (one server, its own names). */
import { setTimeout } from 'node:timers/promises';
import type { ViewContext, McpView } from '../../extensions/mcp/gate/mcp-view.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import type { SourceQuestion, ToolResult } from '../../types/tool-source.ts';
import { type Caller, may, promptCapability, requireRight, resourceCapability } from '../caller.ts';
import { invokeTool, isApprovalNeeded, requireTool } from '../tools/invoke-tool.ts';
import type { CallServices } from '../services.ts';
import { sourcesOf } from '../tools/server-tools.ts';
import { withSkillsView } from './skills-view.ts';
import { toolSearchView } from './tool-search-view.ts';
import { invokeSource } from '../tools/invoke-source.ts';
import type { ApprovalRequest } from '../tools/tool-approval.ts';
import {
  findVisible,
  type Place,
  hasVisibleItems,
  serverOfResource,
  type VisibleItem,
  visibleInstructions,
  visiblePrompts,
  visibleResources,
  visibleToolItems,
} from './visible-items.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

const meetingMs = 2_000;

/** Connects to a server as the caller and lists it, unless the caller may view nothing of it. Resolves with the error that the caller can resolve, such as a missing account. */
async function connectAsCaller(services: CallServices, caller: Caller, source: McpServerEntry): Promise<GatewayError | null> {
  if (!may(caller, 'view', source.capability)) return null;
  const { principal, subjectToken, signal } = caller;
  try {
    await source.instance.meet?.({ signal: abortSignalOf(signal), principal, subjectToken, runId: '' });
    await services.catalogue.refresh(source);
    return null;
  } catch (thrown) {
    // A list of several servers shows what is available.
    return thrown instanceof GatewayError && thrown.code === 'account_required' ? thrown : null;
  }
}

/** The protocol has validated it already. Any value but a text matches no name. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `address` is the path, such as /mcp/files. `search`: tools are searched instead of listed. Throws `permission_denied` when the caller may view nothing here. */
export function openMcpView(
  services: CallServices,
  caller: Caller,
  only: McpServerEntry | null,
  address: string,
  search: boolean,
): McpView {
  const { tenant, issuer, subject } = caller.principal;
  const servers = only === null ? [...caller.view.mcpServers.values()] : [only];
  const place: Place = { services, caller, servers, only };
  let noAccount: GatewayError | null = null;
  const holder = JSON.stringify([tenant, issuer, subject, address, search]);

  const meetStranger = async (source: McpServerEntry): Promise<void> => {
    noAccount = (await connectAsCaller(services, caller, source)) ?? noAccount;
  };

  /**
   * A server that is known to be down, or hangs, does not delay the list. A server without a connection is connected to as this caller
   * only at its own address. A list of all servers does not justify a token exchange.
   */
  const waitForFirstListing = async (chosen: boolean): Promise<void> => {
    const sources = [...new Set(servers.flatMap((server) => sourcesOf(caller, server)))];
    const waits = sources.flatMap((source) => {
      const { meet } = source.instance;
      const isUnknown = meet !== undefined && !services.catalogue.known(source);
      const isStranger = isUnknown && (chosen || source.instance.accounts !== undefined);
      if (isUnknown && !isStranger) return [];
      const ms = isStranger ? meetingMs : services.catalogue.patience(source);
      if (ms === 0) return [];
      return [{ ms, answered: isStranger ? meetStranger(source) : services.catalogue.ready(source) }];
    });
    if (waits.length === 0) return;
    const patience = new AbortController();
    const tired = setTimeout(Math.max(...waits.map(({ ms }) => ms)), undefined, { signal: patience.signal, ref: false }).catch(() => {});
    await Promise.race([Promise.all(waits.map(({ answered }) => answered)), tired]);
    patience.abort();
  };

  /** Waits for a server that has never answered before its items are reported as unknown. */
  const find = async <D>(list: () => readonly VisibleItem<D>[], name: string, sort: 'tool' | 'prompt'): Promise<VisibleItem<D>> => {
    let found = findVisible(place, sort, list(), name);
    if (found === undefined) {
      await waitForFirstListing(true);
      found = findVisible(place, sort, list(), name);
    }
    if (found === undefined) {
      await Promise.all(servers.flatMap((server) => sourcesOf(caller, server)).map((server) => services.catalogue.ready(server)));
      found = findVisible(place, sort, list(), name);
    }
    if (found === undefined && noAccount !== null) throw noAccount;
    if (found === undefined) throw new GatewayError('not_found', `There is no ${sort} "${name.slice(0, 200)}" for you here.`);
    return found;
  };

  const call = async (name: string, input: JsonObject, { signal, peer }: ViewContext): Promise<ToolResult> => {
    const { server, name: own } = await find(() => visibleToolItems(place), name, 'tool');
    const options = { signal: AbortSignal.any([signal, abortSignalOf(caller.signal)]), approved: true };
    // Rights are checked before an approval is requested.
    if (!isApprovalNeeded(requireTool(services, caller, server, own)))
      return invokeTool(services, caller, server, own, input, { ...options, peer });
    const wanted: ApprovalRequest = { holder, tool: `${server.name}/${own}`, input, peer };
    const decided = services.approvals.ask(wanted);
    return 'answer' in decided
      ? decided.answer
      : services.approvals.keep(wanted, await invokeTool(services, caller, server, own, input, { ...options, peer: decided.agreed }));
  };

  const ask = async (question: SourceQuestion, params: JsonObject, { signal, peer }: ViewContext): Promise<JsonObject> => {
    const context = { signal: AbortSignal.any([signal, abortSignalOf(caller.signal)]), peer };
    if (question === 'prompts/get') {
      const { server, name } = await find(() => visiblePrompts(place), textOf(params['name']), 'prompt');
      return invokeSource(services, caller, server, promptCapability(server, name), question, { ...params, name }, context);
    }
    if (question === 'resources/read') {
      await waitForFirstListing(only !== null);
      const uri = textOf(params['uri']);
      const server = serverOfResource(place, uri);
      return invokeSource(services, caller, server, resourceCapability(server, uri), question, params, context);
    }
    const ref = isJsonObject(params['ref']) ? params['ref'] : {};
    if (ref['type'] === 'ref/prompt') {
      const { server, name } = await find(() => visiblePrompts(place), textOf(ref['name']), 'prompt');
      return invokeSource(
        services,
        caller,
        server,
        promptCapability(server, name),
        question,
        { ...params, ref: { ...ref, name } },
        context,
      );
    }
    const uri = textOf(ref['uri']);
    const server = serverOfResource(place, uri);
    return invokeSource(services, caller, server, resourceCapability(server, uri), question, params, context);
  };

  if (only !== null && services.catalogue.known(only) && !may(caller, 'view', only.capability) && !hasVisibleItems(place))
    throw new GatewayError('permission_denied', `You may not use anything of mcp/${only.name}. Ask for a grant.`);

  const view: McpView = {
    holder,
    scope: JSON.stringify([tenant, address]),
    async offer() {
      await waitForFirstListing(only !== null);
      if (only !== null && noAccount !== null) throw noAccount;
      const named = <D extends object>(shown: readonly VisibleItem<D>[]): never[] =>
        shown
          .toSorted((one, other) => (one.shown < other.shown ? -1 : 1))
          .map((each) => ({ ...each.definition, name: each.shown }) as never);
      return { tools: named(visibleToolItems(place)), prompts: named(visiblePrompts(place)), ...visibleResources(place) };
    },
    async instructions() {
      await waitForFirstListing(only !== null);
      return visibleInstructions(place);
    },
    call,
    ask,
    watch(uri, listener) {
      const server = serverOfResource(place, uri);
      requireRight(caller, 'use', resourceCapability(server, uri));
      return server.instance.watch?.(uri, listener) ?? (() => {});
    },
  };
  // The address of one server shows that server alone.
  const fullView = only === null ? withSkillsView(view, place) : view;
  return search ? toolSearchView(fullView, place) : fullView;
}
