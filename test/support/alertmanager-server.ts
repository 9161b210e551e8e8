/** A real Alertmanager for one test: Debian's package prometheus-alertmanager, or the project's own binary. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

import { choosePort } from '../../services/local/ports.ts'
import { waitFor } from './wait-for.ts'

export interface HeldAlert {
  readonly labels: Record<string, string>
  readonly startsAt: string
  readonly endsAt: string
  readonly updatedAt: string
}

export interface AlertmanagerServer {
  readonly url: string
  start(): Promise<void>
  /** SIGTERM, upon which it writes down what it told whom. */
  stop(): Promise<void>
  alerts(): Promise<HeldAlert[]>
  groups(): Promise<{ labels: Record<string, string>; alerts: HeldAlert[] }[]>
}

const names = ['prometheus-alertmanager', 'alertmanager']
const execute = promisify(execFile)

/** The command that starts an Alertmanager here; undefined when there is none. */
export async function findAlertmanager(): Promise<string | undefined> {
  for (const name of names) {
    const isThere = await execute(name, ['--version']).then(
      () => true,
      () => false,
    )
    if (isThere) {
      return name
    }
  }
  return undefined
}

/** Started, with a route that groups by alertname and tells the webhook at once. Stopped and removed after the test. */
export async function startAlertmanager(
  t: Pick<TestContext, 'after'>,
  options: { command: string; webhookUrl: string },
): Promise<AlertmanagerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-alertmanager-'))
  const port = await choosePort({ taken: new Set() })
  const config = join(folder, 'alertmanager.yml')
  await writeFile(
    config,
    [
      'route: { receiver: people, group_by: [alertname], group_wait: 500ms, group_interval: 1s, repeat_interval: 1h }',
      `receivers: [{ name: people, webhook_configs: [{ url: '${options.webhookUrl}', send_resolved: true }] }]`,
      '',
    ].join('\n'),
  )
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let said = ''
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}/api/v2/${path}`, { signal: AbortSignal.timeout(5_000) })
    return (await response.json()) as T
  }
  const server: AlertmanagerServer = {
    url,
    async start() {
      const args = [
        ...[`--config.file=${config}`, `--storage.path=${join(folder, 'data')}`],
        ...[`--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='],
      ]
      const started = spawn(options.command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      started.stderr.on('data', (piece: Buffer) => (said = `${said}${piece.toString()}`.slice(-4_000)))
      child = started
      const isReady = await waitFor(
        'Alertmanager to be ready',
        async () => {
          // The one that has ended is not waited for.
          const ended = started.exitCode !== null || started.signalCode !== null
          return ended ? 'ended' : (await fetch(`${url}/-/ready`)).ok
        },
        { timeoutMs: 30_000, everyMs: 50 },
      )
      if (isReady === 'ended') {
        throw new Error(`Alertmanager ended at its start: ${said}`)
      }
    },
    async stop() {
      const stopping = child
      child = undefined
      if (stopping !== undefined && stopping.exitCode === null) {
        stopping.kill('SIGTERM')
        await once(stopping, 'exit')
      }
    },
    alerts: () => ask('alerts'),
    groups: () => ask('alerts/groups'),
  }
  t.after(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  await server.start()
  return server
}
