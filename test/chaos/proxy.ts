/** A TCP proxy between the classifiers and a server, which cuts, delays, and drops answers on demand. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** The server's port on loopback; connections before it is known are cut. */
  connectTo(port: number): void
  /** Cuts all connections now. Returns how many there were. */
  cut(): number
  /** Holds every chunk this long in both directions; 0 ends it. */
  delay(milliseconds: number): void
  /**
   * Cuts the next connections whose server answers a watched request, the answer held back: the work is done, its
   * acknowledgement lost.
   */
  loseAnswers(count: number): void
  /** Passes on half of the next watched requests' first chunk and cuts. */
  halveRequests(count: number): void
  /** What `loseAnswers` and `halveRequests` still owe. */
  pending(): number
  disarm(): void
  close(): Promise<void>
}

/** `isWatched` judges the first bytes the client sends after an answer. */
export async function startProxy(isWatched: (head: Buffer) => boolean): Promise<Proxy> {
  let target: number | undefined
  let delayMs = 0
  let answersToLose = 0
  let requestsToHalve = 0
  const pairs = new Set<() => void>()

  const server = createServer((client) => {
    if (target === undefined) {
      client.destroy()
      return
    }
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    const end = () => {
      pairs.delete(end)
      client.destroy()
      upstream.destroy()
    }
    pairs.add(end)
    const toServer = createLane(upstream, () => delayMs)
    const toClient = createLane(client, () => delayMs)
    let watched = false
    let answered = true

    client.on('data', (chunk: Buffer) => {
      if (answered) {
        answered = false
        watched = isWatched(chunk)
        if (watched && requestsToHalve > 0) {
          requestsToHalve -= 1
          upstream.write(chunk.subarray(0, chunk.length >> 1), end)
          return
        }
      }
      toServer.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      answered = true
      if (watched && answersToLose > 0) {
        answersToLose -= 1
        end()
        return
      }
      toClient.write(chunk)
    })
    for (const [socket, lane] of [
      [client, toServer],
      [upstream, toClient],
    ] as const) {
      socket.on('error', end)
      socket.on('end', () => lane.end())
      socket.on('close', () => lane.after(end))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cut = () => {
    const cuts = pairs.size
    for (const end of [...pairs]) {
      end()
    }
    return cuts
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    connectTo: (port) => (target = port),
    delay: (milliseconds) => (delayMs = milliseconds),
    loseAnswers: (count) => (answersToLose = count),
    halveRequests: (count) => (requestsToHalve = count),
    pending: () => answersToLose + requestsToHalve,
    disarm() {
      answersToLose = 0
      requestsToHalve = 0
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}

/** Writes in order, each chunk not before it was held long enough. */
function createLane(to: Socket, delayMs: () => number) {
  let waiting = 0
  let tail = Promise.resolve()
  function after(work: () => void): void {
    const dueAt = performance.now() + delayMs()
    if (waiting === 0 && delayMs() === 0) {
      work()
      return
    }
    waiting += 1
    tail = tail
      .then(() => new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now()))))
      .then(() => {
        waiting -= 1
        work()
      })
  }
  return {
    after,
    write: (chunk: Buffer) => after(() => !to.destroyed && to.write(chunk)),
    end: () => after(() => !to.destroyed && to.end()),
  }
}
