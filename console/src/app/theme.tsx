/** The theme: light, dark, or as the system has it. Colours are chosen for a contrast of at least 4.5. */
import { theme as antd, type ThemeConfig } from 'antd';
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import { readViewSetting, writeViewSetting } from '../i18n/view-settings.ts';

export const themeChoices = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

interface ThemeState {
  readonly choice: ThemeChoice;
  readonly isDark: boolean;
  readonly choose: (choice: ThemeChoice) => void;
}

const Context = createContext<ThemeState>({ choice: 'system', isDark: false, choose: () => undefined });
const systemDark = matchMedia('(prefers-color-scheme: dark)');

function storedChoice(): ThemeChoice {
  const stored = readViewSetting('theme');
  return themeChoices.find((each) => each === stored) ?? 'system';
}

export function ThemeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [choice, setChoice] = useState(storedChoice);
  const [systemIsDark, setSystemIsDark] = useState(systemDark.matches);
  useEffect(() => {
    const follow = (event: MediaQueryListEvent): void => setSystemIsDark(event.matches);
    systemDark.addEventListener('change', follow);
    return () => systemDark.removeEventListener('change', follow);
  }, []);
  const isDark = choice === 'system' ? systemIsDark : choice === 'dark';
  useEffect(() => {
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
  }, [isDark]);
  const value = useMemo(
    () => ({
      choice,
      isDark,
      choose(next: ThemeChoice) {
        writeViewSetting('theme', next);
        setChoice(next);
      },
    }),
    [choice, isDark],
  );
  return <Context value={value}>{children}</Context>;
}

export function useTheme(): ThemeState {
  return use(Context);
}

/** Darker than antd's own, whose green on pale green has a contrast of 2. Pale colours would be derived from them, so they are named too. */
const lightStates = {
  colorSuccess: '#237804',
  colorSuccessBg: '#f6ffed',
  colorSuccessBorder: '#b7eb8f',
  colorError: '#cf1322',
  colorErrorBg: '#fff1f0',
  colorErrorBorder: '#ffa39e',
  colorWarning: '#874d00',
  colorWarningBg: '#fffbe6',
  colorWarningBorder: '#ffe58f',
  colorInfo: '#0958d9',
  colorInfoBg: '#e6f4ff',
  colorInfoBorder: '#91caff',
};

export function themeOf(isDark: boolean): ThemeConfig {
  const faint = isDark ? 'rgba(255,255,255,0.65)' : 'rgba(0,0,0,0.62)';
  return {
    algorithm: isDark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      colorPrimary: isDark ? '#3c89e8' : '#0958d9',
      colorLink: isDark ? '#65b1ff' : '#0958d9',
      // Surfaces stand out from the page, in both themes.
      ...(isDark
        ? { colorError: '#f37370', colorInfo: '#65b1ff', colorBgLayout: '#0e0f11', colorBgContainer: '#17181b', colorBgElevated: '#1a1b1f' }
        : { ...lightStates, colorBgLayout: '#f6f7f9' }),
      colorTextTertiary: faint,
      colorTextDescription: faint,
      colorTextPlaceholder: faint,
      borderRadius: 4,
      fontFamily: "-apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
    },
    components: {
      Tabs: isDark ? { itemSelectedColor: '#a9d2ff', itemActiveColor: '#a9d2ff', itemHoverColor: '#a9d2ff' } : {},
      Segmented: isDark ? { trackBg: 'rgba(255,255,255,0.06)', itemSelectedBg: 'rgba(255,255,255,0.18)' } : { trackBg: 'rgba(0,0,0,0.05)' },
      // All pages fit into the height of a laptop.
      Menu: { itemSelectedColor: isDark ? '#a9d2ff' : '#003eb3', itemHeight: 34, itemMarginBlock: 2 },
      Layout: {
        headerHeight: 48,
        headerPadding: '0 16px',
        headerBg: isDark ? '#17181b' : '#ffffff',
        siderBg: isDark ? '#17181b' : '#ffffff',
      },
    },
  };
}
