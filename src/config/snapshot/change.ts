/** Compares two snapshots at the cost of their difference. */
import type { ChangedModel, SnapshotChange } from '../../types/snapshot.ts';
import { type Built, emptyView } from './built.ts';

export function changeOf(next: Built, previous: Built): SnapshotChange {
  const models: ChangedModel[] = [];
  let limits = false;
  let servers = false;
  for (const [tenant, before = emptyView, after = emptyView] of next.views.differences(previous.views)) {
    for (const [, was, is] of after.models.differences(before.models)) models.push({ tenant, before: was, after: is });
    limits ||= before.limits !== after.limits;
    servers ||= before.mcpServers !== after.mcpServers || before.mcpRows !== after.mcpRows;
  }
  return { models, limits, servers };
}
