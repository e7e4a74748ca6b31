/** pailou providers, models, mcp-servers, grants, limits, teams, service-accounts: rows of a running gateway, by the same API as the console. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { answerOf, gatewayCall, gatewayOptions, printFailure, type GatewayCall, wholeList } from './gateway-call.ts';
import { type Command, print, UsageError, printJson } from './command.ts';
import { table } from './table.ts';

interface Row {
  readonly name: string;
  readonly enabled: boolean;
  readonly owner: string | null;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The collections of these commands, with what their list shows of a spec. */
const columnsOf: Readonly<Record<string, readonly string[]>> = {
  providers: ['kind'],
  models: ['description', 'strategy'],
  'mcp-servers': ['kind', 'description'],
  grants: ['subject_type', 'subject', 'action', 'capability'],
  limits: ['subject_type', 'subject', 'capability'],
  teams: ['role', 'administrator_role', 'administrators'],
  'service-accounts': ['team', 'roles'],
};

const shown = (value: unknown): string | null =>
  Array.isArray(value)
    ? value.join(' ')
    : typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : null;

/** `base_url=https://…` as a member; a value that is JSON is one. */
function memberOf(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--option ${text}: write name=value, e.g. --option base_url=https://api.example.com/v1`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value) as unknown];
  } catch {
    return [text.slice(0, at), value];
  }
}

/** JSON as an argument, `@file`, or `-` for the standard input. */
function jsonOf(text: string | undefined, usage: string): unknown {
  if (text === undefined) throw new UsageError(usage);
  const source = text === '-' ? readFileSync(0, 'utf8') : text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text;
  try {
    return JSON.parse(source) as unknown;
  } catch {
    throw new UsageError(`The body is not valid JSON. ${usage}`);
  }
}

async function listed(call: GatewayCall, collection: string, json: boolean): Promise<number> {
  const list = await wholeList<{ data: Row[]; next: null }>(call, `/api/${collection}?limit=500`);
  if (list === null) return 1;
  const { data: rows } = list;
  const columns = columnsOf[collection] ?? [];
  if (json) printJson(rows);
  else
    print(
      table(
        ['NAME', 'ENABLED', 'OWNER', ...columns.map((column) => column.toUpperCase())],
        rows.map(({ name, enabled, owner, spec }) => [name, enabled, owner, ...columns.map((column) => shown(spec[column]))]),
      ),
    );
  return 0;
}

async function sent(call: GatewayCall, method: string, path: string, body: unknown, said: string, json: boolean): Promise<number> {
  const bytes = body === undefined ? undefined : { type: 'application/json', bytes: JSON.stringify(body) };
  const response = await call.send(method, path, bytes);
  if (response === null) return 1;
  if (!response.ok) return printFailure(response);
  if (response.status === 204) print(json ? '{}' : said);
  else {
    const row: unknown = await answerOf(response);
    if (json || method === 'GET') printJson(row, json ? 0 : 2);
    else print(said);
  }
  return 0;
}

/** The command of one collection. */
export function rowsCommand(collection: string): Command {
  const usage = `pailou ${collection} [list] | get <name> | add <name> … | set <name> <JSON merge patch> | delete <name>`;
  return {
    async run(args) {
      const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: {
          ...gatewayOptions,
          json: { type: 'boolean', default: false },
          kind: { type: 'string' },
          option: { type: 'string', multiple: true },
        },
      });
      const [verb = 'list', name, given, ...more] = positionals;
      const isTooMuch = verb === 'list' ? name !== undefined : verb === 'get' || verb === 'delete' ? given !== undefined : more.length > 0;
      if (isTooMuch) throw new UsageError(`There are too many arguments. Usage: ${usage}`);
      const call = gatewayCall(values);
      if (verb === 'list') return listed(call, collection, values.json);
      if (name === undefined) throw new UsageError(`Usage: ${usage}`);
      const path = `/api/${collection}/${encodeURIComponent(name)}`;
      switch (verb) {
        case 'get':
          return sent(call, 'GET', path, undefined, '', values.json);
        case 'delete':
          return sent(call, 'DELETE', path, undefined, `${name} is deleted.`, values.json);
        case 'set':
          return sent(
            call,
            'PATCH',
            path,
            jsonOf(given, `Usage: pailou ${collection} set <name> '{"enabled":false}'`),
            `${name} is changed.`,
            values.json,
          );
        case 'add': {
          const options = Object.fromEntries((values.option ?? []).map((each) => memberOf(each)));
          const spec =
            values.kind === undefined
              ? jsonOf(given, `Usage: pailou ${collection} add <name> --kind <kind> [--option name=value]… or a spec as JSON, @file or -`)
              : { kind: values.kind, options };
          return sent(call, 'POST', `/api/${collection}`, { name, spec }, `${name} is added.`, values.json);
        }
        default:
          throw new UsageError(`"${verb}" is not known. Usage: ${usage}`);
      }
    },
  };
}
