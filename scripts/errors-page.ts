/** Writes `docs/errors.md` from the error table: `npm run docs`. A test compares the page with the table. */
import { writeFileSync } from 'node:fs';
import { errorTable } from '../src/types/errors.ts';

const head = `# Errors

<!-- Written by \`npm run docs\` from src/types/errors.ts; a test fails when the two differ. -->

Every failed call answers with one body, in OpenAI's shape and with the request's id beside it, so that OpenAI clients raise the error class they know:

\`\`\`json
{
  "error": {
    "message": "There is no model named \\"gpt-5x\\" for you. Did you mean \\"gpt-5\\"?",
    "type": "invalid_request_error",
    "param": "model",
    "code": "model_not_found"
  },
  "request_id": "0d0e7a5c-…"
}
\`\`\`

- \`message\` is for people: what is wrong and what to do. It never holds a vendor's text, a secret or a stack trace.
- \`code\` is for programs and stays the same between versions. \`param\` names the field at fault, as a path such as \`messages[0].role\`, or is null.
- In a stream that has begun, the error comes as an event \`data: {"error": …}\` and the stream ends without \`[DONE]\`.
- **Retried**: Pailou itself tries another deployment, or the same one again, before you see this error. When you see it, the attempts are used up.
- Where waiting helps, the answer carries \`retry-after\`. \`budget_exhausted\` carries \`x-should-retry: false\` too, because a retry within seconds would only fail again.
- Where tools have run before the failure, the answer carries \`x-should-retry: false\`: OpenAI's and Anthropic's clients do not send such a request again by themselves, which would run them again. Others (the
  ai SDK, LangChain) do not read it; give them \`maxRetries: 0\` for tools that must not run twice.

| status | code | type | retried | meaning and remedy |
|---|---|---|---|---|
`;

/** The complete expected page, ordered by status, then as in the table. */
export function errorsPage(): string {
  const rows = Object.entries(errorTable).sort(([, one], [, other]) => one.status - other.status);
  return `${head}${rows
    .map(([code, rule]) => `| ${rule.status} | \`${code}\` | \`${rule.type}\` | ${rule.retryable ? 'yes' : 'no'} | ${rule.meaning} |\n`)
    .join('')}`;
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/errors.md', import.meta.url), errorsPage());
  console.log('docs/errors.md written');
}
