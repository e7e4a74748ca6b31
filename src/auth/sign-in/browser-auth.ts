/** All that the faces for people who sign in need. */
import type { CookieJar } from './cookies.ts';
import type { Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';

/** What `pailou login` is told. */
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
