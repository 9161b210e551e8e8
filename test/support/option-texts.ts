/** Where text goes that a user types: every option of every verb, and every setting that takes any text. */
import type { VariableName } from '../../services/shared/io/settings.ts'

/**
 * What becomes of text in each option: `value` goes to ClickHouse as a parameter, `refused` is checked against a closed list or
 * a pattern, `file` names a file and is given to no server, `local` starts the embedded stack and is tried in its own tests.
 */
export const optionTexts: Record<string, Record<string, 'value' | 'refused' | 'file' | 'local' | 'flag'>> = {
  demo: { '--data': 'local', '--events': 'local', '--seed': 'local' },
  start: { '--data': 'local', '--events': 'local', '--seed': 'local', '--rate': 'local' },
  stack: { '--data': 'local' },
  'demo-alerts': { '--data': 'local', '--households': 'local', '--seed': 'local' },
  'demo-impact': { '--data': 'local', '--households': 'local', '--seed': 'local', '--html': 'local' },
  migrate: {},
  simulate: {
    ...{
      '--events': 'refused',
      '--households': 'refused',
      '--days': 'refused',
      '--until': 'refused',
      '--rate': 'refused',
    },
    ...{ '--seed': 'refused', '--duplicates': 'refused', '--malformed': 'refused', '--schema-version': 'refused' },
    '--format': 'refused',
  },
  'simulate-ecosystem': {
    ...{ '--households': 'refused', '--seed': 'refused', '--duplicates': 'refused', '--truth': 'file' },
    '--format': 'refused',
  },
  import: {
    ...{
      '<file>': 'file',
      '--mapping': 'file',
      '--until': 'refused',
      '--rejects': 'file',
      '--schema-version': 'refused',
    },
    ...{ '--dry-run': 'flag', '--format': 'refused' },
  },
  classify: { '--stream': 'refused', '--force': 'flag', '--with-parent': 'flag' },
  share: {
    ...{ '--from': 'refused', '--to': 'refused', '--by': 'refused', '--product': 'value', '--cohort': 'refused' },
    ...{ '--country': 'value', '--plans': 'value', '--format': 'refused' },
  },
  intents: {
    ...{ '--from': 'refused', '--to': 'refused', '--limit': 'refused', '--product': 'value', '--country': 'value' },
    ...{ '--class': 'refused', '--format': 'refused' },
  },
  export: {
    ...{ '<file>': 'file', '--view': 'refused', '--format': 'refused', '--from': 'refused', '--to': 'refused' },
    ...{ '--by': 'refused', '--product': 'value', '--cohort': 'refused', '--country': 'value', '--plans': 'value' },
    ...{ '--value-class': 'refused', '--force': 'flag' },
  },
  rejected: { '--list': 'refused', '--reason': 'value', '--from': 'refused', '--to': 'refused', '--format': 'refused' },
  redrive: {
    ...{ '--reason': 'refused', '--from': 'refused', '--to': 'refused', '--dry-run': 'flag', '--format': 'refused' },
    '--stream': 'refused',
  },
  audit: { '--stream': 'refused', '--format': 'refused' },
  repair: { '--stream': 'refused', '--dry-run': 'flag', '--yes': 'flag' },
  'audited draw': {
    ...{ '<events>': 'refused', '<file>': 'file', '--drawn': 'refused', '--from': 'refused', '--to': 'refused' },
    '--seed': 'refused',
  },
  'audited load': {
    ...{ '<file>': 'file', '--name': 'refused', '--drawn': 'refused', '--dry-run': 'flag', '--format': 'refused' },
  },
  'audited list': { '--format': 'refused' },
  'audited drop': { '<audit>': 'refused' },
  'alerts check': { '--rules': 'file', '--format': 'refused' },
  'alerts schema': {},
  'alerts run': { '--rules': 'file' },
  'alerts backtest': {
    ...{ '--from': 'refused', '--to': 'refused', '--rule': 'refused', '--rules': 'file', '--format': 'refused' },
  },
  'alerts explain': { '<rule>': 'refused', '--at': 'refused', '--rules': 'file', '--format': 'refused' },
  'alerts status': { '--rules': 'file', '--format': 'refused' },
  'archive run': {
    ...{ '<dir>': 'file', '--from': 'refused', '--to': 'refused', '--follow': 'flag', '--format': 'refused' },
    ...{ '--range-messages': 'refused', '--range-mb': 'refused', '--range-seconds': 'refused' },
    '--stream': 'refused',
  },
  'archive verify': { '<dir>': 'file', '--format': 'refused' },
  'replay run': {
    ...{ '<name>': 'refused', '--from': 'refused', '--to': 'refused', '--taxonomy': 'refused', '--source': 'refused' },
    ...{ '--processes': 'refused', '--rate': 'refused', '--with-parent': 'refused', '--format': 'refused' },
  },
  'replay verify': { '<name>': 'refused', '--like': 'refused', '--format': 'refused' },
  'replay list': { '--format': 'refused' },
  'replay drop': { '<name>': 'refused', '--yes': 'flag' },
  'replay diff': { '<before>': 'refused', '<after>': 'refused', '--by': 'refused', '--format': 'refused' },
  'impact paid-tier': {
    ...{ '<scenario>': 'file', '--months': 'refused', '--seed': 'refused', '--format': 'refused' },
  },
  'impact pnl': {
    ...{ '<assumptions>': 'file', '--product': 'refused', '--by': 'refused', '--from': 'refused', '--to': 'refused' },
    ...{ '--currency': 'refused', '--format': 'refused' },
  },
  'impact causal': {
    ...{ '--product': 'refused', '--from': 'refused', '--to': 'refused', '--line': 'refused', '--currency': 'refused' },
    '--format': 'refused',
  },
  'impact claims': {
    ...{ '--from': 'refused', '--to': 'refused', '--by': 'refused', '--currency': 'refused', '--format': 'refused' },
  },
  'taxonomy check': { '[file]': 'file', '--format': 'refused' },
  'taxonomy explain': {
    ...{
      '<intent>': 'refused',
      '--outcome': 'refused',
      '--plan': 'value',
      '--purchase': 'flag',
      '--taxonomy': 'refused',
    },
    '--format': 'refused',
  },
}

/** Settings that take any text, and where it goes. All others refuse it. */
export const freeText: Partial<Record<VariableName, string>> = {
  KAFKA_BROKERS: 'a host name to connect to',
  KAFKA_SSL_CA_FILE: 'a path',
  KAFKA_SASL_USERNAME: 'the login',
  KAFKA_SASL_PASSWORD: 'the login',
  CLICKHOUSE_SSL_CA_FILE: 'a path',
  CLICKHOUSE_URL: 'an address to connect to',
  CLICKHOUSE_USER: 'a header of the request',
  CLICKHOUSE_PASSWORD: 'a header of the request',
  SCHEMA_REGISTRY_URL: 'an address to connect to',
  SCHEMA_REGISTRY_USER: 'a header of the request',
  SCHEMA_REGISTRY_PASSWORD: 'a header of the request',
  HTTP_HOST: 'an address to listen on',
  ALERT_MANAGER_URL: 'an address to connect to',
  ALERT_MANAGER_USER: 'a header of the request',
  ALERT_MANAGER_PASSWORD: 'a header of the request',
  ALERT_WEBHOOK_URL: 'an address to connect to',
  ALERT_WEBHOOK_USER: 'a header of the request',
  ALERT_WEBHOOK_PASSWORD: 'a header of the request',
}
