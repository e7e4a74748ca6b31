/** Enumerates every column with sealed values, page by page. */
import type { Kysely } from 'kysely';
import { configTables, type ConfigTableName } from './config-store.ts';
import { accountContext } from './mcp-accounts.ts';
import { contentContext } from './run-contents.ts';
import type { Schema } from './schema.ts';
import { derivedKeys, createSecretBox, type MasterKeys, rowContext, type SecretBox } from './secret-box.ts';

/** A text with sealed values, as stored in a column. */
export interface SealedText {
  readonly column: string;
  readonly json: string;
  readonly context: string;
}

export interface SealedRow {
  /** The row for people, e.g. `provider acme/openai`. */
  readonly about: string;
  /** Null for rows without a tenant. */
  readonly tenant: string | null;
  readonly texts: readonly SealedText[];
  /** Replaces the texts that were read. Returns false when the row has changed meanwhile. */
  write(query: Kysely<Schema>, texts: readonly SealedText[]): Promise<boolean>;
}

export interface SealedColumns {
  readonly box: SecretBox;
  /** The rows after `after` (null: from the start), and the next cursor; null after the last page. */
  page(query: Kysely<Schema>, after: Cursor | null): Promise<{ readonly rows: readonly SealedRow[]; readonly next: Cursor | null }>;
}

/** The key of the last row of a page. */
export type Cursor = readonly (string | number)[];

const rowsAtOnce = 100;
const sealedLikePattern = '%"$sealed"%';

function pageOf<T>(found: readonly T[], rowOf: (row: T) => SealedRow, cursorOf: (row: T) => Cursor) {
  const last = found.at(-1);
  return { rows: found.map(rowOf), next: last === undefined || found.length < rowsAtOnce ? null : cursorOf(last) };
}

function configPlace(table: ConfigTableName, box: SecretBox): SealedColumns {
  const kind = table.replace(/^llm_|_config$/g, '');
  return {
    box,
    async page(query, after) {
      let select = query.selectFrom(table).select(['id', 'tenant', 'name', 'spec']).where('spec', 'like', sealedLikePattern);
      if (after !== null) select = select.where('id', '>', String(after[0]));
      return pageOf(
        await select.orderBy('id').limit(rowsAtOnce).execute(),
        (row) => ({
          about: `${kind} ${row.tenant}/${row.name}`,
          tenant: row.tenant,
          texts: [{ column: 'spec', json: row.spec, context: rowContext(row) }],
          async write(writer, [text]) {
            if (text === undefined) return true;
            const { numUpdatedRows } = await writer
              .updateTable(table)
              .set({ spec: text.json })
              .where('id', '=', row.id)
              .where('spec', '=', row.spec)
              .executeTakeFirst();
            return numUpdatedRows === 1n;
          },
        }),
        (row) => [row.id],
      );
    },
  };
}

/** The history stores whole rows for roll-backs. */
function historyTexts(row: { readonly before: string | null; readonly after: string | null }): SealedText[] {
  return (['before', 'after'] as const).flatMap((column) => {
    const json = row[column];
    if (json === null) return [];
    return [{ column, json, context: rowContext(JSON.parse(json) as { tenant: string; id: string }) }];
  });
}

function historyPlace(box: SecretBox): SealedColumns {
  return {
    box,
    async page(query, after) {
      let select = query
        .selectFrom('llm_config_history')
        .select(['revision', 'sequence', 'kind', 'tenant', 'name', 'before', 'after'])
        .where((is) => is.or([is('before', 'like', sealedLikePattern), is('after', 'like', sealedLikePattern)]));
      if (after !== null) {
        const [revision = 0, sequence = 0] = after.map(Number);
        select = select.where((is) =>
          is.or([is('revision', '>', revision), is.and([is('revision', '=', revision), is('sequence', '>', sequence)])]),
        );
      }
      return pageOf(
        await select.orderBy('revision').orderBy('sequence').limit(rowsAtOnce).execute(),
        (row) => ({
          about: `${row.kind} ${row.tenant}/${row.name} at revision ${row.revision} of the history`,
          tenant: row.tenant,
          texts: historyTexts(row),
          async write(writer, texts) {
            if (texts.length === 0) return true;
            // An entry of the history never changes otherwise.
            const { numUpdatedRows } = await writer
              .updateTable('llm_config_history')
              .set(Object.fromEntries(texts.map(({ column, json }) => [column, json])))
              .where('revision', '=', row.revision)
              .where('sequence', '=', row.sequence)
              .executeTakeFirst();
            return numUpdatedRows === 1n;
          },
        }),
        (row) => [row.revision, row.sequence],
      );
    },
  };
}

function sessionPlace(box: SecretBox): SealedColumns {
  return {
    box,
    async page(query, after) {
      let select = query.selectFrom('llm_session').select(['id', 'tokens']);
      if (after !== null) select = select.where('id', '>', String(after[0]));
      return pageOf(
        await select.orderBy('id').limit(rowsAtOnce).execute(),
        (row) => ({
          about: `session ${row.id.slice(0, 8)}…`,
          tenant: null,
          texts: [{ column: 'tokens', json: JSON.stringify({ $sealed: row.tokens }), context: `session ${row.id}` }],
          async write(writer, [text]) {
            if (text === undefined) return true;
            const { $sealed: tokens } = JSON.parse(text.json) as { $sealed: string };
            const { numUpdatedRows } = await writer
              .updateTable('llm_session')
              .set({ tokens })
              .where('id', '=', row.id)
              .where('tokens', '=', row.tokens)
              .executeTakeFirst();
            return numUpdatedRows === 1n;
          },
        }),
        (row) => [row.id],
      );
    },
  };
}

function accountPlace(box: SecretBox): SealedColumns {
  return {
    box,
    async page(query, after) {
      let select = query.selectFrom('llm_mcp_account').select(['server', 'issuer', 'subject', 'state']);
      if (after !== null) {
        const [server = '', issuer = '', subject = ''] = after.map(String);
        select = select.where((is) =>
          is.or([
            is('server', '>', server),
            is.and([is('server', '=', server), is('issuer', '>', issuer)]),
            is.and([is('server', '=', server), is('issuer', '=', issuer), is('subject', '>', subject)]),
          ]),
        );
      }
      return pageOf(
        await select.orderBy('server').orderBy('issuer').orderBy('subject').limit(rowsAtOnce).execute(),
        (row) => ({
          about: `account of ${row.subject === '' ? 'Pailou' : row.subject} at the MCP server ${row.server}`,
          tenant: null,
          texts: [{ column: 'state', json: JSON.stringify({ $sealed: row.state }), context: accountContext(row) }],
          async write(writer, [text]) {
            if (text === undefined) return true;
            const { $sealed: state } = JSON.parse(text.json) as { $sealed: string };
            const { numUpdatedRows } = await writer
              .updateTable('llm_mcp_account')
              .set({ state })
              .where('server', '=', row.server)
              .where('issuer', '=', row.issuer)
              .where('subject', '=', row.subject)
              .where('state', '=', row.state)
              .executeTakeFirst();
            return numUpdatedRows === 1n;
          },
        }),
        (row) => [row.server, row.issuer, row.subject],
      );
    },
  };
}

function contentPlace(box: SecretBox): SealedColumns {
  return {
    box,
    async page(query, after) {
      let select = query.selectFrom('llm_run_content').select(['id', 'content']);
      if (after !== null) select = select.where('id', '>', String(after[0]));
      return pageOf(
        await select.orderBy('id').limit(rowsAtOnce).execute(),
        (row) => ({
          about: `content of run ${row.id}`,
          tenant: null,
          texts: [{ column: 'content', json: JSON.stringify({ $sealed: row.content }), context: contentContext(row.id) }],
          async write(writer, [text]) {
            if (text === undefined) return true;
            const { $sealed: content } = JSON.parse(text.json) as { $sealed: string };
            const { numUpdatedRows } = await writer
              .updateTable('llm_run_content')
              .set({ content })
              .where('id', '=', row.id)
              .where('content', '=', row.content)
              .executeTakeFirst();
            return numUpdatedRows === 1n;
          },
        }),
        (row) => [row.id],
      );
    },
  };
}

export function sealedColumns(keys: MasterKeys): readonly SealedColumns[] {
  const box = createSecretBox(keys);
  return [
    ...configTables.map((table) => configPlace(table, box)),
    historyPlace(box),
    sessionPlace(createSecretBox(derivedKeys(keys, 'sessions'))),
    accountPlace(createSecretBox(derivedKeys(keys, 'mcp accounts'))),
    contentPlace(createSecretBox(derivedKeys(keys, 'run contents'))),
  ];
}
