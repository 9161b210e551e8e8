/** A TCP proxy in front of a server, which cuts, delays, holds and refuses requests and loses or replaces answers on demand. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What is done to a watched request, one that the proxy was told to look out for. */
export type Deed =
  /** Half of its first chunk is passed on, then the connection is cut. */
  | { readonly kind: 'halve_request' }
  /** The server never sees it; this is its answer. */
  | { readonly kind: 'refuse_request'; readonly answer: () => Buffer }
  /** The work is done, its acknowledgement lost: the connection is cut when the server answers. */
  | { readonly kind: 'lose_answer' }
  /** The work is done, and this is what the client hears. */
  | { readonly kind: 'replace_answer'; readonly answer: () => Buffer }

export interface HeldRequest {
  /** Its first chunk, with the request's first line. */
  readonly head: Buffer
  /** Passes it on, over a new connection to the server. What the server answers is heard here too. */
  release(hear: (chunk: Buffer) => void): void
}

export interface Proxy {
  readonly port: number
  /** One more port of the same proxy, so that `hold` can tell clients apart. */
  listen(): Promise<number>
  /** The server's port on loopback; connections before it is known are cut. */
  connectTo(port: number): void
  /** Cuts all connections now. Returns how many there were. */
  cut(): number
  /** Holds every chunk this long in both directions; 0 ends it. */
  delay(milliseconds: number): void
  /** Does it to the next so many watched requests. */
  arm(count: number, deed: Deed): void
  /** What `arm` still owes. */
  pending(): number
  disarm(): void
  /** Keeps back the next watched request that comes by this port. Undefined when none came in time. */
  hold(port: number, forMs: number): Promise<HeldRequest | undefined>
  close(): Promise<void>
}

/** `isWatched` judges the first bytes the client sends after an answer. */
export async function startProxy(isWatched: (head: Buffer) => boolean): Promise<Proxy> {
  let target: number | undefined
  let delayMs = 0
  let armed: { left: number; readonly deed: Deed } | undefined
  let holding: { readonly port: number; readonly take: (held: HeldRequest) => void } | undefined
  const pairs = new Set<() => void>()
  const servers: Server[] = []

  /** What is to be done to the watched request at hand, if it is of this kind. */
  function due<K extends Deed['kind']>(kind: K): Extract<Deed, { kind: K }> | undefined {
    if (armed === undefined || armed.left === 0 || armed.deed.kind !== kind) {
      return undefined
    }
    armed.left -= 1
    return armed.deed as Extract<Deed, { kind: K }>
  }

  function onClient(client: Socket, port: number): void {
    if (target === undefined) {
      client.destroy()
      return
    }
    client.setNoDelay(true)
    const toClient = createLane(client, () => delayMs)
    let upstream = connectUpstream(target)
    let toServer = createLane(upstream, () => delayMs)
    let watched = false
    let answered = true
    /** Refused or answered in the server's place: the rest of both sides is thrown away. */
    let over = false
    let held: Buffer[] | undefined
    let onAnswer: ((chunk: Buffer) => void) | undefined
    const end = () => {
      pairs.delete(end)
      client.destroy()
      upstream.destroy()
    }
    pairs.add(end)

    function answerInstead(answer: Buffer): void {
      over = true
      client.end(answer)
    }

    function hold(chunk: Buffer): void {
      held = [chunk]
      // A server closes a connection that is idle for long, so the request goes out on a new one.
      upstream.removeAllListeners('close').destroy()
      holding!.take({
        head: chunk,
        release(hear) {
          onAnswer = hear
          upstream = connectUpstream(target!)
          toServer = createLane(upstream, () => delayMs)
          held!.forEach(toServer.write)
          held = undefined
        },
      })
      holding = undefined
    }

    client.on('data', (chunk: Buffer) => {
      if (over) {
        return
      }
      if (held !== undefined) {
        held.push(chunk)
        return
      }
      if (answered) {
        answered = false
        onAnswer = undefined
        watched = isWatched(chunk)
        if (watched && holding?.port === port) {
          hold(chunk)
          return
        }
        if (watched && due('halve_request') !== undefined) {
          over = true
          upstream.write(chunk.subarray(0, chunk.length >> 1), end)
          return
        }
        const refusal = watched ? due('refuse_request') : undefined
        if (refusal !== undefined) {
          answerInstead(refusal.answer())
          return
        }
      }
      toServer.write(chunk)
    })
    client.on('error', end)
    client.on('end', () => toServer.end())
    client.on('close', () => toServer.after(end))

    function connectUpstream(toPort: number): Socket {
      const socket = connect({ port: toPort, host: '127.0.0.1', noDelay: true })
      socket.on('data', (chunk: Buffer) => {
        if (over) {
          return
        }
        answered = true
        onAnswer?.(chunk)
        if (watched && due('lose_answer') !== undefined) {
          end()
          return
        }
        const replacement = watched ? due('replace_answer') : undefined
        if (replacement !== undefined) {
          answerInstead(replacement.answer())
          return
        }
        toClient.write(chunk)
      })
      socket.on('error', () => socket.destroy())
      socket.on('end', () => toClient.end())
      // An answer in the server's place must reach the client first.
      socket.on('close', () => over || toClient.after(end))
      return socket
    }
  }

  async function listen(): Promise<number> {
    const server: Server = createServer((client) => onClient(client, portOf(server)))
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return portOf(server)
  }
  const cut = () => {
    const cuts = pairs.size
    for (const end of [...pairs]) {
      end()
    }
    return cuts
  }

  return {
    port: await listen(),
    listen,
    cut,
    connectTo: (port) => (target = port),
    delay: (milliseconds) => (delayMs = milliseconds),
    arm: (count, deed) => (armed = { left: count, deed }),
    pending: () => armed?.left ?? 0,
    disarm: () => (armed = undefined),
    hold: (port, forMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          holding = undefined
          resolve(undefined)
        }, forMs)
        const take = (held: HeldRequest) => {
          clearTimeout(timer)
          resolve(held)
        }
        holding = { port, take }
      }),
    async close() {
      const closed = Promise.all(servers.map((server) => once(server, 'close')))
      servers.forEach((server) => server.close())
      cut()
      await closed
    },
  }
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

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
