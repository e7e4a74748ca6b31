/** The parts of browser sign-in for the HTTP layer. */
import type { CookieJar } from './cookies.ts';
import type { Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';

/** The configuration that `pailou login` receives. */
export interface CommandLineAuth {
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
}

export interface BrowserAuth {
  readonly signIn: SignIn;
  readonly sessions: Sessions;
  readonly jar: CookieJar;
}
