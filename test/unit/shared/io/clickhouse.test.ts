import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'

import { ClickHouseError } from '@clickhouse/client'

import { PipelineError } from '../../../../services/shared/domain/faults.ts'
import { clickHouseFault, createClickHouse } from '../../../../services/shared/io/clickhouse.ts'

const connection = { url: 'http://me:hunter2@clickhouse:8123', user: 'pipeline' }
const said = (code: string, message = 'what it said') => new ClickHouseError({ code, type: 'X', message })

for (const [name, thrown, code, retryable, says] of [
  [
    'a wrong password',
    said('516'),
    'clickhouse_refused',
    false,
    /refused user pipeline: wrong user or password; check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD$/,
  ],
  [
    'a missing table',
    said('60', 'Table x does not exist'),
    'clickhouse_refused',
    false,
    /has no such table \(Table x does not exist\); run `npx intent-ledger migrate`$/,
  ],
  ['a missing database', said('81'), 'clickhouse_refused', false, /run `npx intent-ledger migrate`$/],
  ['a grant that is missing', said('497'), 'clickhouse_refused', false, /answered error 497: what it said$/],
  ['SQL of ours that it does not understand', said('62'), 'clickhouse_refused', false, /answered error 62/],
  ['the end of a lease', said('395'), 'lease_expired', false, /answered error 395/],
  ['too many parts', said('252'), 'clickhouse_unreachable', true, /answered error 252/],
  ['a memory limit', said('241'), 'clickhouse_unreachable', true, /answered error 241/],
  ['a table that is read only for now', said('242'), 'clickhouse_unreachable', true, /answered error 242/],
  [
    'a disk that is nearly full',
    said('243'),
    'clickhouse_unreachable',
    true,
    /has too little room on its disk, make room: what it said$/,
  ],
  ['a time-out', new Error('Timeout error.'), 'clickhouse_unreachable', true, /can't be reached: Timeout error\.$/],
  [
    'a connection reset',
    new Error('read ECONNRESET'),
    'clickhouse_unreachable',
    true,
    /can't be reached: read ECONNRESET$/,
  ],
  ['what is no error at all', 'gone', 'clickhouse_unreachable', true, /can't be reached: gone$/],
] as const) {
  test(`takes ${name} for ${retryable ? 'a fault that may pass' : `final (${code})`}`, () => {
    const fault = clickHouseFault(connection, thrown)
    assert.equal(fault.code, code)
    assert.equal(fault.retryable, retryable)
    assert.match(fault.message, says)
    assert.ok(fault.message.startsWith('ClickHouse at http://clickhouse:8123 '))
    assert.doesNotMatch(fault.message, /hunter2/)
    assert.equal(fault.cause, thrown)
  })
}

test('says only the first line of an answer, and not more than 300 characters of it', () => {
  assert.match(clickHouseFault(connection, said('241', 'one\nstack\nframes')).message, /error 241: one$/)
  assert.ok(clickHouseFault(connection, said('241', 'x'.repeat(5_000))).message.length < 400)
})

test('leaves a fault of ours as it is', () => {
  const fault = new PipelineError('ours', { code: 'lease_expired' })
  assert.equal(clickHouseFault(connection, fault), fault)
})

test('says of a closed port that ClickHouse is not reached there, whichever call it is', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const clickHouse = createClickHouse({ url: `http://127.0.0.1:${port}`, user: 'pipeline', password: 'hunter2' })
  const body = [Buffer.from('x'), Buffer.alloc(0), Buffer.alloc(100_000)]
  for (const call of [
    () => clickHouse.rows('SELECT 1'),
    () => clickHouse.bytes('SELECT 1 FORMAT RowBinary'),
    () => clickHouse.command('SELECT 1'),
    () => clickHouse.insert('INSERT INTO x FORMAT Native', body, { params: {}, settings: {} }),
  ]) {
    await assert.rejects(call(), (thrown: PipelineError) => {
      assert.equal(thrown.code, 'clickhouse_unreachable')
      assert.equal(thrown.retryable, true)
      assert.match(
        thrown.message,
        new RegExp(`^ClickHouse at http://127\\.0\\.0\\.1:${port} can't be reached: .*ECONNREFUSED`),
      )
      return true
    })
  }
  await clickHouse.close()
})
