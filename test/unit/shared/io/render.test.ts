import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  formatInterval,
  formatNumber,
  renderCsv,
  renderTable,
  tableColumnsMax,
  type Cell,
  type Column,
} from '../../../../services/shared/io/render.ts'

const left = (head: string): Column => ({ head, align: 'left' })
const right = (head: string): Column => ({ head, align: 'right' })
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

test('numbers stand on the right with thousands separators, null is empty', () => {
  assert.equal(
    renderTable(
      [left('product'), right('requests')],
      [
        ['echo', 1_234_567],
        ['ring', 12],
        ['kindle', null],
      ],
    ),
    ['product   requests', '-------  ---------', 'echo     1,234,567', 'ring            12', 'kindle', ''].join('\n'),
  )
})

test('a wide table breaks intervals first, then cuts texts, and never a number', () => {
  const share = '12.34 % (10.98-13.57)~'
  const row = ['x'.repeat(60), 'y'.repeat(20), 98_765_432_109, share, share]
  const table = renderTable([left('plans'), left('country'), right('requests'), right('strict'), right('broad')], [row])
  assert.ok(widest(table) <= tableColumnsMax)
  assert.match(table, /98,765,432,109/)
  assert.match(table, /12\.34 %\s+12\.34 %\n/)
  assert.match(table, /\(10\.98-13\.57\)~\s+\(10\.98-13\.57\)~\n/)
  assert.match(table, /x…/)
})

test('any table of ten columns, five of them texts of any length, fits', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.array(fc.string({ minLength: 0, maxLength: 80, unit: 'grapheme-ascii' }), { minLength: 5, maxLength: 5 }),
          fc.nat(9_999_999_999),
        ),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
      (given) => {
        const columns = [
          ...['a', 'b', 'c', 'd', 'e'].map(left),
          right('requests'),
          right('households'),
          right('strict'),
          right('broad'),
        ]
        const rows = given.map(([texts, number]): Cell[] => [
          ...texts,
          number,
          number,
          '100.00 % (98.76-100.00)~',
          '1.00 % (<= 2.00)',
        ])
        assert.ok(widest(renderTable(columns, rows)) <= tableColumnsMax)
      },
    ),
    { numRuns: 50 },
  )
})

test('an interval shows what the data carry', () => {
  const ok = { share: 0.0124, low: 0.0098, high: 0.0157, quality: 'ok' as const }
  assert.equal(formatInterval(ok), '1.24 % (0.98-1.57)')
  assert.equal(formatInterval({ ...ok, quality: 'wide' }), '1.24 % (0.98-1.57)~')
  assert.equal(formatInterval({ ...ok, low: null, quality: 'insufficient' }), '1.24 % (<= 1.57)')
  assert.equal(formatInterval({ ...ok, low: null, high: null, quality: 'insufficient' }), '1.24 % (-)')
  assert.equal(formatInterval({ share: null, low: null, high: null, quality: null }), '')
})

test('CSV quotes what RFC 4180 says, doubles quotes, ends lines with CRLF and leaves null empty', () => {
  assert.equal(
    renderCsv(
      ['a', 'b,c'],
      [
        ['plain', 'comma, here'],
        ['quote "x"', 'line\nbreak'],
        [null, 1.5],
        [true, 'cr\rhere'],
      ],
    ),
    'a,"b,c"\r\nplain,"comma, here"\r\n"quote ""x""","line\nbreak"\r\n,1.5\r\ntrue,"cr\rhere"\r\n',
  )
})

test('numbers are grouped by thousands', () => {
  assert.deepEqual([0, 999, 1_000, 2_000_000].map(formatNumber), ['0', '999', '1,000', '2,000,000'])
})
