/** A receiver of alerts on the loopback that keeps every request and answers as the test says. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface TakenRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
  /** False where the request was answered with a fault. */
  readonly taken: boolean
}

/** `cut` takes the request and breaks the connection instead of answering; `hang` never answers. */
export type Answer =
  number | { readonly status: number; readonly body: string; readonly location?: string } | 'cut' | 'hang'

export interface AlertEndpoint {
  readonly url: string
  readonly requests: TakenRequest[]
  /** What the next requests get; 200 when it says nothing. */
  answer: (request: { readonly body: unknown; readonly number: number }) => Answer
  close(): Promise<void>
  /** Listens again, at the same address. */
  reopen(): Promise<void>
}

export async function startAlertEndpoint(t: Pick<TestContext, 'after'>): Promise<AlertEndpoint> {
  const requests: TakenRequest[] = []
  let server = await open(0)
  const { port } = server.address() as AddressInfo
  const endpoint: AlertEndpoint = {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: () => 200,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
    async reopen() {
      server = await open(port)
    },
  }
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return endpoint

  async function open(at: number): Promise<Server> {
    const opened = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(pieces).toString())
        const answer = endpoint.answer({ body, number: requests.length })
        const { status, text, location } = written(answer)
        const taken = answer === 'cut' || (answer !== 'hang' && status < 300)
        requests.push({ path: request.url!, headers: request.headers, body, taken })
        if (answer === 'cut') {
          request.socket.destroy()
        } else if (answer !== 'hang') {
          response.writeHead(status, location === undefined ? {} : { location }).end(text)
        }
      })
    })
    opened.listen(at, '127.0.0.1')
    await once(opened, 'listening')
    return opened
  }
}

function written(answer: Answer): { status: number; text: string; location?: string | undefined } {
  if (typeof answer === 'object') {
    return { status: answer.status, text: answer.body, location: answer.location }
  }
  return { status: typeof answer === 'number' ? answer : 0, text: '' }
}
