/** The signed-in person and their rights. The server decides; the console only hides what it would refuse. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { ApiError } from './api-error.ts';
import { call, consolePath, gatewayPath, setCsrfToken } from './client.ts';

export interface Me {
  readonly subject: string;
  readonly username: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly issuer: string;
  /** The gateway runs with the development identity service, where everybody can sign in as an administrator. */
  readonly development_identity: boolean;
  /** The administrator who sees the console as this person. */
  readonly viewed_by?: string;
}

/** A permission code, or `administrator` for what no code gives. `signed-in` is open to every person. */
export type Right = `llm:${'model' | 'skill' | 'mcp'}:${'view' | 'use' | 'manage'}` | 'administrator' | 'signed-in';

export function holds(me: Me, right: Right): boolean {
  if (right === 'signed-in') return true;
  if (right === 'administrator') return me.roles.includes('admin');
  // As the gateway decides: neither a grant nor ownership lets a viewer use or manage.
  const isViewerOnly = me.roles.every((role) => role === 'viewer');
  return me.permissions.includes(right) && (!isViewerOnly || right.endsWith(':view'));
}

async function readSession(): Promise<Me | null> {
  if (document.documentElement.dataset['session'] === 'none') return null;
  try {
    const session = await call<{ readonly csrf: string | null; readonly development_identity: boolean }>('GET', '/auth/session');
    setCsrfToken(session.csrf ?? '');
    const me = await call<Omit<Me, 'development_identity'>>('GET', '/api/me');
    return { ...me, development_identity: session.development_identity };
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 401) return null;
    throw thrown;
  }
}

export const sessionKey = ['session'] as const;

/** The query of the session; `data` is null without a signed-in person. */
export function useSession(): UseQueryResult<Me | null> {
  return useQuery({ queryKey: sessionKey, queryFn: readSession, staleTime: 30_000, refetchOnWindowFocus: true });
}

/** Where to sign in; the service sends the browser back to this page. */
export function signInAddress(): string {
  const { pathname, search } = location;
  const back = pathname.startsWith(consolePath) ? pathname + search : consolePath;
  return `${gatewayPath}auth/login?return_to=${encodeURIComponent(back)}`;
}

/** Ends the session here, then leads to the service's own sign-out. */
export async function signOut(): Promise<void> {
  const { end_session_url: next } = await call<{ readonly end_session_url: string | null }>('POST', '/auth/logout');
  location.assign(next ?? consolePath);
}
