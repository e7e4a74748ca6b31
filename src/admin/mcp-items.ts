/** The items of an MCP server: shown, switched off, or quarantined until approved. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { may, promptCapability, requireRight, resourceCapability, toolCapability } from '../application/caller.ts';
import type { CallServices } from '../application/services.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { isAdministrator } from '../auth/decide.ts';
import { isOffered } from '../config/offers.ts';
import type { ConfigService } from '../config/service.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Capability } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import { type PinnedDefinition, definitionKinds } from '../types/tool-definitions.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { McpServerEntry } from '../types/snapshot.ts';
import { expectedRevision } from './actor.ts';
import { differences } from './differences.ts';
import { pageOf, pageQuery } from './paging.ts';
import { showRow } from '../config/shown-row.ts';
import { rowView } from './row-view.ts';
import { writerOf } from './writer.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const toolNamed = named.extend({ tool: z.string().min(1).max(200) });
const switchBody = z.strictObject({ enabled: z.boolean() });
const approveBody = z.strictObject({
  items: z
    .array(
      z.strictObject({ kind: z.enum(definitionKinds), name: z.string().min(1).max(2_000), digest: z.string().regex(/^[0-9a-f]{64}$/) }),
    )
    .min(1)
    .max(200)
    .describe('The definitions to approve, each with the `seen_digest` that was reviewed.'),
});
const itemView = z.object({
  kind: z.enum(definitionKinds),
  name: z.string(),
  state: z.enum(['approved', 'changed', 'new']).describe('changed and new definitions are quarantined until they are approved.'),
  present: z.boolean().describe('Whether the server offered it when it was last listed.'),
  enabled: z.boolean().describe('Whether a tool is enabled.'),
  definition: z.record(z.string(), z.unknown()).nullable(),
  digest: z.string(),
  seen_definition: z.record(z.string(), z.unknown()).nullable().describe('The current definition, where it differs from the approved one.'),
  seen_digest: z.string().nullable(),
  differences: z.array(
    z.object({ path: z.string(), before: z.unknown(), after: z.unknown(), change: z.enum(['added', 'removed', 'changed']) }),
  ),
  changed_at: z.string(),
  decided_by: z.string().nullable(),
});

/** The server of the caller's tenant. Throws `not_found`, or `in_use` for a disabled row. */
export function serverOf(request: FastifyRequest, config: ConfigService, name: string): McpServerEntry {
  const { tenant } = principalOf(request);
  const server = snapshotOf(request).tenant(tenant).mcpServers.get(name);
  if (server !== undefined) return server;
  if (config.row(tenant, 'mcp', name) === undefined)
    throw new GatewayError('not_found', `There is no MCP server named "${name}".`, { param: 'name' });
  throw new GatewayError('not_found', `The MCP server "${name}" is disabled, or its configuration is not valid.`, { param: 'name' });
}

export const askerOf = (request: FastifyRequest) => {
  const principal = principalOf(request);
  return { principal, view: snapshotOf(request).tenant(principal.tenant) };
};

function capabilityOfPin(server: McpServerEntry, { kind, name }: PinnedDefinition): Capability {
  if (kind === 'tool') return toolCapability(server, name);
  return kind === 'prompt' ? promptCapability(server, name) : resourceCapability(server, name);
}

function showPin(server: McpServerEntry, pin: PinnedDefinition): z.output<typeof itemView> {
  const { allowed_tools: allowed } = server.spec;
  return {
    kind: pin.kind,
    name: pin.name,
    state: pin.state,
    present: pin.present,
    enabled: pin.kind !== 'tool' || allowed === null || allowed.includes(pin.name),
    definition: pin.definition,
    digest: pin.digest,
    seen_definition: pin.seenDefinition,
    seen_digest: pin.seenDigest,
    differences: pin.seenDefinition === null || pin.definition === null ? [] : [...differences(pin.definition, pin.seenDefinition)],
    changed_at: new Date(pin.changedAt).toISOString(),
    // A person of the tenant that shares the server.
    decided_by: server.capability.sharedBy !== undefined ? null : pin.decidedBy,
  };
}

/** The texts that a model would read, before and after, for an auditor. */
function wordsOf(definition: PinnedDefinition['definition']): string {
  const description = definition?.['description'];
  return typeof description === 'string' ? description.slice(0, 1_000) : '';
}

const allowedIn = (spec: ConfigRow['spec']): readonly string[] | null => (spec['allowed_tools'] ?? null) as readonly string[] | null;

/** `allowed_tools` after the switch. "All" becomes the list of known tools; later ones need their own switch. */
function switched(allowed: readonly string[] | null, known: readonly string[], tool: string, enabled: boolean): readonly string[] | null {
  if (enabled) return allowed === null || allowed.includes(tool) ? allowed : [...allowed, tool].toSorted();
  return (allowed ?? known.toSorted()).filter((each) => each !== tool);
}

export function addMcpItems(app: FastifyInstance, config: ConfigService, { catalogue }: CallServices, audit: AuditLog): void {
  const tags = ['mcp-servers'];
  const manage = { access: ['llm:mcp:manage'] as const, decides: true };

  app.get<{ Params: z.output<typeof named>; Querystring: z.output<typeof pageQuery> }>(
    '/api/mcp-servers/:name/items',
    {
      config: { access: ['llm:mcp:view'] },
      schema: {
        tags,
        summary: 'Tools, resources and prompts of a server',
        description: 'Quarantined definitions and their differences are shown to those who may manage the server.',
        params: named,
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(itemView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const server = serverOf(request, config, request.params.name);
      const asker = askerOf(request);
      const manages = may(asker, 'manage', server.capability);
      const keyOf = ({ kind, name }: PinnedDefinition): string => `${kind} ${name}`.slice(0, 300);
      const visible = catalogue
        .items(server)
        .filter((pin) => manages || (pin.present && pin.state === 'approved' && may(asker, 'view', capabilityOfPin(server, pin))))
        .toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
      if (visible.length === 0) requireRight(asker, 'view', server.capability);
      const page = pageOf(visible, keyOf, request.query);
      return { data: page.data.map((pin) => showPin(server, pin)), next: page.next };
    },
  );

  app.post<{ Params: z.output<typeof named>; Body: z.output<typeof approveBody> }>(
    '/api/mcp-servers/:name/items/approve',
    {
      config: { ...manage, writes: 'none' },
      schema: {
        tags,
        summary: "Approve reviewed changes of a server's definitions",
        params: named,
        body: approveBody,
        response: { 200: z.object({ data: z.array(itemView) }) },
      },
    },
    async (request) => {
      const server = serverOf(request, config, request.params.name);
      requireRight(askerOf(request), 'manage', server.capability);
      const principal = principalOf(request);
      const { tenant } = principal;
      const row = config.row(tenant, 'mcp', server.name);
      if (row !== undefined && isOffered(row) && !isAdministrator(principal))
        throw new GatewayError('permission_denied', 'Other tenants have this server too, so only administrators approve its definitions.', {
          param: 'name',
        });
      const approved = await catalogue.approve(server, request.body.items, personRef(principal));
      for (const { before: old, after: pin } of approved) {
        audit.append({
          tenant,
          actor: personRef(principal),
          act: 'approve',
          target: `mcp/${server.name}/${pin.name}`,
          requestId: request.id,
          detail: `the ${pin.kind} as it is offered now`,
          before: { digest: old.digest, description: wordsOf(old.definition) },
          after: { digest: pin.digest, description: wordsOf(pin.definition) },
        });
      }
      return { data: approved.map(({ after }) => showPin(server, after)) };
    },
  );

  app.patch<{ Params: z.output<typeof toolNamed>; Body: z.output<typeof switchBody> }>(
    '/api/mcp-servers/:name/tools/:tool',
    {
      config: { ...manage, writes: ['mcp'] },
      schema: {
        tags,
        summary: 'Enable or disable one tool',
        description: 'Writes allowed_tools of the server. The connection stays as it is.',
        params: toolNamed,
        body: switchBody,
        response: { 200: rowView },
      },
    },
    async (request, reply) => {
      const { name, tool } = request.params;
      const { enabled } = request.body;
      const server = serverOf(request, config, name);
      requireRight(askerOf(request), 'manage', server.capability);
      const { tenant } = principalOf(request);
      const row = config.row(tenant, 'mcp', name);
      const known = catalogue.items(server).flatMap((pin) => (pin.kind === 'tool' ? [pin.name] : []));
      if (row === undefined || !known.includes(tool))
        throw new GatewayError('not_found', `The MCP server "${name}" has no tool named "${tool}".`, { param: 'tool' });
      const mutation = {
        kind: 'mcp' as const,
        tenant,
        name,
        operation: 'replace' as const,
        edit: (spec: ConfigRow['spec']) => ({ ...spec, allowed_tools: switched(allowedIn(spec), known, tool, enabled) }),
        expectedRevision: expectedRevision(request),
      };
      const { revision } = await config.change(
        writerOf(request),
        [mutation],
        `switch ${enabled ? 'on' : 'off'} the tool ${tool} of MCP server ${name}`,
      );
      const after = config.row(tenant, 'mcp', name) ?? row;
      return reply
        .header('x-pailou-revision', revision)
        .header('etag', `"${after.revision}"`)
        .send(showRow(config.mask(after)));
    },
  );
}
