/** People's accounts at MCP servers: sealed for owner and server, written by one node at a time. */
import type { AccountOwner, Accounts } from '../types/accounts.ts';
import type { JsonObject } from '../types/json.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import type { SecretBox } from './secret-box.ts';

/** The context of a sealed account: moved to another row, it does not open. */
export function accountContext({ server, issuer, subject }: { server: string; issuer: string; subject: string }): string {
  return `mcp account ${JSON.stringify([server, issuer, subject])}`;
}

/** The accounts of the server whose row has the id `server`. */
export function createAccounts(database: Database, box: SecretBox, server: string): Accounts {
  const { query } = database;
  const keyOf = (owner: AccountOwner | null) => ({ server, issuer: owner?.issuer ?? '', subject: owner?.subject ?? '' });
  const one = (owner: AccountOwner | null) => {
    const { issuer, subject } = keyOf(owner);
    return query.updateTable('llm_mcp_account').where('server', '=', server).where('issuer', '=', issuer).where('subject', '=', subject);
  };
  return {
    read: (owner) =>
      withStorageErrors(database, async () => {
        const { issuer, subject } = keyOf(owner);
        const row = await query
          .selectFrom('llm_mcp_account')
          .select(['state', 'version'])
          .where('server', '=', server)
          .where('issuer', '=', issuer)
          .where('subject', '=', subject)
          .executeTakeFirst();
        if (row === undefined) return null;
        try {
          const state = JSON.parse(box.open({ $sealed: row.state }, accountContext(keyOf(owner)))) as JsonObject;
          return { state, version: row.version };
        } catch {
          // Sealed under a missing master key: the account must be connected again.
          return { state: {}, version: row.version };
        }
      }),
    write: (owner, state, version) =>
      withStorageErrors(database, async () => {
        const key = keyOf(owner);
        const text = box.seal(JSON.stringify(state), accountContext(key)).$sealed;
        const now = Date.now();
        if (version > 0) {
          const { numUpdatedRows } = await one(owner)
            .set({ state: text, version: version + 1, renewing_until: 0, updated_at: now })
            .where('version', '=', version)
            .executeTakeFirst();
          return Number(numUpdatedRows) === 1;
        }
        // Accounts of deleted servers are deleted.
        await query
          .deleteFrom('llm_mcp_account')
          .where('server', 'not in', query.selectFrom('llm_mcp_config').select('id'))
          .where('server', '!=', server)
          .execute();
        const { numInsertedOrUpdatedRows } = await query
          .insertInto('llm_mcp_account')
          .values({ ...key, state: text, version: 1, renewing_until: 0, updated_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return Number(numInsertedOrUpdatedRows ?? 0) === 1;
      }),
    claim: (owner, version, until) =>
      withStorageErrors(database, async () => {
        const { numUpdatedRows } = await one(owner)
          .set({ renewing_until: until })
          .where('version', '=', version)
          .where('renewing_until', '<', Date.now())
          .executeTakeFirst();
        return Number(numUpdatedRows) === 1;
      }),
    remove: (owner) =>
      withStorageErrors(database, async () => {
        const { issuer, subject } = keyOf(owner);
        await query
          .deleteFrom('llm_mcp_account')
          .where('server', '=', server)
          .where('issuer', '=', issuer)
          .where('subject', '=', subject)
          .execute();
      }),
  };
}
