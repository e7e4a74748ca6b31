/** A browser for tests. */

/** The browser features that sign-in needs: cookies by host, and one step at a time. */
export class TestBrowser {
  readonly cookies = new Map<string, Map<string, string>>();

  async go(url: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(url);
    const jar = this.cookies.get(host) ?? new Map<string, string>();
    this.cookies.set(host, jar);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Follows redirects to a page, or to the URL that `until` accepts. */
  async follow(start: string, until: (url: string) => boolean): Promise<{ url: string; response: Response | null }> {
    let url = start;
    for (let step = 0; step < 15; step++) {
      if (until(url)) return { url, response: null };
      const response = await this.go(url);
      const next = response.headers.get('location');
      if (next === null) return { url, response };
      url = new URL(next, url).href;
    }
    throw new Error('too many redirects');
  }

  /** Submits the page's first form, with `more` filled in. */
  async submit(page: { url: string; html: string }, more: Record<string, string> = {}): Promise<Response> {
    const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1] ?? page.url;
    const body = new URLSearchParams();
    for (const [input] of page.html.matchAll(/<input[^>]*>/g)) {
      const attribute = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(input)?.[1] ?? '';
      if (attribute('name') !== '') body.append(attribute('name'), attribute('value'));
    }
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    return this.go(new URL(action.replaceAll('&amp;', '&'), page.url).href, { method: 'POST', body });
  }
}
