/** MCP servers of a snapshot. Their labels depend on each other, so a change of one checks all of its tenant; unchanged ones keep their instances. */
import type { McpServerEntry, TenantView } from '../../types/snapshot.ts';
import { byAge, mcpLabels } from '../mcp-labels.ts';
import { capabilityOfRow } from '../row-capability.ts';
import { virtualFaults } from '../virtual-servers.ts';
import { type BuildEdit, parseOnce } from './build-edit.ts';
import { namesOf, type TenantChanges } from './changed-names.ts';
import { requireName } from './models.ts';

export type McpServers = Pick<TenantView, 'mcpServers' | 'mcpRows'>;

export async function buildMcpServers(edit: BuildEdit, tenant: string, changes: TenantChanges, before: McpServers): Promise<McpServers> {
  const changed = namesOf(changes, 'mcp');
  if (changed.size === 0)
    return before.mcpRows === undefined ? { mcpServers: before.mcpServers } : { mcpServers: before.mcpServers, mcpRows: before.mcpRows };
  const group = edit.rows.group('mcp', tenant);
  for (const name of new Set([...group.keys(), ...changed]))
    for (const check of ['row', 'label', 'virtual'] as const) edit.clear(check, { kind: 'mcp', tenant, name });

  const mcpServers = new Map<string, McpServerEntry>();
  const mcpRows = [...group.values()].toSorted(byAge);
  const labels = mcpLabels(mcpRows);
  for (const { name, error } of labels.faults) edit.report('label', { kind: 'mcp', tenant, name }, error);
  for (const row of mcpRows) {
    if (!row.enabled) continue;
    await edit.tolerate(row, async () => {
      requireName('mcp', row.name);
      const spec = parseOnce('mcp', row.spec);
      const { instance } = await edit.instance('tool-source', row);
      const { id, name } = row;
      const label = labels.of.get(name) === name ? {} : { label: labels.of.get(name) ?? null };
      mcpServers.set(name, { id, name, capability: capabilityOfRow('mcp', row, spec.tags), spec, ...label, instance });
    });
  }
  for (const name of new Set([...group.keys(), ...changed])) edit.settle({ kind: 'mcp', tenant, name });
  for (const { name, error } of virtualFaults(group)) edit.report('virtual', { kind: 'mcp', tenant, name }, error);
  return mcpServers.size === mcpRows.length ? { mcpServers } : { mcpServers, mcpRows: mcpRows.map(({ id, name }) => ({ id, name })) };
}
