/** Writes `docs/configuration.md` from the table of settings: `npm run docs`. A test compares them. */
import { writeFileSync } from 'node:fs';
import { commandVariables, settingTable } from '../src/config/setting-table.ts';

const head = `# Configuration

<!-- Written by \`npm run docs\` from src/config/setting-table.ts; a test fails when the two differ. -->

There are two kinds. **Settings** of the process come from the environment, are read once at the start, and are all on this page.
**Everything else** (providers, models, skills, MCP servers, grants) lives in the database, is changed at \`/api\` and takes effect without a restart.

A bad value stops the start with one line for each fault, naming the variable, what is wrong and an example; so does a variable \`PAILOU_…\` that does not exist, with the name that was probably meant.

## Settings

Those marked *secret* may also be given as a file: \`PAILOU_MASTER_KEY_FILE=/run/secrets/master-key\`. They are never shown or logged.

| variable | meaning | default | example |
|---|---|---|---|
`;

const proxies = `
## Proxies

\`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`ALL_PROXY\` and \`NO_PROXY\` (also in small letters, which take precedence) mean what they mean for curl: \`http://\`, \`https://\` or \`socks5://\` with an optional login,
and hosts, \`.domains\`, addresses or ranges that are reached directly. This machine is always reached directly. More: [operations.md](operations.md#company-networks).
`;

const commands = `
## Commands

Commands that speak with a gateway that is running, such as \`pailou skills\`, read two more:

| variable | meaning |
|---|---|
${Object.entries(commandVariables)
  .map(([name, meaning]) => `| \`${name}\` | ${meaning} |\n`)
  .join('')}`;

const tail = `
## Development

Without any setting, \`npm start\` listens on this machine only, keeps its data in \`.pailou/\`, accepts tokens of its own development identity service and has demo models.
That service hands out a token for \`admin\`, \`developer\`, \`user\` or \`viewer\` to anybody who can reach it; it never runs in production mode.

## Production

\`\`\`sh
export PAILOU_MODE=production
export PAILOU_HOST=0.0.0.0
export PAILOU_DATABASE_URL=postgres://pailou:…@db.internal/pailou
export PAILOU_MASTER_KEY_FILE=/run/secrets/pailou-master-key   # openssl rand -base64 32
export PAILOU_OAUTH_ISSUER=https://auth.company.example
export PAILOU_OAUTH_PRESET=keycloak
export PAILOU_OAUTH_AUDIENCE=pailou
export PAILOU_OUTBOUND_ALLOW=10.20.0.0/16                      # where your own model servers are, if any
npm start
\`\`\`

- **TLS** is the work of what stands before Pailou (a load balancer, an ingress).
- **Several nodes** share one PostgreSQL and the same master key; a change made on one is live on all within a second. Each needs its own data folder.
- **The master key** seals the vendors' keys. Without it they cannot be read again: keep it apart from the database's backup.
- **Losing the database** stops changes and lists, not calls: the last good configuration serves from memory, and from the data folder after a restart.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The complete expected page. */
export function settingsPage(): string {
  const rows = Object.entries(settingTable).map(([name, setting]) => {
    const secret = 'secret' in setting ? ' *Secret.*' : '';
    return `| \`${name}\` | ${cell(setting.meaning)}${secret} | ${cell(setting.default)} | \`${cell(setting.example)}\` |\n`;
  });
  return `${head}${rows.join('')}${proxies}${commands}${tail}`;
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/configuration.md', import.meta.url), settingsPage());
  console.log('docs/configuration.md written');
}
