/** The same call as a program: curl, Python and TypeScript, with a key in the place of the session. */
import { gatewayPath } from '../api/client.ts';

export const sampleLanguages = ['curl', 'python', 'typescript'] as const;
export type SampleLanguage = (typeof sampleLanguages)[number];

/** The gateway's address as this browser sees it. */
export function gatewayAddress(): string {
  return (location.origin + gatewayPath).replace(/\/$/, '');
}

const keyName = 'PAILOU_TOKEN';

/** A JSON value as Python writes it. */
function python(value: unknown, indent = ''): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null) return 'None';
  const deeper = `${indent}    `;
  if (Array.isArray(value)) return `[${value.map((each) => python(each, indent)).join(', ')}]`;
  if (typeof value === 'object') {
    const fields = Object.entries(value).map(([name, each]) => `${deeper}${JSON.stringify(name)}: ${python(each, deeper)},`);
    return `{\n${fields.join('\n')}\n${indent}}`;
  }
  return JSON.stringify(value);
}

/** Fields that the SDK of OpenAI does not know go through its `extra_body`. */
function pythonArguments(body: Readonly<Record<string, unknown>>): string {
  const { gateway, ...known } = body;
  const lines = Object.entries(known).map(([name, value]) => `    ${name}=${python(value, '    ')},`);
  if (gateway !== undefined) lines.push(`    extra_body=${python({ gateway }, '    ')},`);
  return lines.join('\n');
}

export function codeSample(language: SampleLanguage, body: Readonly<Record<string, unknown>>): string {
  const base = `${gatewayAddress()}/v1`;
  switch (language) {
    case 'curl': {
      const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
      return `curl -N ${base}/chat/completions \\\n  -H "Authorization: Bearer $${keyName}" \\\n  -H 'Content-Type: application/json' \\\n  -d '${json}'`;
    }
    case 'python':
      return `import os\nfrom openai import OpenAI\n\nclient = OpenAI(base_url="${base}", api_key=os.environ["${keyName}"])\nstream = client.chat.completions.create(\n${pythonArguments(body)}\n)\nfor chunk in stream:\n    if chunk.choices:\n        print(chunk.choices[0].delta.content or "", end="")\n`;
    case 'typescript': {
      const json = JSON.stringify(body, null, 2).replaceAll(/^/gm, '  ').trimStart();
      return `import OpenAI from 'openai';\n\nconst client = new OpenAI({ baseURL: '${base}', apiKey: process.env.${keyName} });\nconst stream = await client.chat.completions.create(\n  ${json},\n);\nfor await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');\n`;
    }
  }
}
