/** The pages of the development identity service: choose a person, confirm a device code, sign out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Provider } from 'oidc-provider';
import { type PageLanguage, pageLanguage, pageTexts } from './page-texts.ts';
import { people, personOf } from './people.ts';

const prefix = '/interaction/';
/** Only the name is submitted. */
const longestForm = 1_000;

export function personPage(uid: string): string {
  return `${prefix}${uid}`;
}

const style = `
  :root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; }
  body { max-width: 26rem; margin: 6rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; }
  button { font: inherit; padding: .5rem .9rem; border: 1px solid GrayText; border-radius: 4px; background: Canvas; color: CanvasText; cursor: pointer; }
  button:hover, button:focus-visible { border-color: Highlight; outline: 1px solid Highlight; }
  form button[name=person] { display: block; width: 100%; text-align: start; margin: .5rem 0; }
  small { opacity: .75; }
`;

function page(language: PageLanguage, title: string, body: string): string {
  const { note } = pageTexts[language];
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style>`;
  return `<!doctype html><html lang="${language === 'zh' ? 'zh-CN' : 'en'}">${head}<body><main><h1>${title}</h1>${body}<p><small>${note}</small></p></main></body></html>`;
}

/** `form`: the library's form with its hidden fields. */
export function leavePage(language: PageLanguage, form: string): string {
  const { leave, leaveButton } = pageTexts[language];
  return page(language, leave, `${form}<button form="op.logoutForm" name="logout" value="yes">${leaveButton}</button>`);
}

export function codePage(language: PageLanguage, form: string, wrong: boolean): string {
  const { code, wrongCode, goOn } = pageTexts[language];
  return page(language, code, `${wrong ? `<p>${wrongCode}</p>` : ''}${form}<button form="op.deviceInputForm">${goOn}</button>`);
}

export function confirmPage(language: PageLanguage, form: string, code: string): string {
  const { confirm, yes } = pageTexts[language];
  return page(language, confirm, `<p><b>${code}</b></p>${form}<button form="op.deviceConfirmForm">${yes}</button>`);
}

export function donePage(language: PageLanguage): string {
  const { done, goBack } = pageTexts[language];
  return page(language, done, `<p>${goBack}</p>`);
}

/** Answers the page that chooses a person. False for any other address. */
export async function answerPersonPage(request: IncomingMessage, response: ServerResponse, provider: Provider): Promise<boolean> {
  if (request.url?.startsWith(prefix) !== true) return false;
  const language = pageLanguage(request.headers['accept-language']);
  const texts = pageTexts[language];
  const answer = (status: number, title: string, body: string): void => {
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    });
    response.end(page(language, title, body));
  };
  const underWay = await provider.interactionDetails(request, response).then(
    () => true,
    () => false,
  );
  if (!underWay) {
    answer(404, texts.noSignIn, `<p>${texts.startAgain}</p>`);
    return true;
  }
  if (request.method === 'POST') {
    const form = Number(request.headers['content-length'] ?? 0) > longestForm ? '' : await text(request);
    const person = personOf(new URLSearchParams(form).get('person'));
    if (person === undefined) answer(400, texts.unknownPerson, '');
    else await provider.interactionFinished(request, response, { login: { accountId: person.subject } });
    return true;
  }
  const buttons = people
    .map(({ subject, name, tenant }) => `<button name="person" value="${subject}">${name} (${texts.person(subject, tenant)})</button>`)
    .join('');
  answer(200, texts.choose, `<form method="post">${buttons}</form>`);
  return true;
}
