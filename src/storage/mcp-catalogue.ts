/** The catalogue of MCP servers for all nodes: approved definitions, and those that differ from them. */
import type { JsonObject } from '../types/json.ts';
import type { PinnedDefinition, DefinitionKind, DefinitionStore } from '../types/tool-definitions.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import type { McpCatalogueTable } from './schema.ts';

function read(row: McpCatalogueTable): PinnedDefinition {
  const definition = (text: string | null) => (text === null ? null : (JSON.parse(text) as JsonObject));
  return {
    server: row.server,
    tenant: row.tenant,
    kind: row.kind as DefinitionKind,
    name: row.name,
    state: row.state as PinnedDefinition['state'],
    present: row.present === 1,
    definition: definition(row.definition),
    digest: row.digest,
    seenDefinition: definition(row.seen_definition),
    seenDigest: row.seen_digest,
    changedAt: Number(row.changed_at),
    decidedBy: row.decided_by,
  };
}

function written(pin: PinnedDefinition): McpCatalogueTable {
  const text = (definition: JsonObject | null) => (definition === null ? null : JSON.stringify(definition));
  return {
    server: pin.server,
    tenant: pin.tenant,
    kind: pin.kind,
    name: pin.name,
    state: pin.state,
    present: pin.present ? 1 : 0,
    definition: text(pin.definition),
    digest: pin.digest,
    seen_definition: text(pin.seenDefinition),
    seen_digest: pin.seenDigest,
    changed_at: pin.changedAt,
    decided_by: pin.decidedBy,
  };
}

/** The maximum number of rows per statement, below the limit of either database. */
const rowsAtOnce = 50;

export function createDefinitionStore(database: Database): DefinitionStore {
  const { query } = database;
  return {
    of: (server) =>
      withStorageErrors(database, async () =>
        (await query.selectFrom('llm_mcp_catalogue').selectAll().where('server', '=', server).execute()).map(read),
      ),
    since: (time) =>
      withStorageErrors(database, async () =>
        (await query.selectFrom('llm_mcp_catalogue').selectAll().where('changed_at', '>=', time).execute()).map(read),
      ),
    write: (pins, gone) =>
      withStorageErrors(database, () =>
        query.transaction().execute(async (within) => {
          for (const { server, kind, name } of gone)
            await within
              .deleteFrom('llm_mcp_catalogue')
              .where('server', '=', server)
              .where('kind', '=', kind)
              .where('name', '=', name)
              .execute();
          for (let start = 0; start < pins.length; start += rowsAtOnce) {
            await within
              .insertInto('llm_mcp_catalogue')
              .values(pins.slice(start, start + rowsAtOnce).map(written))
              .onConflict((conflict) =>
                conflict.columns(['server', 'kind', 'name']).doUpdateSet((build) => ({
                  state: build.ref('excluded.state'),
                  present: build.ref('excluded.present'),
                  definition: build.ref('excluded.definition'),
                  digest: build.ref('excluded.digest'),
                  seen_definition: build.ref('excluded.seen_definition'),
                  seen_digest: build.ref('excluded.seen_digest'),
                  changed_at: build.ref('excluded.changed_at'),
                  decided_by: build.ref('excluded.decided_by'),
                })),
              )
              .execute();
          }
          await database.notify(within);
        }),
      ),
    watch: (listener) => database.watch(listener),
  };
}
