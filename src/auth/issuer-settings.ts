/** Builds the settings of an issuer from its configuration: applies presets, reads files, refuses weak secrets. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { nearMatches } from '../text/did-you-mean.ts';
import { externalUrlProblem } from '../storage/external/open-external.ts';
import { GatewayError } from '../types/errors.ts';
import { issuerPresets, type Preset } from './issuer-presets.ts';
import type { ClaimPaths, HttpLookup, IssuerSettings, KeySource, Lookup, PrincipalField, ServiceClient } from './issuer.ts';
import { readProxy, withoutProxy } from '../types/proxy.ts';
import type { IssuerSpec, LookupSpec } from './issuer-spec.ts';
import { checkToken, introspection, keycloakUserLookups, userinfo } from './lookups/lookup-presets.ts';
import { needsToken } from './lookups/lookup-request.ts';
import { refuseWeakSecret } from './shared-secret.ts';

const refused = (param: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError('configuration_invalid', `${param}: ${why}.`, { param, cause });

function presetOf(name: string, param: string): Preset {
  const preset = Object.hasOwn(issuerPresets, name) ? issuerPresets[name] : undefined;
  if (preset !== undefined) return preset;
  const near = nearMatches(name, Object.keys(issuerPresets));
  const hint = near.length === 0 ? `use one of ${Object.keys(issuerPresets).join(', ')}` : `did you mean ${near.join(' or ')}?`;
  throw refused(param, `there is no preset "${name}"; ${hint}`);
}

/** A value or a file: exactly one of the two. */
function eitherOf(text: string | undefined, file: string | undefined, param: string, what: string): string {
  if ((text === undefined) === (file === undefined)) throw refused(param, `write either ${what} or ${what}_file`);
  if (text !== undefined) return text;
  try {
    return readFileSync(file as string, 'utf8').trim();
  } catch (cause) {
    throw refused(`${param}.${what}_file`, `the file ${file} cannot be read`, cause);
  }
}

function keysOf(spec: NonNullable<IssuerSpec['keys']>, absolute: (url: string) => string, param: string): KeySource {
  switch (spec.from) {
    case 'discovery':
      return spec;
    case 'jwks':
    case 'token_key':
      return { from: spec.from, url: absolute(spec.url) };
    case 'pem': {
      const pem = eitherOf(spec.pem, spec.pem_file, param, 'pem');
      try {
        // Node would derive the public key of a private key, which must not be stored here.
        if (pem.includes('PRIVATE')) throw new Error('a private key');
        createPublicKey(pem);
      } catch (cause) {
        throw refused(param, 'this is not a public key in PEM (-----BEGIN PUBLIC KEY-----)', cause);
      }
      return { from: 'pem', pem };
    }
    case 'secret': {
      const secret = eitherOf(spec.secret, spec.secret_file, param, 'secret');
      refuseWeakSecret(secret, param);
      return { from: 'secret', secret };
    }
    default:
      return spec satisfies never;
  }
}

function configuredLookup(
  spec: Extract<LookupSpec, { readonly kind: 'http' }>,
  absolute: (url: string) => string,
  param: string,
): HttpLookup {
  const { headers, list, about, as_client: asClient } = spec;
  if (list !== null && about !== null) throw refused(`${param}.about`, 'leave it out: an answer that is a list names no subject');
  if (asClient !== false && Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization'))
    throw refused(`${param}.headers`, 'leave authorization out: as_client writes it');
  return {
    kind: 'http',
    url: absolute(spec.url),
    method: spec.method,
    headers: headers ?? (asClient === false ? { authorization: 'Bearer {token}' } : {}),
    query: spec.query,
    form: spec.form,
    asClient: asClient === true ? 'basic' : asClient === false ? null : asClient,
    // With Pailou's own access token, 401 and 403 reject Pailou's client, not the person. 404 and 410 say that the person does not exist.
    refusedStatuses: spec.refused_statuses ?? (asClient === 'token' ? [404, 410] : [401, 403]),
    refused: spec.refused,
    success: spec.success,
    result: spec.result,
    about: about === null ? null : { path: about, optional: false },
    list,
  };
}

function lookupsOf(spec: LookupSpec, absolute: (url: string) => string, param: string): readonly Lookup[] {
  switch (spec.kind) {
    case 'userinfo':
      return [{ ...userinfo, url: spec.url === undefined ? userinfo.url : absolute(spec.url) }];
    case 'introspection':
      return [{ ...introspection, url: spec.url === undefined ? introspection.url : absolute(spec.url) }];
    case 'check_token':
      return [{ ...checkToken, url: absolute(spec.url) }];
    case 'http':
      return [configuredLookup(spec, absolute, param)];
    case 'keycloak_user': {
      const realm = absolute('/');
      if (!/\/realms\/[^/]+\/$/.test(realm)) throw refused(param, `"${realm}" is no address of a Keycloak realm (…/realms/<name>)`);
      return keycloakUserLookups(realm.replace(/\/realms\/([^/]+)\/$/, '/admin/realms/$1'));
    }
    case 'sql': {
      const url = eitherOf(spec.url, spec.url_file, param, 'url');
      const problem = externalUrlProblem(url);
      if (problem !== null) throw refused(`${param}.url`, problem);
      for (const [field, query] of Object.entries(spec.queries)) {
        if (!/:(subject|username)\b/.test(query))
          throw refused(`${param}.queries.${field}`, 'the query must name :subject or :username, else it returns the rows of all people');
      }
      return [{ kind: 'sql', url, queries: spec.queries }];
    }
    default:
      return spec satisfies never;
  }
}

function tokenPaths(preset: ClaimPaths, spec: IssuerSpec['claims']): ClaimPaths {
  const configured = (Object.keys(preset) as PrincipalField[]).flatMap((field) => {
    const path = spec[field];
    return path === undefined ? [] : [[field, path] as const];
  });
  return { ...preset, ...Object.fromEntries(configured) };
}

/** SQL look-ups and lists name their fields. */
function lookupPaths(lookups: readonly Lookup[]): Partial<ClaimPaths> {
  const fields = lookups.flatMap((lookup) => (lookup.kind === 'sql' ? Object.keys(lookup.queries) : (lookup.list?.field ?? [])));
  return Object.fromEntries(fields.map((field) => [field, [field]]));
}

/** Throws `configuration_invalid`. `at` returns the displayed name of a field. */
export function issuerSettings(spec: IssuerSpec, at: (field: string) => string = (field) => field): IssuerSettings {
  const preset = presetOf(spec.preset, at('preset'));
  if (spec.base_url === undefined && !URL.canParse(spec.issuer))
    throw refused(at('base_url'), `"${spec.issuer}" is no address, so base_url must say where the service is reached`);
  const baseUrl = (spec.base_url ?? spec.issuer).replace(/\/+$/, '');
  const absolute = (url: string): string => (url.startsWith('/') ? `${baseUrl}${url}` : url);
  const located = (lookup: Lookup): Lookup =>
    lookup.kind === 'http' && typeof lookup.url === 'string' ? { ...lookup, url: absolute(lookup.url) } : lookup;

  const lookups =
    spec.lookups?.flatMap((each, index) => lookupsOf(each, absolute, `${at('lookups')}[${index}]`)) ?? preset.lookups.map(located);
  const client: ServiceClient | null =
    spec.client === undefined
      ? null
      : {
          id: spec.client.id,
          secret: eitherOf(spec.client.secret, spec.client.secret_file, at('client'), 'secret'),
          scope: spec.client.scope ?? null,
          tokenUrl: spec.client.token_url === undefined ? null : absolute(spec.client.token_url),
          lookupScope: spec.client.lookup_scope ?? null,
        };
  const settings: IssuerSettings = {
    issuer: spec.issuer,
    baseUrl,
    ...(spec.proxy === undefined ? {} : { proxy: spec.proxy === withoutProxy ? null : (readProxy(spec.proxy) ?? null) }),
    tokens: spec.tokens ?? preset.tokens,
    named: spec.issuer_claim === undefined ? preset.named : spec.issuer_claim === 'required',
    keys: spec.keys === undefined ? preset.keys : keysOf(spec.keys, absolute, at('keys')),
    client,
    audiences: spec.audiences,
    // A token that was issued to Pailou's own client is accepted.
    allowedClients: spec.allowed_clients.length === 0 || client === null ? spec.allowed_clients : [...spec.allowed_clients, client.id],
    lookups,
    mapping: {
      ...preset.mapping,
      paths: tokenPaths(preset.mapping.paths, spec.claims),
      lookupPaths: lookupPaths(lookups),
      rolePrefix: spec.role_prefix ?? preset.mapping.rolePrefix,
      roleMap: { ...preset.mapping.roleMap, ...spec.role_map },
      rolesOnly: spec.roles_only ?? preset.mapping.rolesOnly,
      rolesIgnored: spec.roles_ignored ?? preset.mapping.rolesIgnored,
      permissionPrefix: spec.permission_prefix ?? preset.mapping.permissionPrefix,
      permissionMap: { ...preset.mapping.permissionMap, ...spec.permission_map },
      permissionSource: spec.permission_source ?? preset.mapping.permissionSource,
      wildcards: spec.wildcards ?? preset.mapping.wildcards,
      tenant: spec.tenant ?? null,
      maxRoles: spec.max_roles ?? null,
      defaultTenant: spec.tenant ?? spec.default_tenant ?? preset.mapping.defaultTenant,
      serviceRole: spec.service_role ?? preset.mapping.serviceRole,
    },
  };
  check(settings, spec, at);
  return settings;
}

function check({ tokens, lookups, client, keys, named }: IssuerSettings, spec: IssuerSpec, at: (field: string) => string): void {
  // A look-up that does not send the token would accept any text as one.
  if (tokens === 'opaque' && (lookups[0]?.kind !== 'http' || !needsToken(lookups[0])))
    throw refused(
      at('lookups'),
      'tokens that only the service can read need a look-up that reads them first: introspection, check_token or http',
    );
  const needsClient = (lookup: Lookup): lookup is HttpLookup => lookup.kind === 'http' && lookup.asClient !== null;
  if (lookups.some(needsClient) && client === null)
    throw refused(at('client'), 'this look-up is asked with a client of your own at the service; write its id and its secret');
  if (!named && tokens === 'jwt' && keys.from === 'discovery')
    throw refused(
      at('keys'),
      'tokens without the claim iss must be verified with keys of this service alone: jwks, token_key, pem or secret',
    );
  if (spec.tenant !== undefined && spec.default_tenant !== undefined)
    throw refused(at('default_tenant'), 'leave it out: tenant is the tenant of all principals of this issuer');
  if (spec.audiences.length === 0 && spec.allowed_clients.length === 0 && !spec.insecure_any_audience)
    throw refused(
      at('audiences'),
      'set audiences or allowed_clients, otherwise tokens for any other service would be accepted too; insecure_any_audience: true allows that',
    );
}
