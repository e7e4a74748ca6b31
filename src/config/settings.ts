/** Process settings from the environment. All other configuration lives in the database. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type ProxyChoice, readEnvironmentProxies } from '../outbound/environment-proxy.ts';
import { readProxy, withoutProxy } from '../types/proxy.ts';
import type { StdioProgram, SystemUser } from '../types/stdio-programs.ts';
import { readTraceSettings, type TraceSettings } from '../telemetry/traces/trace-settings.ts';
import { nearMatches } from '../text/did-you-mean.ts';
import { displayName } from '../text/display-name.ts';
import type { RetentionLimits } from '../storage/retention/prune-task.ts';
import { daysOrForever } from './retention-settings.ts';
import { readStdioPrograms } from './stdio-programs.ts';
import { parseClaims, parseOrigins, parseRanges, shareOfCalls, systemUser } from './setting-parsers.ts';
import { commandVariables, describeSetting, replacedSettings, settingTable, type SettingName } from './setting-table.ts';
import { alwaysUtc, parseTimeZones, type TimeZones } from './time-zones.ts';

/** More processes than this serve no machine. */
const mostWorkers = 64;

export interface OauthSettings {
  /** A file that describes one or several services; it replaces the settings below. */
  readonly file: string | null;
  /** Null: the development identity service. */
  readonly issuer: string | null;
  readonly preset: string;
  readonly audiences: readonly string[];
  readonly allowedClients: readonly string[];
  /** Null: as the preset says. */
  readonly lookup: 'claims' | 'userinfo' | 'introspection' | 'check_token' | 'keycloak_user' | null;
  /** Pailou's client id at the service, for introspection and sign-in. */
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  /** The scopes of a browser sign-in. */
  readonly scope: string | null;
  /** The public client id of `pailou login`. */
  readonly cliClientId: string | null;
  /** An additional header that carries tokens, in lower case. */
  readonly tokenHeader: string | null;
  /** The proxy on the way to the service, or `none`; null: as the environment says. */
  readonly proxy: string | null;
  /** Overrides of the preset's claim paths by field. */
  readonly claims: Readonly<Record<string, readonly string[]>> | null;
  /** The tenant of all principals; null: as tokens say. */
  readonly tenant: string | null;
  /** The highest roles; empty: no cap. */
  readonly maxRoles: readonly string[];
  readonly permissionSource: 'oauth' | 'role_defaults' | null;
  readonly insecureAnyAudience: boolean;
}

export interface Settings {
  readonly mode: 'development' | 'production';
  readonly host: string;
  readonly port: number;
  /** The number of worker processes; 1: this process serves by itself. */
  readonly workers: number;
  /** The process makes calls to itself after the start. */
  readonly warmUp: boolean;
  /** The public address without a trailing slash; null for the listening address. */
  readonly publicUrl: string | null;
  readonly dataDir: string;
  readonly databaseUrl: string | null;
  /** Whether Pailou signs people in for MCP clients that the OAuth2 service does not know. */
  readonly mcpSignIn: boolean;
  /** Whether API keys are accepted. */
  readonly apiKeys: 'off' | 'exchange' | 'on';
  /** A key is refused when its owner's last token is older than this many hours. */
  readonly keyOwnerHours: number;
  /** The interval of permission re-checks in seconds. */
  readonly recheckSeconds: number;
  readonly unreadSeconds: number;
  /** The silence of a stream that is broken by a keep-alive comment. */
  readonly pingSeconds: number;
  /** Seconds for which a stopping node serves on, not ready. */
  readonly drainSeconds: number;
  /** Seconds for which calls may finish after the drain. */
  readonly graceSeconds: number;
  /** What is kept for how long. */
  readonly retention: RetentionLimits;
  /** Null: this node counts limits alone. */
  readonly redisUrl: string | null;
  /** How long a limited call waits for Redis. */
  readonly redisTimeoutMs: number;
  /** The memory of the response cache without Redis. */
  readonly cacheMemoryMb: number;
  readonly withoutRedis: 'local' | 'refuse';
  /** Origins of web pages that may call /v1 and /mcp, or `*`. */
  readonly corsOrigins: readonly string[];
  /** The audience of /docs and /openapi.json. */
  readonly docs: 'open' | 'signed-in';
  readonly metricsToken: string | null;
  readonly masterKey: string | null;
  /** Old keys that still open sealed values. */
  readonly oldMasterKeys: readonly string[];
  readonly oauth: OauthSettings;
  readonly pluginsDir: string | null;
  /** A file, or a folder of files, of configuration documents that are applied at the start. */
  readonly configPath: string | null;
  /** The operator's file for the model catalogue. */
  readonly catalogueFile: string | null;
  /** The name that the console shows; null for Pailou's. */
  readonly consoleName: string | null;
  /** The file of the logo that the console shows; null for Pailou's. */
  readonly consoleLogo: string | null;
  readonly timeZones: TimeZones;
  /** The share of complete calls in the access log, from 0 to 1. */
  readonly accessLog: number;
  /** Null: no traces are exported. */
  readonly traces: TraceSettings | null;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  readonly identityPort: number;
  readonly stdioPrograms: readonly StdioProgram[];
  /** The user of stdio programs; null for Pailou's own. */
  readonly stdioUser: SystemUser | null;
  /** The proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  readonly proxyOf: ProxyChoice;
  readonly outboundAllow: readonly string[];
  /** Private ranges for rows without an administrator's approval. */
  readonly outboundAllowDevelopers: readonly string[];
  /** Token endpoints, beside the issuers' own, at which callers' tokens may be exchanged. */
  readonly tokenExchangeAllow: readonly string[];
  /** Private ranges for addresses that callers name; none by default. */
  readonly fetchAllow: readonly string[];
  /** Whether responses are stored for `previous_response_id`. */
  readonly responsesStore: boolean;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Bytes of all request bodies in progress. */
  readonly bodies: { readonly mostOfOne: number; readonly mostOfAll: number };
  /** Seconds for which a body may arrive below the minimum rate. */
  readonly slowBodySeconds: number;
  /** What was given, for people to read; null for a value that may hold a secret. */
  readonly given: ReadonlyMap<SettingName, string | null>;
}

/** Lists every invalid variable with its fault and an example. */
export class SettingsError extends Error {
  constructor(faults: readonly string[]) {
    super(
      `Pailou cannot start with these settings:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nAll settings: docs/configuration.md`,
    );
    this.name = 'SettingsError';
  }
}

const megabyte = 1_048_576;

/** Private, loopback and link-local ranges of a team's own model servers; never metadata addresses. */
const developmentRanges = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7'];

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const faults: string[] = [];
  const values = collect(env, faults);
  const fault = (name: SettingName, message: string): void => void faults.push(describeSetting(name, message));

  const read = <T>(name: SettingName, parse: (text: string) => T | undefined, fallback: T): T => {
    const text = values.get(name);
    if (text === undefined) return fallback;
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    fault(name, `"${settingTable[name].secret === true ? '…' : text.slice(0, 100)}" is not ${settingTable[name].form}`);
    return fallback;
  };
  const oneOf =
    <T extends string>(...allowed: readonly T[]) =>
    (text: string): T | undefined =>
      allowed.find((each) => each === text);
  const whole =
    (least: number, most: number) =>
    (text: string): number | undefined =>
      /^\d{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
  const list = (text: string): readonly string[] =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const isKey = (text: string): boolean => /^([0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)$/.test(text);
  const yes = (text: string): boolean | undefined => ({ true: true, '1': true, false: false, '0': false })[text];
  const url =
    (...protocols: readonly string[]) =>
    (text: string): string | undefined =>
      URL.canParse(text) && protocols.includes(new URL(text).protocol) ? text : undefined;

  const programs = (text: string): readonly StdioProgram[] => {
    const found = readStdioPrograms(text);
    if (typeof found !== 'string') return found;
    fault('PAILOU_STDIO_PROGRAMS', found.endsWith('.') ? found.slice(0, -1) : found);
    return [];
  };

  const mode = read('PAILOU_MODE', oneOf('development', 'production'), 'development');
  const production = mode === 'production';
  const issuer = read('PAILOU_OAUTH_ISSUER', url('https:', 'http:'), null);
  const bodyLimit = read('PAILOU_BODY_LIMIT', whole(1_024, 1_073_741_824), 20_000_000);
  const settings: Settings = {
    mode,
    host: read('PAILOU_HOST', (text) => (/^[A-Za-z0-9.:_-]+$/.test(text) ? text : undefined), '127.0.0.1'),
    port: read('PAILOU_PORT', whole(1, 65_535), 8000),
    workers: read(
      'PAILOU_WORKERS',
      (text) => (text === 'auto' ? Math.min(availableParallelism(), mostWorkers) : whole(1, mostWorkers)(text)),
      1,
    ),
    warmUp: read('PAILOU_WARM_UP', (text) => ({ on: true, off: false })[text], production),
    publicUrl: read('PAILOU_PUBLIC_URL', (text) => url('https:', 'http:')(text)?.replace(/\/+$/, ''), null),
    dataDir: read('PAILOU_DATA_DIR', (text) => text, '.pailou'),
    databaseUrl: read('PAILOU_DATABASE_URL', (text) => (/^(postgres(ql)?:\/\/.|sqlite:.)/.test(text) ? text : undefined), null),
    mcpSignIn: read('PAILOU_MCP_SIGN_IN', (text) => ({ on: true, off: false })[text], false),
    apiKeys: read('PAILOU_API_KEYS', oneOf('off', 'exchange', 'on'), 'on'),
    keyOwnerHours: read('PAILOU_API_KEYS_OWNER_HOURS', whole(1, 87_600), 24),
    recheckSeconds: read('PAILOU_RECHECK_SECONDS', whole(1, 3_600), 30),
    unreadSeconds: read('PAILOU_UNREAD_SECONDS', whole(1, 3_600), 60),
    pingSeconds: read('PAILOU_PING_SECONDS', whole(1, 300), 10),
    drainSeconds: read('PAILOU_DRAIN_SECONDS', whole(0, 600), production ? 5 : 0),
    graceSeconds: read('PAILOU_GRACE_SECONDS', whole(0, 86_400), 30),
    retention: {
      runsDays: read('PAILOU_KEEP_RUNS_DAYS', daysOrForever, 90),
      runsGb: read('PAILOU_KEEP_RUNS_GB', whole(1, 100_000), null),
      hoursDays: read('PAILOU_KEEP_HOURS_DAYS', daysOrForever, 400),
      historyDays: read('PAILOU_KEEP_HISTORY_DAYS', daysOrForever, 365),
    },
    redisUrl: read('PAILOU_REDIS_URL', url('redis:', 'rediss:'), null),
    redisTimeoutMs: read('PAILOU_REDIS_TIMEOUT_MS', whole(50, 10_000), 250),
    cacheMemoryMb: read('PAILOU_CACHE_MEMORY_MB', whole(1, 65_536), 64),
    withoutRedis: read('PAILOU_WITHOUT_REDIS', oneOf('local', 'refuse'), 'local'),
    corsOrigins: read('PAILOU_CORS_ORIGINS', parseOrigins, []),
    docs: read('PAILOU_DOCS', oneOf('open', 'signed-in'), production ? 'signed-in' : 'open'),
    metricsToken: read('PAILOU_METRICS_TOKEN', (text) => (/^[\x21-\x7e]{16,512}$/.test(text) ? text : undefined), null),
    masterKey: read('PAILOU_MASTER_KEY', (text) => (isKey(text) ? text : undefined), null),
    oldMasterKeys: read('PAILOU_MASTER_KEY_OLD', (text) => (list(text).every(isKey) ? list(text) : undefined), []),
    oauth: {
      file: read('PAILOU_OAUTH_SERVICES', (text) => text, null),
      issuer,
      preset: read('PAILOU_OAUTH_PRESET', (text) => text, 'sas'),
      audiences: read('PAILOU_OAUTH_AUDIENCE', list, []),
      allowedClients: read('PAILOU_OAUTH_ALLOWED_CLIENTS', list, []),
      lookup: read('PAILOU_OAUTH_LOOKUP', oneOf('claims', 'userinfo', 'introspection', 'check_token', 'keycloak_user'), null),
      clientId: read('PAILOU_OAUTH_CLIENT_ID', (text) => text, null),
      clientSecret: read('PAILOU_OAUTH_CLIENT_SECRET', (text) => text, null),
      scope: read('PAILOU_OAUTH_SCOPE', (text) => text, null),
      cliClientId: read('PAILOU_OAUTH_CLI_CLIENT_ID', (text) => text, null),
      tokenHeader: read('PAILOU_OAUTH_TOKEN_HEADER', (text) => (/^[A-Za-z0-9-]{1,64}$/.test(text) ? text.toLowerCase() : undefined), null),
      proxy: read('PAILOU_OAUTH_PROXY', (text) => (text === withoutProxy || readProxy(text) !== undefined ? text : undefined), null),
      claims: read('PAILOU_OAUTH_CLAIMS', parseClaims, null),
      tenant: read('PAILOU_OAUTH_TENANT', (text) => (text.length <= 128 ? text : undefined), null),
      maxRoles: read('PAILOU_OAUTH_MAX_ROLES', list, []),
      permissionSource: read('PAILOU_OAUTH_PERMISSION_SOURCE', oneOf('oauth', 'role_defaults'), null),
      insecureAnyAudience: read('PAILOU_OAUTH_INSECURE_ANY_AUDIENCE', yes, false),
    },
    pluginsDir: read('PAILOU_PLUGINS_DIR', (text) => text, null),
    configPath: read('PAILOU_CONFIG', (text) => text, null),
    catalogueFile: read('PAILOU_CATALOGUE', (text) => text, null),
    consoleName: read('PAILOU_CONSOLE_NAME', displayName, null),
    consoleLogo: read('PAILOU_CONSOLE_LOGO', (text) => text, null),
    timeZones: read('PAILOU_TIME_ZONE', parseTimeZones, alwaysUtc),
    traces: readTraceSettings(env, (name, expected) => faults.push(`${name}: expected ${expected}.`)),
    accessLog: read('PAILOU_ACCESS_LOG', shareOfCalls, production ? 1 : 0),
    logLevel: read('PAILOU_LOG_LEVEL', oneOf('silent', 'error', 'warn', 'info', 'debug'), production ? 'info' : 'warn'),
    identityPort: read('PAILOU_IDENTITY_PORT', whole(1, 65_535), 8080),
    stdioPrograms: read('PAILOU_STDIO_PROGRAMS', programs, []),
    stdioUser: read('PAILOU_STDIO_USER', systemUser, null),
    proxyOf: readEnvironmentProxies(env, (name, what) => faults.push(`${name}: ${what}.`)),
    outboundAllow: read('PAILOU_OUTBOUND_ALLOW', parseRanges, production ? [] : developmentRanges),
    outboundAllowDevelopers: read('PAILOU_OUTBOUND_ALLOW_DEVELOPERS', parseRanges, []),
    tokenExchangeAllow: read(
      'PAILOU_TOKEN_EXCHANGE_ALLOW',
      (text) => (list(text).every((each) => url('https:', 'http:')(each) !== undefined) ? list(text) : undefined),
      [],
    ),
    fetchAllow: read('PAILOU_FETCH_ALLOW', parseRanges, []),
    responsesStore: read('PAILOU_RESPONSES_STORE', (text) => ({ on: true, off: false })[text], true),
    bodyLimit,
    bodies: {
      mostOfOne: read('PAILOU_BODIES_PER_PERSON_MB', whole(1, 65_536), 128) * megabyte,
      mostOfAll: read('PAILOU_BODIES_MB', whole(1, 65_536), Math.max(256, Math.ceil(bodyLimit / megabyte))) * megabyte,
    },
    slowBodySeconds: read('PAILOU_SLOW_BODY_SECONDS', whole(1, 120), 10),
    given: new Map([...values].map(([name, text]) => [name, mayHoldSecret(name) ? null : withoutLogin(text)])),
  };
  if (settings.bodies.mostOfAll < bodyLimit)
    fault('PAILOU_BODIES_MB', 'is less than PAILOU_BODY_LIMIT, the size of a single body; raise it');

  if (settings.stdioUser !== null && process.getuid?.() !== 0)
    fault('PAILOU_STDIO_USER', 'needs a gateway that runs as root; leave it out, or start Pailou as the user that should run the programs');
  for (const name of ['PAILOU_WITHOUT_REDIS', 'PAILOU_REDIS_TIMEOUT_MS'] as const)
    if (settings.redisUrl === null && values.has(name))
      fault(name, 'has no meaning without PAILOU_REDIS_URL; leave it out, or set that too');
  if (settings.masterKey === null && settings.oldMasterKeys.length > 0)
    fault('PAILOU_MASTER_KEY_OLD', 'has no meaning without PAILOU_MASTER_KEY, the key that takes over; set that too');
  const { oauth } = settings;
  if ((oauth.clientId === null) !== (oauth.clientSecret === null))
    fault('PAILOU_OAUTH_CLIENT_ID', 'and PAILOU_OAUTH_CLIENT_SECRET belong together; set both or none');
  if (oauth.file !== null) {
    const others = (Object.keys(settingTable) as SettingName[]).filter(
      (name) =>
        name.startsWith('PAILOU_OAUTH_') &&
        !['PAILOU_OAUTH_SERVICES', 'PAILOU_OAUTH_TOKEN_HEADER', 'PAILOU_OAUTH_CLI_CLIENT_ID'].includes(name) &&
        values.has(name),
    );
    if (others.length > 0) fault('PAILOU_OAUTH_SERVICES', `describes the services alone; leave out ${others.join(', ')}`);
  }
  if (settings.mcpSignIn && settings.apiKeys !== 'on')
    fault('PAILOU_MCP_SIGN_IN', 'needs PAILOU_API_KEYS=on, because the tokens of MCP clients are keys; set that, or leave it out');
  if (production && issuer === null && oauth.file === null)
    fault('PAILOU_OAUTH_ISSUER', 'is needed in production mode: the development identity service never runs there');
  if (production && settings.masterKey === null) fault('PAILOU_MASTER_KEY', "is needed in production mode: it seals the vendors' keys");
  if (issuer !== null && oauth.audiences.length === 0 && oauth.allowedClients.length === 0 && !oauth.insecureAnyAudience) {
    fault(
      'PAILOU_OAUTH_AUDIENCE',
      '(or PAILOU_OAUTH_ALLOWED_CLIENTS) is needed with an issuer, else tokens meant for any other service would be taken here too; PAILOU_OAUTH_INSECURE_ANY_AUDIENCE=true takes that risk',
    );
  }
  if (production && settings.publicUrl?.startsWith('http:') === true && !isLoopback(new URL(settings.publicUrl).hostname))
    fault('PAILOU_PUBLIC_URL', 'must be https:// in production mode: over plain http an attacker on the network could take over a session');
  if (production && issuer !== null && issuer.startsWith('http:') && !isLoopback(new URL(issuer).hostname)) {
    fault('PAILOU_OAUTH_ISSUER', 'must be https:// in production mode: over plain http an attacker on the network could replace the keys');
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return settings;
}

/** Command lines of programs may contain tokens. */
const mayHoldSecret = (name: SettingName): boolean => settingTable[name].secret === true || name === 'PAILOU_STDIO_PROGRAMS';

/** A login inside an address is not for readers. */
const withoutLogin = (text: string): string => text.replaceAll(/\/\/[^/@\s]+@/g, '//…@');

/** Read by tests, and by commands that talk to another gateway. */
const isForOthers = (name: string): boolean => name.startsWith('PAILOU_TEST_') || name in commandVariables;

/** Collects the variables, with `…_FILE` read. Unknown names are faults: a typing error must not be ignored. */
function collect(env: NodeJS.ProcessEnv, faults: string[]): Map<SettingName, string> {
  const values = new Map<SettingName, string>();
  const names = Object.keys(settingTable) as SettingName[];
  const known = (name: string): SettingName | undefined => names.find((each) => each === name);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('PAILOU_') || isForOthers(name) || value === undefined || value === '') continue;
    const direct = known(name);
    const inFile = name.endsWith('_FILE') ? known(name.slice(0, -'_FILE'.length)) : undefined;
    if (direct !== undefined) values.set(direct, value);
    else if (inFile !== undefined && settingTable[inFile].secret === true) {
      if (env[inFile] !== undefined && env[inFile] !== '') faults.push(`${name}: ${inFile} is set too; set one of the two.`);
      try {
        values.set(inFile, readFileSync(value, 'utf8').trim());
      } catch {
        faults.push(`${name}: the file ${value} cannot be read.`);
      }
    } else if (Object.hasOwn(replacedSettings, name)) faults.push(`${name}: ${replacedSettings[name]}`);
    else {
      const near = nearMatches(name, names);
      faults.push(`${name}: there is no such setting.${near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`}`);
    }
  }
  return values;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
