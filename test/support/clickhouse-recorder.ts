import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Stands in front of ClickHouse and keeps the text of every statement; values, which travel as `param_…`, are not in it. */
export async function recordStatements(
  t: TestContext,
  clickhouseUrl: string,
): Promise<{ readonly url: string; readonly statements: string[] }> {
  const target = new URL(clickhouseUrl)
  const statements: string[] = []
  const server = createServer((incoming, outgoing) => {
    const query = new URL(incoming.url!, clickhouseUrl).searchParams.get('query')
    const chunks: Buffer[] = []
    const { method, headers, url: path } = incoming
    const onward = request({ ...{ host: target.hostname, port: target.port, method, headers, path }, agent: false })
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    // With a query in the address, the body is data.
    incoming.on('end', () => statements.push(query ?? Buffer.concat(chunks).toString()))
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, statements }
}
