/** The routes, made from the table of pages. Search parameters stay texts, so that addresses are short and readable. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { consolePath } from '../api/client.ts';
import { ErrorPage } from './error-page.tsx';
import { Layout } from './layout.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { pages } from './pages.tsx';

const root = createRootRoute({ component: Layout, notFoundComponent: NotFoundPage });

const routes = pages.map(({ path, load }) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load), errorComponent: ErrorPage }),
);

const routeTree = root.addChildren(routes);

/** Starts at the address of the window. */
export function createConsoleRouter() {
  return createRouter({
    routeTree,
    basepath: consolePath,
    defaultPreload: 'intent',
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const text = new URLSearchParams(search as Record<string, string>).toString();
      return text === '' ? '' : `?${text}`;
    },
  });
}
