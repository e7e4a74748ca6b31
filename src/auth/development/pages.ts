/** The pages of the development identity service: choose a person, confirm a device code, sign out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Provider } from 'oidc-provider';
import { people, personOf } from './people.ts';

const prefix = '/interaction/';
/** Only the name is submitted. */
const longestForm = 1_000;

export function personPage(uid: string): string {
  return `${prefix}${uid}`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><body style="font-family:sans-serif;max-width:30em;margin:4em auto"><h1>${title}</h1>${body}<p><small>This is the development identity service of Pailou. It knows no passwords and answers this machine only.</small></p></body></html>`;
}

/** `form`: the library's form with its hidden fields. */
export function leavePage(form: string): string {
  return page('Sign out?', `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
}

export function codePage(form: string, wrong: boolean): string {
  const hint = wrong ? '<p>The code is unknown or has expired. Start again: pailou login</p>' : '';
  return page('Which code does your command line show?', `${hint}${form}<button form="op.deviceInputForm">Go on</button>`);
}

export function confirmPage(form: string, code: string): string {
  return page(
    'Is this the code that your command line shows?',
    `<p><b>${code}</b></p>${form}<button form="op.deviceConfirmForm">Yes</button>`,
  );
}

export function donePage(): string {
  return page('You are signed in', '<p>Go back to your command line.</p>');
}

/** Answers the page that chooses a person. False for any other address. */
export async function answerPersonPage(request: IncomingMessage, response: ServerResponse, provider: Provider): Promise<boolean> {
  if (request.url?.startsWith(prefix) !== true) return false;
  const answer = (status: number, body: string): void => {
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    });
    response.end(body);
  };
  const underWay = await provider.interactionDetails(request, response).then(
    () => true,
    () => false,
  );
  if (!underWay) {
    answer(404, page('No sign-in in progress', '<p>Start the sign-in again in the application that sent you here.</p>'));
    return true;
  }
  if (request.method === 'POST') {
    const form = Number(request.headers['content-length'] ?? 0) > longestForm ? '' : await text(request);
    const person = personOf(new URLSearchParams(form).get('person'));
    if (person === undefined) answer(400, page('Unknown person', ''));
    else await provider.interactionFinished(request, response, { login: { accountId: person.subject } });
    return true;
  }
  const buttons = people
    .map(({ subject, name, tenant }) => `<p><button name="person" value="${subject}">${name} (${subject}, tenant ${tenant})</button></p>`)
    .join('');
  answer(200, page('Choose a person', `<form method="post">${buttons}</form>`));
  return true;
}
