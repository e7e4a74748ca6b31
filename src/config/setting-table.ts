/** The table of all settings: description, form, example. A test compares `docs/configuration.md` with it. */

import { oauthSettings } from './oauth-settings.ts';
import { retentionSettings } from './retention-settings.ts';

interface Setting {
  readonly meaning: string;
  /** Completes the sentence "… is not". */
  readonly form: string;
  readonly example: string;
  readonly default: string;
  /** May also be given as `<name>_FILE`; never printed. */
  readonly secret?: boolean;
}

const table = {
  PAILOU_MODE: {
    meaning: 'How strict to be. In production there is no development identity, no demo model and no default secret.',
    form: 'development or production',
    example: 'production',
    default: 'development',
  },
  PAILOU_HOST: { meaning: 'The address to listen on.', form: 'a host name or an address', example: '0.0.0.0', default: '127.0.0.1' },
  PAILOU_PORT: { meaning: 'The port of the gateway.', form: 'a port from 1 to 65535', example: '8000', default: '8000' },
  PAILOU_WORKERS: {
    meaning:
      'The number of processes that serve calls of models, for all cores of a machine (docs/scaling.md). auto: one for each core. 1: one process serves everything.',
    form: 'auto or a whole number from 1 to 64',
    example: 'auto',
    default: '1',
  },
  PAILOU_WARM_UP: {
    meaning:
      'After the start, the process makes 30 calls to itself, which no ledger and no metric knows: the code of a call is loaded before people need it.',
    form: 'on or off',
    example: 'off',
    default: 'on in production mode, else off',
  },
  PAILOU_PUBLIC_URL: {
    meaning: 'Where browsers find this gateway: the OAuth2 service sends them back to /auth/callback below it.',
    form: 'an http:// or https:// address',
    example: 'https://pailou.company.cn',
    default: 'http://, the host and the port',
  },
  PAILOU_DATA_DIR: {
    meaning: 'The folder for the embedded database, the spool and the last good configuration.',
    form: 'a folder',
    example: '/var/lib/pailou',
    default: '.pailou',
  },
  PAILOU_DATABASE_URL: {
    meaning: 'PostgreSQL for teams; SQLite in the data folder unless given.',
    form: 'a postgres:// or sqlite: address',
    example: 'postgres://pailou:secret@db.internal/pailou',
    default: 'SQLite',
    secret: true,
  },
  PAILOU_RECHECK_SECONDS: {
    meaning: 'How often the permissions of active requests are re-checked. A stream that lost its permission ends with an error.',
    form: 'a number of seconds from 1 to 3600',
    example: '60',
    default: '30',
  },
  PAILOU_UNREAD_SECONDS: {
    meaning: 'How long a client may leave a waiting stream unread. After that the call ends.',
    form: 'a number of seconds from 1 to 3600',
    example: '120',
    default: '60',
  },
  PAILOU_PING_SECONDS: {
    meaning:
      'How long a streamed answer may be silent. After that its headers and a keep-alive comment are sent, and a comment after each further silence, so that no proxy closes it.',
    form: 'a number of seconds from 1 to 300',
    example: '20',
    default: '10',
  },
  PAILOU_DRAIN_SECONDS: {
    meaning:
      'After SIGTERM the node serves on for so long while `/readyz` answers 503, so that load balancers stop sending before it closes.',
    form: 'a number of seconds from 0 to 600',
    example: '10',
    default: '5 in production mode, else 0',
  },
  PAILOU_GRACE_SECONDS: {
    meaning: 'After the drain, calls in progress have so long to finish. Then they end with the error `shutting_down`.',
    form: 'a number of seconds from 0 to 86400',
    example: '300',
    default: '30',
  },
  ...retentionSettings,
  PAILOU_REDIS_URL: {
    meaning:
      'Redis, where several nodes count limits and budgets together and share cached answers. Without it each node counts and caches alone.',
    form: 'a redis:// or rediss:// address',
    example: 'redis://cache.internal:6379',
    default: 'none',
    secret: true,
  },
  PAILOU_REDIS_TIMEOUT_MS: {
    meaning:
      'How long a limited call waits for Redis; a lookup of a cached answer waits a fifth of it. After that Redis counts as unreachable for this call. Raise it where Redis is far away or its machine is busy.',
    form: 'a number of milliseconds from 50 to 10000',
    example: '1000',
    default: '250',
  },
  PAILOU_CACHE_MEMORY_MB: {
    meaning: 'The memory for cached answers of models with `cache`, where there is no Redis (docs/cache.md).',
    form: 'a number of megabytes from 1 to 65536',
    example: '256',
    default: '64',
  },
  PAILOU_WITHOUT_REDIS: {
    meaning:
      'What happens to limited calls while Redis is unreachable. local: each node counts alone, from the last known counts. refuse: they get 503.',
    form: 'local or refuse',
    example: 'refuse',
    default: 'local',
  },
  PAILOU_API_KEYS: {
    meaning:
      'Keys for machines and IDEs, each bound to the person who created it. exchange: a key is accepted only at /auth/exchange, which issues short-lived tokens. off: only tokens of the OAuth2 service are accepted.',
    form: 'off, exchange or on',
    example: 'off',
    default: 'on',
  },
  PAILOU_API_KEYS_OWNER_HOURS: {
    meaning:
      "A key is refused when the last token of its owner is older than this many hours, because the owner's current rights are unknown.",
    form: 'a number of hours from 1 to 87600',
    example: '72',
    default: '24',
  },
  PAILOU_MCP_SIGN_IN: {
    meaning:
      'Whether Pailou registers MCP clients itself and signs people in for them, where the OAuth2 service has no registration. Needs the client of a browser sign-in. The tokens open /mcp alone.',
    form: 'on or off',
    example: 'on',
    default: 'off',
  },
  PAILOU_CORS_ORIGINS: {
    meaning:
      'Origins of browser applications that may call /v1 and /mcp (CORS), separated by commas; * for all. Cookies never count there.',
    form: 'a list of origins without a path, or *',
    example: 'https://chat.company.cn,http://localhost:3000',
    default: 'none',
  },
  PAILOU_DOCS: {
    meaning: 'Who may read /docs and /openapi.json. signed-in: callers with a token or a session. open: everyone.',
    form: 'open or signed-in',
    example: 'open',
    default: 'open; signed-in in production',
  },
  PAILOU_METRICS_TOKEN: {
    meaning:
      "The bearer token for /metrics, which names models, vendors and tenants. Without it only administrators of the first OAuth2 service's own (else its default) tenant may read them; with the development identity service everyone may.",
    form: 'at least 16 characters without spaces',
    example: '$(openssl rand -hex 16)',
    default: 'none',
    secret: true,
  },
  PAILOU_MASTER_KEY: {
    meaning: "Seals the vendors' keys in the database: 32 random bytes. Needed in production.",
    form: '32 bytes in base64 or hex',
    example: '$(openssl rand -base64 32)',
    default: 'made once, in the data folder',
    secret: true,
  },
  PAILOU_MASTER_KEY_OLD: {
    meaning: 'Former master keys, which still decrypt during a rotation of the key (docs/secrets.md).',
    form: 'a comma-separated list of keys, each 32 bytes in base64 or hex',
    example: '…',
    default: 'none',
    secret: true,
  },
  ...oauthSettings,
  PAILOU_CONFIG: {
    meaning:
      'A YAML file of configuration documents, or a folder of them, applied at the start (docs/configuration-as-code.md). Its rows are locked elsewhere.',
    form: 'a file or a folder',
    example: 'pailou.yaml',
    default: 'none',
  },
  PAILOU_TIME_ZONE: {
    meaning:
      'The time zone of the days, weeks and months of budgets without a time_zone: for all tenants, and as <tenant>=<time zone> for single ones (docs/limits.md).',
    form: 'a time zone of the IANA database such as Asia/Shanghai, or a comma list of one and of <tenant>=<time zone>',
    example: 'Asia/Shanghai,berlin=Europe/Berlin',
    default: 'UTC',
  },
  PAILOU_CATALOGUE: {
    meaning: 'Your own entries for the catalogue of models: negotiated prices, and models that it lacks (docs/catalogue.md).',
    form: 'a YAML or JSON file',
    example: '/etc/pailou/catalogue.yaml',
    default: 'none',
  },
  PAILOU_PLUGINS_DIR: { meaning: 'A folder with plugins of your own.', form: 'a folder', example: '/etc/pailou/plugins', default: 'none' },
  PAILOU_CONSOLE_NAME: {
    meaning: 'The name that the console shows in its title, its header and at the sign-in, in place of Pailou.',
    form: 'a text of 1 to 40 characters in one line',
    example: 'Acme AI',
    default: 'Pailou',
  },
  PAILOU_CONSOLE_LOGO: {
    meaning: 'The logo that the console shows beside its name and as the icon of its tab.',
    form: 'an SVG, PNG or WebP file of at most 100 kB',
    example: '/etc/pailou/logo.svg',
    default: "Pailou's own",
  },
  PAILOU_ACCESS_LOG: {
    meaning: 'One JSON line on standard output for each call. A percentage logs that share of the complete calls, and every failed one.',
    form: 'on, off or a percentage such as 5%',
    example: '5%',
    default: 'on in production mode, else off',
  },
  PAILOU_LOG_LEVEL: {
    meaning: 'The log level, on standard error.',
    form: 'silent, error, warn, info or debug',
    example: 'debug',
    default: 'warn; info in production',
  },
  PAILOU_IDENTITY_PORT: {
    meaning: 'The port of the development identity service.',
    form: 'a port from 1 to 65535',
    example: '8080',
    default: '8080',
  },
  PAILOU_STDIO_PROGRAMS: {
    meaning:
      'Programs that MCP servers of kind stdio may start: for each name the whole command line, the parameters and variables that a row may set, and its tenants (docs/mcp.md).',
    form: 'JSON such as {"files":{"command":"node","args":["/opt/mcp/files.js","/srv/{folder}"],"parameters":{"folder":{"values":["docs","wiki"]}},"tenants":["default"]}}, or the path of a file that holds it',
    example: '/etc/pailou/programs.json',
    default: 'none; in development the demo server',
  },
  PAILOU_STDIO_USER: {
    meaning: 'The system user and group that run those programs. Pailou must run as root for that.',
    form: 'two numbers such as 65534:65534',
    example: '65534:65534',
    default: 'the user of Pailou',
  },
  PAILOU_OUTBOUND_ALLOW: {
    meaning: 'Private address ranges that providers and MCP servers may use. Metadata addresses are never allowed.',
    form: 'a comma-separated list of ranges such as 10.0.0.0/8',
    example: '10.20.0.0/16',
    default: 'all private ranges; none in production',
  },
  PAILOU_OUTBOUND_ALLOW_DEVELOPERS: {
    meaning:
      'Private address ranges that providers and MCP servers of developers may use. Other private ranges need an administrator, who saves the row. Metadata addresses are never allowed.',
    form: 'a comma-separated list of ranges such as 10.0.0.0/8',
    example: '10.20.30.0/24',
    default: 'none: public addresses only',
  },
  PAILOU_TOKEN_EXCHANGE_ALLOW: {
    meaning:
      "Token endpoints at which MCP servers with credentials of type token_exchange may exchange a caller's token, beside those of the configured issuers.",
    form: 'a comma-separated list of http:// or https:// addresses',
    example: 'https://sso.company.cn/oauth2/token',
    default: "none: the issuers' own",
  },
  PAILOU_FETCH_ALLOW: {
    meaning:
      'Private address ranges from which Pailou may fetch images that callers name by address. Metadata addresses are never allowed.',
    form: 'a comma-separated list of ranges such as 10.0.0.0/8',
    example: '10.30.0.0/16',
    default: 'none',
  },
  PAILOU_RESPONSES_STORE: {
    meaning:
      'Whether /v1/responses stores requests and answers, as plain text in the database for 30 days, so that previous_response_id works.',
    form: 'on or off',
    example: 'off',
    default: 'on',
  },
  PAILOU_BODIES_PER_PERSON_MB: {
    meaning:
      "The memory for the request bodies of one person's active requests, on each node. A single body may be larger. A body beyond the limit gets 429 before it is read.",
    form: 'a number of megabytes from 1 to 65536',
    example: '64',
    default: '128',
  },
  PAILOU_BODIES_MB: {
    meaning: 'The memory for the request bodies of all active requests, on each node. Processing a body takes several times its size.',
    form: 'a number of megabytes from 1 to 65536',
    example: '512',
    default: '256',
  },
  PAILOU_SLOW_BODY_SECONDS: {
    meaning: 'How long a body of more than 16 kB may arrive at less than 4096 bytes a second. After that its request ends with 408.',
    form: 'a number of seconds from 1 to 120',
    example: '30',
    default: '10',
  },
  PAILOU_BODY_LIMIT: {
    meaning: 'The largest request body in bytes.',
    form: 'a number of bytes from 1024 to 1073741824',
    example: '20000000',
    default: '20000000',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof table;

export const settingTable: Readonly<Record<SettingName, Setting>> = table;

/** Read by commands that talk to another gateway; the gateway itself ignores them. */
export const commandVariables = {
  PAILOU_URL: 'The address of the gateway for commands without `--url`. Default: `http://127.0.0.1:` and PAILOU_PORT.',
  PAILOU_TOKEN: 'The token for commands without `--token`.',
} as const;

/** One fault as a line: the variable, the fault, an example. */
export function describeSetting(name: SettingName, message: string): string {
  return `${name}: ${message}. Example: ${name}=${settingTable[name].example}`;
}

/** Settings of older versions with their replacement. */
export const replacedSettings: Readonly<Record<string, string>> = {
  PAILOU_STDIO_COMMANDS:
    'was replaced by PAILOU_STDIO_PROGRAMS, which allows whole command lines instead of commands with any arguments. For each MCP server of kind stdio write its line, e.g. PAILOU_STDIO_PROGRAMS=\'{"files":{"command":"node","args":["/opt/mcp/files.js"],"tenants":["default"]}}\', and leave PAILOU_STDIO_COMMANDS out; rows that name exactly that line go on, the others are listed with the line to add at /api/config/problems (docs/mcp.md).',
};
