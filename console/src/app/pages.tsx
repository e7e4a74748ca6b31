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
  ThunderboltOutlined,
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
    icon: <HomeOutlined />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/home/page.tsx')).HomePage }),
  },
  {
    path: '/playground',
    title: 'playground',
    group: 'work',
    icon: <MessageOutlined />,
    right: 'llm:model:use',
    load: async () => ({ default: (await import('../pages/playground/page.tsx')).PlaygroundPage }),
  },
  {
    path: '/connect',
    title: 'connect',
    group: 'work',
    icon: <ApiOutlined />,
    right: 'llm:model:use',
    load: async () => ({ default: (await import('../pages/connect/page.tsx')).ConnectPage }),
  },
  {
    path: '/keys',
    title: 'keys',
    group: 'work',
    icon: <KeyOutlined />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/keys/page.tsx')).KeysPage }),
  },
  {
    path: '/models',
    title: 'models',
    group: 'setup',
    icon: <AppstoreOutlined />,
    right: 'llm:model:view',
    load: async () => ({ default: (await import('../pages/models/page.tsx')).ModelsPage }),
  },
  {
    path: '/providers',
    title: 'providers',
    group: 'setup',
    icon: <CloudServerOutlined />,
    right: 'llm:model:view',
    load: async () => ({ default: (await import('../pages/providers/page.tsx')).ProvidersPage }),
  },
  {
    path: '/usage',
    title: 'usage',
    group: 'watch',
    icon: <BarChartOutlined />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/usage/page.tsx')).UsagePage }),
  },
  {
    path: '/calls',
    title: 'calls',
    group: 'watch',
    icon: <UnorderedListOutlined />,
    right: 'signed-in',
    load: async () => ({ default: (await import('../pages/calls/page.tsx')).CallsPage }),
  },
  {
    path: '/skills',
    title: 'skills',
    group: 'setup',
    icon: <ThunderboltOutlined />,
    right: 'llm:skill:view',
    load: async () => ({ default: (await import('../pages/skills/page.tsx')).SkillsPage }),
  },
  {
    path: '/mcp',
    title: 'mcp',
    group: 'setup',
    icon: <ApiOutlined />,
    right: 'llm:mcp:view',
    load: async () => ({ default: (await import('../pages/mcp/page.tsx')).McpPage }),
  },
  {
    path: '/access',
    title: 'access',
    group: 'setup',
    icon: <SafetyOutlined />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/access/page.tsx')).AccessPage }),
  },
  {
    path: '/limits',
    title: 'limits',
    group: 'setup',
    icon: <DashboardOutlined />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/limits/page.tsx')).LimitsPage }),
  },
  {
    path: '/audit',
    title: 'audit',
    group: 'watch',
    icon: <AuditOutlined />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/audit/page.tsx')).AuditPage }),
  },
  {
    path: '/configuration',
    title: 'configuration',
    group: 'watch',
    icon: <HistoryOutlined />,
    right: 'administrator',
    load: async () => ({ default: (await import('../pages/configuration/page.tsx')).ConfigurationPage }),
  },
  {
    path: '/routing',
    title: 'routing',
    group: 'setup',
    icon: <ForkOutlined />,
    right: 'llm:model:use',
    load: async () => ({ default: (await import('../pages/routing/page.tsx')).RoutingPage }),
  },
  {
    path: '/health',
    title: 'health',
    group: 'watch',
    icon: <HeartOutlined />,
    right: 'llm:model:view',
    load: async () => ({ default: (await import('../pages/health/page.tsx')).HealthPage }),
  },
];
