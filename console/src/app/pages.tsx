/** The table of pages: address, menu, right, and the file that is loaded when the page is opened. */
import {
  ApiOutlined,
  AppstoreOutlined,
  AuditOutlined,
  BarChartOutlined,
  CloudServerOutlined,
  DashboardOutlined,
  ForkOutlined,
  HeartOutlined,
  HistoryOutlined,
  HomeOutlined,
  KeyOutlined,
  MessageOutlined,
  SafetyOutlined,
  SettingOutlined,
  ThunderboltOutlined,
  ToolOutlined,
  UnorderedListOutlined,
} from '@ant-design/icons';
import type { ComponentType, ReactNode } from 'react';
import type { Right } from '../api/session.ts';
import type { MenuKey } from './texts.ts';

export interface PageEntry {
  /** Below the console's own address. */
  readonly path: string;
  readonly title: MenuKey;
  readonly group: 'work' | 'setup' | 'watch';
  readonly icon: ReactNode;
  readonly right: Right;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}

export const pages: readonly PageEntry[] = [
  {
    path: '/',
    title: 'home',
    group: 'work',
    icon: <HomeOutlined aria-hidden />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/home/page.tsx')).HomePage }),
  },
  {
    path: '/playground',
    title: 'playground',
    group: 'work',
    icon: <MessageOutlined aria-hidden />,
    right: 'llm:model:use',
    load: async () => ({ default: (await import('../pages/playground/page.tsx')).PlaygroundPage }),
  },
  {
    path: '/connect',
    title: 'connect',
    group: 'work',
    icon: <ApiOutlined aria-hidden />,
    right: 'llm:model:use',
    load: async () => ({ default: (await import('../pages/connect/page.tsx')).ConnectPage }),
  },
  {
    path: '/keys',
    title: 'keys',
    group: 'work',
    icon: <KeyOutlined aria-hidden />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/keys/page.tsx')).KeysPage }),
  },
  {
    path: '/models',
    title: 'models',
    group: 'setup',
    icon: <AppstoreOutlined aria-hidden />,
    right: 'llm:model:view',
    load: async () => ({ default: (await import('../pages/models/page.tsx')).ModelsPage }),
  },
  {
    path: '/providers',
    title: 'providers',
    group: 'setup',
    icon: <CloudServerOutlined aria-hidden />,
    right: 'llm:model:view',
    load: async () => ({ default: (await import('../pages/providers/page.tsx')).ProvidersPage }),
  },
  {
    path: '/skills',
    title: 'skills',
    group: 'setup',
    icon: <ThunderboltOutlined aria-hidden />,
    right: 'llm:skill:view',
    load: async () => ({ default: (await import('../pages/skills/page.tsx')).SkillsPage }),
  },
  {
    path: '/mcp',
    title: 'mcp',
    group: 'setup',
    icon: <ToolOutlined aria-hidden />,
    right: 'llm:mcp:view',
    load: async () => ({ default: (await import('../pages/mcp/page.tsx')).McpPage }),
  },
  {
    path: '/routing',
    title: 'routing',
    group: 'setup',
    icon: <ForkOutlined aria-hidden />,
    right: 'llm:model:use',
    load: async () => ({ default: (await import('../pages/routing/page.tsx')).RoutingPage }),
  },
  {
    path: '/access',
    title: 'access',
    group: 'setup',
    icon: <SafetyOutlined aria-hidden />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/access/page.tsx')).AccessPage }),
  },
  {
    path: '/limits',
    title: 'limits',
    group: 'setup',
    icon: <DashboardOutlined aria-hidden />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/limits/page.tsx')).LimitsPage }),
  },
  {
    path: '/calls',
    title: 'calls',
    group: 'watch',
    icon: <UnorderedListOutlined aria-hidden />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/calls/page.tsx')).CallsPage }),
  },
  {
    path: '/usage',
    title: 'usage',
    group: 'watch',
    icon: <BarChartOutlined aria-hidden />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/usage/page.tsx')).UsagePage }),
  },
  {
    path: '/health',
    title: 'health',
    group: 'watch',
    icon: <HeartOutlined aria-hidden />,
    right: 'llm:model:view',
    load: async () => ({ default: (await import('../pages/health/page.tsx')).HealthPage }),
  },
  {
    path: '/audit',
    title: 'audit',
    group: 'watch',
    icon: <AuditOutlined aria-hidden />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/audit/page.tsx')).AuditPage }),
  },
  {
    path: '/configuration',
    title: 'configuration',
    group: 'watch',
    icon: <HistoryOutlined aria-hidden />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/configuration/page.tsx')).ConfigurationPage }),
  },
  {
    path: '/settings',
    title: 'settings',
    group: 'watch',
    icon: <SettingOutlined aria-hidden />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/settings/page.tsx')).SettingsPage }),
  },
];
