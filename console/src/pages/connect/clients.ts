/** The exact configuration of each client. `docs/clients.md` says which of them were tried. */
export interface Connection {
  /** The gateway without a slash at the end. */
  readonly address: string;
  readonly model: string;
}

export interface ClientGuide {
  readonly id: string;
  readonly name: string;
  /** Where the lines belong; a name of a file or `shell`. */
  readonly place: string;
  readonly lines: (connection: Connection) => string;
  /** A caveat, by its key in the texts. */
  readonly note?: 'noteCursor' | 'noteShared' | 'noteDify';
}

const key = 'PAILOU_TOKEN';
const shownKey = 'pailou_your_key';

export const clients: readonly ClientGuide[] = [
  {
    id: 'openai-python',
    name: 'OpenAI SDK (Python)',
    place: 'Python',
    lines: ({ address, model }) => `import os
from openai import OpenAI

client = OpenAI(base_url="${address}/v1", api_key=os.environ["${key}"])
answer = client.chat.completions.create(model="${model}", messages=[{"role": "user", "content": "Hello"}])
print(answer.choices[0].message.content)`,
  },
  {
    id: 'openai-node',
    name: 'OpenAI SDK (Node)',
    place: 'TypeScript',
    lines: ({ address, model }) => `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${address}/v1', apiKey: process.env.${key} });
const answer = await client.responses.create({ model: '${model}', input: 'Hello' });
console.log(answer.output_text);`,
  },
  {
    id: 'claude-code',
    name: 'Claude Code',
    place: 'shell',
    lines: ({ address, model }) => `export ANTHROPIC_BASE_URL=${address}
export ANTHROPIC_AUTH_TOKEN=$${key}
export ANTHROPIC_DEFAULT_HAIKU_MODEL=${model} ANTHROPIC_DEFAULT_SONNET_MODEL=${model} ANTHROPIC_DEFAULT_OPUS_MODEL=${model}
claude --model ${model}`,
  },
  {
    id: 'codex',
    name: 'Codex',
    place: '~/.codex/config.toml',
    lines: ({ address, model }) => `model = "${model}"
model_provider = "pailou"

[model_providers.pailou]
name = "Pailou"
base_url = "${address}/v1"
env_key = "${key}"
wire_api = "responses"`,
  },
  {
    id: 'cline',
    name: 'Cline',
    place: 'shell',
    lines: ({ address, model }) => `cline auth --provider openai --apikey $${key} --modelid ${model} --baseurl ${address}/v1
cline "Say hello"`,
  },
  {
    id: 'continue',
    name: 'Continue',
    place: '~/.continue/config.yaml',
    lines: ({ address, model }) => `name: Pailou
version: 1.0.0
schema: v1
models:
  - name: ${model}
    provider: openai
    model: ${model}
    apiBase: ${address}/v1
    apiKey: ${shownKey}
    roles: [chat, edit, apply]`,
  },
  {
    id: 'open-webui',
    name: 'Open WebUI',
    place: 'shell',
    note: 'noteShared',
    lines: ({ address }) =>
      `docker run -p 3000:8080 -e OPENAI_API_BASE_URL=${address}/v1 -e OPENAI_API_KEY=$${key} ghcr.io/open-webui/open-webui:main`,
  },
  {
    id: 'lobechat',
    name: 'LobeChat',
    place: 'shell',
    note: 'noteShared',
    lines: ({ address }) => `docker run -p 3210:3210 -e OPENAI_PROXY_URL=${address}/v1 -e OPENAI_API_KEY=$${key} lobehub/lobe-chat`,
  },
  {
    id: 'dify',
    name: 'Dify',
    place: 'OpenAI-API-compatible',
    note: 'noteDify',
    lines: ({ address, model }) => `Model Name: ${model}
API Key: ${shownKey}
API endpoint URL: ${address}/v1`,
  },
  {
    id: 'cursor',
    name: 'Cursor',
    place: 'Override OpenAI Base URL',
    note: 'noteCursor',
    lines: ({ address }) => `${address}/v1`,
  },
  {
    id: 'mcp-claude',
    name: 'MCP: Claude Code',
    place: 'shell',
    lines: ({ address }) => `claude mcp add --transport http pailou ${address}/mcp --header "Authorization: Bearer $${key}"`,
  },
  {
    id: 'mcp-json',
    name: 'MCP: Cursor, Cline, VS Code',
    place: 'mcp.json',
    lines: ({ address }) =>
      JSON.stringify(
        { mcpServers: { pailou: { type: 'http', url: `${address}/mcp`, headers: { Authorization: `Bearer ${shownKey}` } } } },
        null,
        2,
      ),
  },
];
