/** The console as one tree: language, theme, data, session, pages. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { App, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { type ReactNode, useEffect } from 'react';
import { ApiError } from '../api/api-error.ts';
import { type Language, LanguageProvider, useLanguage } from '../i18n/language.tsx';
import { router } from './router.tsx';
import { SessionGate } from './session-gate.tsx';
import { themeOf, ThemeProvider, useTheme } from './theme.tsx';

/** One record of what each language needs of other packages. */
const locales: Readonly<Record<Language, { readonly antd: typeof enUS; readonly dayjs: string }>> = {
  en: { antd: enUS, dayjs: 'en' },
  zh: { antd: zhCN, dayjs: 'zh-cn' },
};

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // The answer of a refused request does not change by asking again.
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});

function Themed({ children }: { readonly children: ReactNode }): ReactNode {
  const { language } = useLanguage();
  const { isDark } = useTheme();
  useEffect(() => {
    dayjs.locale(locales[language].dayjs);
  }, [language]);
  return (
    <ConfigProvider locale={locales[language].antd} theme={themeOf(isDark)} button={{ autoInsertSpace: false }}>
      <App>{children}</App>
    </ConfigProvider>
  );
}

export function Console(): ReactNode {
  return (
    <LanguageProvider>
      <ThemeProvider>
        <QueryClientProvider client={queries}>
          <Themed>
            <SessionGate>
              <RouterProvider router={router} />
            </SessionGate>
          </Themed>
        </QueryClientProvider>
      </ThemeProvider>
    </LanguageProvider>
  );
}
