/** The health of an MCP server, and the sessions at the gate. */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { may, requireRight } from '../application/caller.ts';
import type { CallServices } from '../application/services.ts';
import { callerOf } from '../api/request-caller.ts';
import { principalOf } from '../api/request-context.ts';
import type { PersonNames } from '../config/person-names.ts';
import { isAdministrator } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import type { McpGate } from '../extensions/mcp/gate/gate.ts';
import type { SessionInfo } from '../extensions/mcp/gate/sessions.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import type { McpServerEntry } from '../types/snapshot.ts';
import { askerOf, serverOf } from './mcp-items.ts';
import { abortSignalOf } from '../scheduling/cancellation.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const identified = z.object({ id: z.string().min(1).max(100) });
const connectionView = z.object({
  subject: z.string().nullable().describe('The owner of the session; null for the shared session.'),
  state: z.enum(['connecting', 'connected']),
  protocol: z.string().nullable(),
  pid: z.int().nullable().describe('The process id of a local program.'),
  memory_bytes: z.int().nullable(),
  since: z.string(),
  calls_under_way: z.int(),
});
const healthView = z.object({
  tools: z.int(),
  quarantined: z.int().describe('Definitions that wait for an approval.'),
  synced_at: z.string().nullable(),
  error: z.string().nullable().describe('Why it cannot be listed; only for those who manage it.'),
  problems: z
    .array(z.string())
    .describe('What is wrong with the server and which of its definitions are left out; only for those who manage it.'),
  connections: z.array(connectionView).describe('On this node; only for those who manage it.'),
});
const sessionView = z.object({
  id: z.string(),
  subject: z.string().describe('The owner of the session.'),
  address: z.string(),
  client: z.string(),
  since: z.string(),
  used_at: z.string(),
});

const syncPatienceMs = 20_000;
const pageBytes = 4_096;
const at = (time: number): string => new Date(time).toISOString();

/** The resident memory of a process; null where the system does not tell. */
async function memoryOf(pid: number | null): Promise<number | null> {
  if (pid === null) return null;
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  const pages = Number(text.split(' ')[1]);
  return Number.isInteger(pages) ? pages * pageBytes : null;
}

/** Hides a server's error text from developers: with a server of their own they could read any address that the gateway reaches. */
function errorFor(error: string | null, { manages, administrator }: Viewer): string | null {
  if (error === null || administrator) return error;
  return manages ? 'It could not be listed. An administrator can see its error.' : 'It cannot be reached at the moment.';
}

interface Viewer {
  readonly manages: boolean;
  readonly administrator: boolean;
}

/** An administrator does not manage what another tenant shares. */
const viewerOf = (request: FastifyRequest, manages: boolean): Viewer => ({
  manages,
  administrator: manages && isAdministrator(principalOf(request)),
});

async function healthOf(
  { catalogue }: CallServices,
  server: McpServerEntry,
  viewer: Viewer,
  names: PersonNames,
): Promise<z.output<typeof healthView>> {
  const { tools, quarantined, syncedAt, error, problems } = catalogue.health(server);
  const shownError = errorFor(error, viewer);
  const connections = viewer.manages ? (server.instance.connections?.() ?? []) : [];
  return {
    tools,
    quarantined,
    synced_at: syncedAt === null ? null : at(syncedAt),
    error: shownError,
    problems: viewer.manages ? [...(shownError === null ? [] : [shownError]), ...problems] : [],
    connections: await Promise.all(
      connections.map(async ({ person, state, protocol, pid, since, callsUnderWay }) => ({
        subject: person === null ? null : names.show(person),
        state,
        protocol,
        pid,
        memory_bytes: await memoryOf(pid),
        since: at(since),
        calls_under_way: callsUnderWay,
      })),
    ),
  };
}

export function holderOf({
  holder,
}: SessionInfo): Pick<Principal, 'tenant' | 'issuer' | 'subject'> & { readonly person: string; readonly address: string } {
  const [tenant, issuer, subject, address] = JSON.parse(holder) as [string, string, string, string];
  return { tenant, issuer, subject, person: personRef({ issuer, subject }), address };
}

export function addMcpHealth(app: FastifyInstance, config: ConfigService, calls: CallServices, gate: McpGate, audit: AuditLog): void {
  const tags = ['mcp-servers'];

  app.get<{ Params: z.output<typeof named> }>(
    '/api/mcp-servers/:name/health',
    {
      config: { access: ['llm:mcp:view'] },
      schema: { tags, summary: 'The health of a server, on this node', params: named, response: { 200: healthView } },
    },
    async (request) => {
      const server = serverOf(request, config, request.params.name);
      const asker = askerOf(request);
      requireRight(asker, 'view', server.capability);
      return healthOf(calls, server, viewerOf(request, may(asker, 'manage', server.capability)), config.people);
    },
  );

  app.post<{ Params: z.output<typeof named> }>(
    '/api/mcp-servers/:name/sync',
    {
      config: { access: ['llm:mcp:manage'], decides: true, writes: 'none' },
      schema: { tags, summary: 'List the tools of a server again now', params: named, response: { 200: healthView } },
    },
    async (request, reply) => {
      const server = serverOf(request, config, request.params.name);
      requireRight(askerOf(request), 'manage', server.capability);
      const { principal, subjectToken, signal } = callerOf(request, reply);
      let patience: NodeJS.Timeout | undefined;
      const tired = new Promise<'tired'>((resolve) => {
        patience = setTimeout(() => resolve('tired'), syncPatienceMs);
      });
      const asked = async (): Promise<void> => {
        // When the server accepts personal credentials only, the caller's are used. The caller's right to manage it was checked.
        await server.instance.meet?.({ signal: abortSignalOf(signal), principal, subjectToken, runId: '' }).catch(() => {});
        await calls.catalogue.refresh(server);
      };
      const end = await Promise.race([asked(), tired]).finally(() => clearTimeout(patience));
      if (end === 'tired')
        throw new GatewayError('upstream_timeout', `The MCP server "${server.name}" did not answer within ${syncPatienceMs} ms.`);
      return healthOf(calls, server, viewerOf(request, true), config.people);
    },
  );

  app.get(
    '/api/mcp-sessions',
    {
      config: { access: 'administrator' },
      schema: {
        tags: ['mcp-sessions'],
        summary: 'The sessions of MCP clients at this node',
        description: 'Clients of the stateless protocol have none.',
        response: { 200: z.object({ data: z.array(sessionView) }) },
      },
    },
    async (request) => {
      const { tenant } = principalOf(request);
      const own = gate.sessions().filter((session) => holderOf(session).tenant === tenant);
      return {
        data: own.map((session) => {
          const { person, address } = holderOf(session);
          return {
            id: session.id,
            subject: config.people.show(person),
            address,
            client: session.client,
            since: at(session.since),
            used_at: at(session.usedAt),
          };
        }),
      };
    },
  );

  app.delete<{ Params: z.output<typeof identified> }>(
    '/api/mcp-sessions/:id',
    {
      config: { access: 'administrator', writes: 'none' },
      schema: { tags: ['mcp-sessions'], summary: 'End the session of an MCP client', params: identified },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenant } = principal;
      const { id } = request.params;
      const session = gate.sessions().find((each) => each.id === id && holderOf(each).tenant === tenant);
      if (session === undefined) throw new GatewayError('not_found', `There is no session "${id}" at this node.`, { param: 'id' });
      gate.endSession(id);
      const { person, address } = holderOf(session);
      audit.append({
        tenant,
        actor: personRef(principal),
        act: 'end session',
        target: `person/${person}`,
        requestId: request.id,
        detail: address,
      });
      return reply.code(204).send();
    },
  );
}
