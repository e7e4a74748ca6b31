/** The section `mcp_servers` of LiteLLM's file. Source: https://docs.litellm.ai/docs/mcp */
import { isJsonObject } from '../../types/json.ts';
import { type ImportedRows, textOf } from './imported.ts';
import { secretOf } from './litellm-deployment.ts';

type Members = Readonly<Record<string, unknown>>;

const used: ReadonlySet<string> = new Set([
  'url',
  'transport',
  'command',
  'args',
  'env',
  'description',
  'allowed_tools',
  'auth_type',
  'auth_value',
  'authentication_token',
]);

function slugOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'server'
  );
}

/** The headers of a server that wants a static token. */
function headersOf(
  rows: ImportedRows,
  name: string,
  { auth_type: type, auth_value: value, authentication_token: older }: Members,
): Record<string, string> | null {
  const token = value ?? older;
  if (typeof token !== 'string') return null;
  const variable = /^os\.environ\/(\w+)$/.exec(token)?.[1];
  const wanted = `mcp_${name}_token`;
  if (variable !== undefined && type !== 'api_key' && type !== 'authorization') {
    rows.left(`mcp_servers: ${name}: ${variable} must hold the whole header, such as "Bearer <token>".`);
    return { authorization: rows.variable(variable) };
  }
  if (type === 'api_key') return { 'x-api-key': variable === undefined ? rows.secret(token, wanted) : rows.variable(variable) };
  if (type === 'authorization') return { authorization: variable === undefined ? rows.secret(token, wanted) : rows.variable(variable) };
  const scheme = type === 'basic' ? 'Basic' : 'Bearer';
  return { authorization: rows.secret(`${scheme} ${token}`, wanted) };
}

export function addMcpServers(servers: Members, rows: ImportedRows): void {
  for (const [given, server] of Object.entries(servers)) {
    if (!isJsonObject(server)) {
      rows.left(`mcp_servers: ${given}: is no mapping; it is not carried over.`);
      continue;
    }
    const name = slugOf(given);
    const unused = Object.keys(server).filter((key) => !used.has(key));
    if (unused.length > 0) rows.left(`mcp_servers: ${given}: ${unused.join(', ')}: not carried over.`);
    const { url, transport = 'sse', command, args = [], env, description, allowed_tools: tools } = server;
    const shared = {
      ...(typeof description === 'string' ? { description } : {}),
      ...(Array.isArray(tools) ? { allowed_tools: tools as string[] } : {}),
    };
    if (transport === 'stdio') {
      rows.left(`mcp_servers: ${given}: the program "${textOf(command)}" must also be allowed by PAILOU_STDIO_PROGRAMS.`);
      const variables = Object.entries((env ?? {}) as Members).map(([key, value]) => [key, secretOf(rows, value, `mcp_${name}_${key}`)]);
      rows.add('McpServer', name, { kind: 'stdio', options: { command, args, env: Object.fromEntries(variables) as Members }, ...shared });
      continue;
    }
    const headers = headersOf(rows, name, server);
    rows.add('McpServer', name, {
      kind: transport === 'http' ? 'http' : 'sse',
      options: { url, ...(headers === null ? {} : { headers }) },
      ...shared,
    });
  }
}
