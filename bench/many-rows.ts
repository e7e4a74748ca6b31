/** Writes the configuration of a large company directly into the tables of a data folder. The benchmark measures running with it, not creating it. */
import { randomUUID } from 'node:crypto';
import { openDatabase } from '../src/storage/open-database.ts';
import { migrate } from '../src/storage/migrate.ts';
import type { ConfigTable } from '../src/storage/schema.ts';
import type { Logger } from '../src/types/logger.ts';
import { grantSpec, modelSpec } from '../src/types/resources.ts';

export const manyModels = 10_000;
export const manyGrants = 100_000;
const rowsPerInsert = 500;

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

function row(name: string, spec: object, revision: number, over: Partial<ConfigTable> = {}): ConfigTable {
  const at = new Date().toISOString();
  return {
    id: randomUUID(),
    tenant: 'default',
    name,
    spec: JSON.stringify(spec),
    enabled: 1,
    owner: null,
    basis: '{"*":"administrator"}',
    revision,
    created_at: at,
    created_by: 'bench',
    updated_at: at,
    updated_by: 'bench',
    target: null,
    approved_tags: null,
    labels: null,
    ...over,
  };
}

const model = (index: number): object => modelSpec.parse({ deployments: [{ provider: 'bench', model: `many-${index}` }] });
const grant = (index: number): object =>
  grantSpec.parse({
    subject_type: 'user',
    subject: `person-${index % 5000}`,
    capability: `model/many-${index % manyModels}`,
    action: 'use',
  });

/** Adds the models and grants as one more revision. No Pailou process may use the folder meanwhile. */
export async function fillDataDir(dataDir: string): Promise<void> {
  const database = await openDatabase({ url: null, dataDir, logger: silent });
  try {
    await migrate(database);
    await database.query.transaction().execute(async (transaction) => {
      const { revision } = await transaction.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow();
      const next = Number(revision) + 1;
      const insert = async (
        table: 'llm_model_config' | 'llm_grant',
        count: number,
        make: (index: number) => ConfigTable,
      ): Promise<void> => {
        for (let start = 0; start < count; start += rowsPerInsert) {
          const rows = Array.from({ length: Math.min(rowsPerInsert, count - start) }, (_, offset) => make(start + offset));
          await transaction.insertInto(table).values(rows).execute();
        }
      };
      await insert('llm_model_config', manyModels, (index) => row(`many-${index}`, model(index), next, { id: `many-${index}` }));
      await insert('llm_grant', manyGrants, (index) => row(`many-${index}`, grant(index), next, { target: `many-${index % manyModels}` }));
      await transaction.updateTable('llm_config_revision').set({ revision: next }).execute();
    });
  } finally {
    await database.close();
  }
}
