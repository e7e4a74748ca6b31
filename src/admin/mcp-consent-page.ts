/** The pages of the sign-in of MCP clients. They load nothing and run no script. */
import type { FastifyReply } from 'fastify';
import type { McpClient } from '../auth/mcp-sign-in/client-metadata.ts';
import { escapeHtml } from '../text/escape-html.ts';

const frame = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head><body>${body}</body></html>`;

export function consentPage(options: {
  readonly client: McpClient;
  readonly redirectUri: string;
  readonly person: string;
  readonly days: number;
  readonly ticket: string;
  readonly action: string;
}): string {
  const { client, redirectUri, person, days, ticket, action } = options;
  const { protocol, host } = new URL(redirectUri);
  const where = host === '' ? `the application of ${protocol}` : host;
  const name = client.name === '' ? 'An MCP client without a name' : client.name;
  const known = client.id.startsWith('https://') ? `It is described at ${client.id}.` : 'It registered itself; its name was not checked.';
  return frame(
    'Connect an MCP client · Pailou',
    `<h1>Connect “${escapeHtml(name)}”?</h1>
<p>${escapeHtml(known)} Its answer goes to <strong>${escapeHtml(where)}</strong> (${escapeHtml(redirectUri)}).</p>
<p>You are <strong>${escapeHtml(person)}</strong>. The client will see and use the MCP tools, prompts, resources and skills that you may use, at /mcp alone, for ${days} days. You can end it at any time with DELETE /api/keys/{id}.</p>
<form method="post" action="${escapeHtml(action)}"><input type="hidden" name="ticket" value="${escapeHtml(ticket)}">
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>
<hr><p lang="zh">要连接“${escapeHtml(name)}”吗？它只能在 /mcp 上以你的权限使用 MCP 工具、提示词、资源和技能，${days} 天内有效，可随时用 DELETE /api/keys/{id} 撤销。结果会发往 ${escapeHtml(where)}。</p>`,
  );
}

export function errorPage(message: string): string {
  return frame('Pailou', `<h1>The MCP client cannot be connected</h1><p>${escapeHtml(message)}</p>`);
}

export function sendPage(reply: FastifyReply, page: string, status = 200): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('content-security-policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
    .header('x-frame-options', 'DENY')
    .header('referrer-policy', 'no-referrer')
    .type('text/html; charset=utf-8')
    .send(page);
}
