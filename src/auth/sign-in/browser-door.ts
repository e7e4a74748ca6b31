/** All that the face for browsers needs. */
import type { CookieJar } from './cookies.ts';
import type { Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';

export interface BrowserDoor {
  readonly signIn: SignIn;
  readonly sessions: Sessions;
  readonly jar: CookieJar;
}
