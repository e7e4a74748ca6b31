/** The console as one tree: language, theme, data, session, pages. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { App, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { type ReactNode, useCallback, useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiError } from '../api/api-error.ts';
import { setViewedPerson } from '../api/client.ts';
import { type Become, BecomeContext } from '../api/view-as.ts';
import { type Language, LanguageProvider, useLanguage } from '../i18n/language.tsx';
import { createConsoleRouter } from './router.tsx';
import { SessionGate } from './session-gate.tsx';
import { themeOf, ThemeProvider, useTheme } from './theme.tsx';

/** One record of what each language needs of other packages. */
const locales: Readonly<Record<Language, { readonly antd: typeof enUS; readonly dayjs: string }>> = {
  en: { antd: enUS, dayjs: 'en' },
  zh: { antd: zhCN, dayjs: 'zh-cn' },
};

const createQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchOnWindowFocus: false,
        // The answer of a refused request does not change by asking again.
        retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
      },
    },
  });

/** Data and pages of one person: nothing of another's is kept, and no page of theirs asks with these rights. */
interface View {
  readonly key: number;
  readonly queries: QueryClient;
  readonly router: ReturnType<typeof createConsoleRouter>;
}

let views = 0;
const createView = (): View => ({ key: views++, queries: createQueries(), router: createConsoleRouter() });

function Themed({ children }: { readonly children: ReactNode }): ReactNode {
  const { language } = useLanguage();
  const { isDark } = useTheme();
  useEffect(() => {
    dayjs.locale(locales[language].dayjs);
  }, [language]);
  return (
    <ConfigProvider locale={locales[language].antd} theme={themeOf(isDark)} button={{ autoInsertSpace: false }}>
      {/* Below the head, whose titles it would cover. */}
      <App message={{ top: 56 }}>{children}</App>
    </ConfigProvider>
  );
}

export function Console(): ReactNode {
  const [view, setView] = useState(createView);
  const become = useCallback<Become>(
    (person, path) => {
      view.router.history.destroy();
      if (path !== undefined) history.pushState(null, '', path);
      setViewedPerson(person);
      // At once: a page that is still shown would ask with the other rights.
      flushSync(() => setView(createView()));
      view.queries.clear();
    },
    [view],
  );
  return (
    <LanguageProvider>
      <ThemeProvider>
        <BecomeContext value={become}>
          <QueryClientProvider key={view.key} client={view.queries}>
            <Themed>
              <SessionGate>
                <RouterProvider router={view.router} />
              </SessionGate>
            </Themed>
          </QueryClientProvider>
        </BecomeContext>
      </ThemeProvider>
    </LanguageProvider>
  );
}
