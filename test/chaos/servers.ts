/** One ClickHouse and one or three Kafka brokers, each behind a proxy of the harness. */
import { join } from 'node:path'

import { findEngine, startClickHouse } from '../../services/local/clickhouse-server.ts'
import { startBroker } from '../../services/local/kafka-broker.ts'
import { fetchKafkaJars, findJava } from '../../services/local/kafka-jars.ts'
import type { ManagedServer } from '../../services/local/managed-server.ts'
import { choosePort } from '../../services/local/ports.ts'
import { loadSecrets, type StackSecrets } from '../../services/local/secrets.ts'
import { startProxy, type Proxy } from './proxy.ts'

export interface Servers {
  readonly clickHouse: ManagedServer
  readonly clickHouseUrl: string
  readonly clickHouseProxy: Proxy
  readonly brokers: readonly ManagedServer[]
  /** One a broker, in the same order. */
  readonly kafkaProxies: readonly Proxy[]
  /** The brokers as their clients know them: behind the proxies. */
  readonly brokerAddresses: readonly string[]
  readonly secrets: StackSecrets
}

/** Three brokers on a small machine: they hold little more than what passes through. */
const clusterHeapMb = 256

/** What is started is stopped by `ending`, also when a later start fails. */
export async function startServers(options: {
  folder: string
  brokers: 1 | 3
  ending: (() => Promise<void> | void)[]
}): Promise<Servers> {
  const { folder, ending } = options
  const onLog = () => undefined
  const [secrets, java, jarsFolder] = await Promise.all([loadSecrets(folder), findJava(), fetchKafkaJars({ onLog })])
  // An insert's statement stands in the first line of its request.
  const clickHouseProxy = await startProxy((head) => /^POST [^ ]*query=INSERT/i.test(head.toString('latin1', 0, 2_000)))
  ending.push(() => clickHouseProxy.close())
  const taken = new Set<number>()
  const port = () => choosePort({ taken })
  const keep = (server: ManagedServer) => {
    ending.push(() => server.stop())
    return server
  }
  const onDeath = () => undefined
  const nodes = []
  for (let id = 1; id <= options.brokers; id++) {
    const proxy = await startProxy(() => true)
    ending.push(() => proxy.close())
    nodes.push({ id, proxy, brokerPort: await port(), innerPort: await port(), controllerPort: await port() })
  }
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',')
  const httpPort = await port()

  // Together: a node of a cluster is not started before it has found a majority.
  const brokers = Promise.all(
    nodes.map(({ id, proxy, brokerPort, innerPort, controllerPort }) =>
      startBroker({
        ...{ java, jarsFolder, nodeId: id, brokerPort, controllerPort, voters, onDeath },
        folder: join(folder, `kafka-${id}`),
        logFile: join(folder, `kafka-${id}.log`),
        ...(nodes.length > 1 ? { heapMaxMb: clusterHeapMb } : {}),
        overrides: {
          ...innerListener({ brokerPort, innerPort, controllerPort, proxyPort: proxy.port }),
          ...(nodes.length > 1 ? replicated : {}),
        },
      }).then(keep),
    ),
  )
  const clickHouse = startClickHouse({
    ...{ engine: findEngine(), httpPort, secrets, mendDeduplication: true, onDeath },
    folder: join(folder, 'clickhouse'),
    logFile: join(folder, 'clickhouse.log'),
    onLog,
  }).then(keep)
  await Promise.allSettled([brokers, clickHouse])

  clickHouseProxy.connectTo(httpPort)
  nodes.forEach(({ proxy, brokerPort }) => proxy.connectTo(brokerPort))
  return {
    clickHouse: await clickHouse,
    clickHouseUrl: `http://127.0.0.1:${httpPort}`,
    clickHouseProxy,
    brokers: await brokers,
    kafkaProxies: nodes.map(({ proxy }) => proxy),
    brokerAddresses: nodes.map(({ proxy }) => `127.0.0.1:${proxy.port}`),
    secrets,
  }
}

/** Clients are sent to the proxy; brokers reach each other without it, so that a proxy breaks the way of clients only. */
function innerListener(ports: { brokerPort: number; innerPort: number; controllerPort: number; proxyPort: number }) {
  const at = (name: string, port: number) => `${name}://127.0.0.1:${port}`
  const inner = at('INNER', ports.innerPort)
  return {
    listeners: [at('PLAINTEXT', ports.brokerPort), inner, at('CONTROLLER', ports.controllerPort)].join(','),
    'advertised.listeners': [at('PLAINTEXT', ports.proxyPort), inner].join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INNER',
  }
}

/** An acknowledged record stands on two brokers at least, offsets and plans too, so that any one may die. */
const replicated = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
  'share.coordinator.state.topic.replication.factor': '3',
  'share.coordinator.state.topic.min.isr': '2',
  // A follower that was killed is back in sync as soon as it has caught up, and out of it soon after it died.
  'replica.lag.time.max.ms': '3000',
}
