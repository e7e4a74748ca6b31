/** Compares the nine codes, their names, their state and their roles with the live tables of the company's OAuth2 service. Reads only. */
import type { ExternalDatabase } from '../storage/external/external-database.ts';
import { nearMatches } from '../text/did-you-mean.ts';
import { permissionCodes } from '../types/access.ts';
import { codesForRole, isStandardRole, permissionLayouts, permissionName, type PermissionTable, sqlLanguages } from './permission-sql.ts';

export interface PermissionFinding {
  /** A stable word: missing, duplicate, name, state, unknown, role_missing, role_code. */
  readonly what: string;
  /** The code or the role. */
  readonly subject: string;
  readonly sentence: string;
}

export interface PermissionCheck {
  readonly layout: string;
  readonly table: string;
  readonly findings: readonly PermissionFinding[];
  /** The roles of the table that hold any of the codes, with these. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** The roles that lack codes, for the statements that add them. */
  readonly lacking: readonly string[];
}

/** One number for all queries: MySQL keeps the first of a connection. */
export const mostRows = 5_000;

/** Columns by which these services switch a permission off. */
const stateColumns: ReadonlySet<string> = new Set(['status', 'del_flag']);

/** The text of a driver's value. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(Number(value)) : '';
}

const bare = (template: string): string => template.replace(/^'(.*)'$/, '$1');

/** The layout whose tables and columns the database has; null for none. */
export async function findLayout(database: ExternalDatabase): Promise<string | null> {
  for (const [name, { table, code, key, links }] of Object.entries(permissionLayouts)) {
    const statements = [
      `select ${code}, ${key} from ${table} where 1 = 0`,
      `select ${links.role}, ${links.permission} from ${links.table} where 1 = 0`,
      `select ${links.roleKey}, ${links.roleCode} from ${links.roleTable} where 1 = 0`,
    ];
    try {
      for (const statement of statements) await database.rows(statement, [], mostRows);
      return name;
    } catch {
      // Another layout has other tables.
    }
  }
  return null;
}

interface StoredPermission {
  readonly code: string;
  readonly name: string;
  /** Columns whose value is not that of an active permission, as sentences. */
  readonly states: readonly string[];
}

async function readPermissions(database: ExternalDatabase, layout: PermissionTable): Promise<StoredPermission[]> {
  const nameColumn = Object.entries(layout.columns).find(([, template]) => template === '{name}')?.[0];
  const states = Object.entries(layout.columns).filter(([column]) => stateColumns.has(column));
  const columns = [layout.code, nameColumn ?? layout.code, ...states.map(([column]) => column)];
  const statement = `select ${columns.join(', ')} from ${layout.table} where ${layout.code} like ${database.mark(1)}`;
  const rows = await database.rows(statement, ['llm:%'], mostRows);
  return rows.map(([code, name, ...values]) => ({
    code: textOf(code),
    name: textOf(name),
    states: states.flatMap(([column, template], index) =>
      textOf(values[index]) === bare(template) ? [] : [`${column} is ${textOf(values[index]) || 'empty'}, not ${bare(template)}`],
    ),
  }));
}

/** The codes of each role. */
async function readRoles(database: ExternalDatabase, layout: PermissionTable): Promise<Map<string, Set<string>>> {
  const { links } = layout;
  const names = await database.rows(`select ${links.roleCode} from ${links.roleTable}`, [], mostRows);
  const roles = new Map(names.map(([name]) => [textOf(name), new Set<string>()]));
  const held = await database.rows(
    `select r.${links.roleCode}, p.${layout.code} from ${layout.table} p join ${links.table} l on l.${links.permission} = p.${layout.key} join ${links.roleTable} r on r.${links.roleKey} = l.${links.role} where p.${layout.code} like ${database.mark(1)}`,
    ['llm:%'],
    mostRows,
  );
  for (const [role, code] of held) roles.get(textOf(role))?.add(textOf(code));
  return roles;
}

function ofCodes(stored: readonly StoredPermission[], table: string): PermissionFinding[] {
  const findings: PermissionFinding[] = [];
  for (const code of permissionCodes) {
    const rows = stored.filter((each) => each.code === code);
    const [row] = rows;
    if (row === undefined) {
      findings.push({ what: 'missing', subject: code, sentence: `${code}: is not in ${table}.` });
      continue;
    }
    if (rows.length > 1)
      findings.push({ what: 'duplicate', subject: code, sentence: `${code}: is ${rows.length} times in ${table}; keep one.` });
    const names = sqlLanguages.map((language) => permissionName(code, language));
    if (!names.includes(row.name))
      findings.push({ what: 'name', subject: code, sentence: `${code}: its name is "${row.name}", not "${names.join('" or "')}".` });
    for (const state of row.states) findings.push({ what: 'state', subject: code, sentence: `${code}: ${state}, so it may not count.` });
  }
  const known: readonly string[] = permissionCodes;
  for (const code of new Set(stored.map((each) => each.code).filter((each) => !known.includes(each)))) {
    const near = nearMatches(code, known)[0];
    const sentence = `${code}: is no code of Pailou${near === undefined ? '' : `; ${near} is`}.`;
    findings.push({ what: 'unknown', subject: code, sentence });
  }
  return findings;
}

/** `wanted`: the names of the roles that must hold their codes; empty for those of the four roles that the table has. */
export async function checkPermissions(
  database: ExternalDatabase,
  name: string,
  layout: PermissionTable,
  wanted: readonly string[],
): Promise<PermissionCheck> {
  const findings = ofCodes(await readPermissions(database, layout), layout.table);
  const roles = await readRoles(database, layout);
  const lacking: string[] = [];
  // Unless named, the four roles that are there.
  for (const role of wanted.length > 0 ? wanted : [...roles.keys()].filter((each) => isStandardRole(each))) {
    const held = roles.get(role);
    if (held === undefined) {
      const near = nearMatches(role, [...roles.keys()])[0];
      const sentence = `role ${role}: is not in ${layout.links.roleTable}${near === undefined ? '' : `; there is ${near}`}.`;
      findings.push({ what: 'role_missing', subject: role, sentence });
      continue;
    }
    const missing = codesForRole(role).filter((code) => !held.has(code));
    if (missing.length === 0) continue;
    lacking.push(role);
    findings.push({ what: 'role_code', subject: role, sentence: `role ${role}: lacks ${missing.join(', ')}.` });
  }
  const held = [...roles].filter(([, codes]) => codes.size > 0).map(([role, codes]) => [role, [...codes].toSorted()] as const);
  return { layout: name, table: layout.table, findings, roles: Object.fromEntries(held), lacking };
}
