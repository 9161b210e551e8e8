/** What ClickHouse, or something in front of it, answers when it can't serve now. */
import type { Random } from '../../services/producer/random.ts'
import { pick } from './world.ts'

/** Each may pass by itself, so the pipeline has to repeat. */
const answers: readonly { readonly status: string; readonly code?: number; readonly body: string }[] = [
  { status: '502 Bad Gateway', body: '<html><body><h1>502 Bad Gateway</h1></body></html>' },
  { status: '503 Service Unavailable', body: 'no healthy upstream' },
  { status: '504 Gateway Time-out', body: '' },
  exception(
    '500 Internal Server Error',
    252,
    'TOO_MANY_PARTS',
    'Too many parts (3000). Merges are slower than inserts',
  ),
  exception('500 Internal Server Error', 241, 'MEMORY_LIMIT_EXCEEDED', '(total) memory limit exceeded'),
  exception('500 Internal Server Error', 202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many simultaneous queries'),
  exception('500 Internal Server Error', 159, 'TIMEOUT_EXCEEDED', 'Timeout exceeded: elapsed 30 seconds'),
  exception('500 Internal Server Error', 210, 'NETWORK_ERROR', 'I/O error: Broken pipe'),
  exception('500 Internal Server Error', 999, 'KEEPER_EXCEPTION', 'Coordination::Exception: Session expired'),
]

function exception(status: string, code: number, name: string, text: string) {
  return { status, code, body: `Code: ${code}. DB::Exception: ${text}. (${name}) (version 26.7.3.1)` }
}

export function drawErrorAnswer(random: Random): { name: string; bytes: Buffer } {
  const { status, code, body } = pick(answers, random)
  const lines = [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=UTF-8',
    ...(code === undefined ? [] : [`X-ClickHouse-Exception-Code: ${code}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  return {
    name: code === undefined ? status : `${status}, code ${code}`,
    bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`),
  }
}
