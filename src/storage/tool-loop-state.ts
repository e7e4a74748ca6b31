/** State of tool loops between requests: keyed by a digest of the owner, sealed, deleted after an hour. */
import { createHash } from 'node:crypto';
import type { ToolLoopStates, ToolLoopOwner } from '../types/tool-loop-state.ts';
import type { JsonObject } from '../types/json.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import { inIdBatches } from './batched-ids.ts';
import type { SecretBox } from './secret-box.ts';

const keptMs = 3_600_000;

function keyOf({ tenant, issuer, subject }: ToolLoopOwner, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, issuer, subject, id]))
    .digest('base64url');
}

export function createToolLoopStates(database: Database, box: SecretBox): ToolLoopStates {
  const { query } = database;
  /** Null when the master key has changed. */
  const opened = (key: string, text: string): JsonObject | null => {
    try {
      return JSON.parse(box.open({ $sealed: text }, `chat state ${key}`)) as JsonObject;
    } catch {
      return null;
    }
  };
  return {
    keep: (owner, ids, state) =>
      withStorageErrors(database, async () => {
        const now = Date.now();
        const text = JSON.stringify(state);
        await query.deleteFrom('llm_chat_state').where('expires_at', '<', now).execute();
        const rows = [...new Set(ids.map((id) => keyOf(owner, id)))].map((id) => ({
          id,
          state: box.seal(text, `chat state ${id}`).$sealed,
          expires_at: now + keptMs,
        }));
        await query
          .insertInto('llm_chat_state')
          .values(rows)
          .onConflict((conflict) =>
            conflict
              .column('id')
              .doUpdateSet((build) => ({ state: build.ref('excluded.state'), expires_at: build.ref('excluded.expires_at') })),
          )
          .execute();
      }),
    read: (owner, ids) =>
      withStorageErrors(database, async () => {
        const keys = new Map(ids.map((id) => [keyOf(owner, id), id]));
        const rows = await inIdBatches([...keys.keys()], (some) =>
          query.selectFrom('llm_chat_state').select(['id', 'state']).where('id', 'in', some).where('expires_at', '>', Date.now()).execute(),
        );
        const found = new Map<string, JsonObject>();
        for (const row of rows) {
          const state = opened(row.id, row.state);
          if (state !== null) found.set(keys.get(row.id) ?? '', state);
        }
        return found;
      }),
    take: (owner, id) =>
      withStorageErrors(database, async () => {
        const key = keyOf(owner, id);
        const row = await query
          .deleteFrom('llm_chat_state')
          .where('id', '=', key)
          .where('expires_at', '>', Date.now())
          .returning('state')
          .executeTakeFirst();
        return row === undefined ? null : opened(key, row.state);
      }),
  };
}
